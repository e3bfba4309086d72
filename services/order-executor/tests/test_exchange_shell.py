"""The exchange side on PostgreSQL against a fake exchange that is a process of its own."""

from datetime import UTC, datetime

from exchanges.fake.running import Controls
from order_executor.exchange.testing import agrees, life, placed
from order_executor.testing import BTC, T0, D, order


def now_s() -> float:
    return (datetime.now(UTC) - T0).total_seconds()


async def test_an_order_goes_out_is_filled_and_the_books_agree(dsn: str, exchange: Controls) -> None:
    async with life(dsn, exchange) as bench:
        await bench.until(bench.ready)
        buy = order(1, "buy", "2", now_s(), competitor_id="plain")
        bench.own(buy)
        await bench.until_state(buy, "filled")
        assert bench.of(buy) == ["order_accepted", "order_filled"]
        assert bench.position(("s1", "plain"), BTC) == D(2)
        await agrees(dsn, exchange, "s1.plain", bench.told)
        assert len(await placed(exchange, "s1.plain")) == 1
