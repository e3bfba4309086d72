from arena.status import suspended_in

METRICS = """
# HELP market_data_suspended 1: no new orders in the instrument, its market data are not to be trusted.
# TYPE market_data_suspended gauge
market_data_suspended{instrument="BTC-USDT-PERP",reason="silent"} 1.0
market_data_suspended{instrument="BTC-USDT-PERP",reason="gap"} 0.0
market_data_suspended{instrument="ETH-USDT-PERP",reason="silent"} 0.0
# HELP market_data_feed_ended 1: nothing more will come from the venue.
# TYPE market_data_feed_ended gauge
market_data_feed_ended 1.0
"""


def test_only_what_is_suspended_now_is_named_with_its_reason() -> None:
    assert suspended_in(METRICS) == [{"instrument": "BTC-USDT-PERP", "reason": "silent"}]
