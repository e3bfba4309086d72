from datetime import UTC, datetime
from decimal import Decimal

from exchanges.listing import LISTINGS, listed


def test_maintenance_amounts_follow_binance_s_formula() -> None:
    bitcoin = listed(LISTINGS["BTC"], "made", datetime(2026, 1, 1, tzinfo=UTC))

    # 50,000 * (0.005 - 0.004), and 600,000 * (0.0065 - 0.005) on top
    assert [tier.deduction for tier in bitcoin.tiers[:3]] == [Decimal(0), Decimal(50), Decimal(950)]
    assert (bitcoin.tick_size, bitcoin.lot_size) == (Decimal("0.1"), Decimal("0.001"))
