# mypy: disable-error-code="comparison-overlap"
# Amounts are compared with whole numbers.
"""Maintenance margin, margin ratio and liquidation prices as a portfolio shows them."""

from decimal import Decimal
from typing import Any

import pytest
from contracts.margin import MarginPosition, liquidation_price
from contracts.market import MarginTier
from contracts.portfolios import PortfolioUpdated, PositionView
from hypothesis import given
from hypothesis import strategies as st
from pnl_tracker.core.margining import Terms, need_of, terms_of
from pnl_tracker.core.money import exact
from pnl_tracker.core.unit import Unit
from pnl_tracker.testing import BTC, ETH, at, fill, listed, mark, season, unit


def usd(text: str) -> Decimal:
    return Decimal(text)


def tier(cap: str, rate: str) -> MarginTier:
    return MarginTier(
        floor=usd("0"), cap=usd(cap), leverage_max=usd("20"), maintenance_margin_rate=usd(rate), deduction=usd("0")
    )


def holder(**changes: Any) -> Unit:
    ann = unit("ann", **changes)
    ann.listings = {name: terms_of(listed(name, tier("1000000", "0.01"), taker="0")) for name in (BTC, ETH)}
    return ann


def last(told: list[PortfolioUpdated]) -> PortfolioUpdated:
    return told[-1]


def shown(told: PortfolioUpdated, instrument: str = BTC) -> PositionView:
    return next(view for view in told.positions if view.instrument == instrument)


def test_a_cross_long_is_carried_by_the_whole_cash() -> None:
    told = last(holder().execution(fill(1, "20", "1000")))

    # 10,000 + 20 (p - 1,000) = 20 p * 0.01, so p = 10,000 / 19.8
    assert shown(told).liquidation_price == usd("505.050505050505")
    assert (told.maintenance_margin, told.margin_ratio, told.leverage) == (200, 50, 2)


def test_a_cross_short_is_liquidated_above() -> None:
    told = last(holder().execution(fill(1, "-20", "1000")))

    # 10,000 + 20 (1,000 - p) = 20 p * 0.01, so p = 30,000 / 20.2
    assert shown(told).liquidation_price == usd("1485.148514851485")


@pytest.mark.parametrize(("listed_at", "the_season_s"), [("0.01", None), ("0.005", "0.01"), ("-0.001", "0.01")])
def test_the_liquidation_fee_is_held_back_beside_the_maintenance_margin(
    listed_at: str, the_season_s: str | None
) -> None:
    rules = season().rules.model_copy(update={"taker_fee_rate": the_season_s and usd(the_season_s)})
    ann = holder(rules=rules)
    ann.listings = {BTC: terms_of(listed(BTC, tier("1000000", "0.01"), taker=listed_at))}
    told = last(ann.execution(fill(1, "20", "1000")))

    # 10,000 + 20 (p - 1,000) = 20 p * (0.01 + 0.01), so p = 10,000 / 19.6
    assert shown(told).liquidation_price == usd("510.204081632653")
    assert (told.maintenance_margin, told.margin_ratio) == (200, 25)  # 10,000 / (200 + 200)


def test_an_isolated_position_is_carried_by_its_initial_margin_alone() -> None:
    told = last(holder().execution(fill(1, "20", "1000", margin_mode="isolated")))

    # margin 20,000 / 5: 4,000 + 20 (p - 1,000) = 20 p * 0.01, so p = 16,000 / 19.8
    assert shown(told).liquidation_price == usd("808.080808080808")
    assert (shown(told).margin_mode, told.maintenance_margin, told.margin_ratio) == ("isolated", 200, None)


def test_each_of_two_cross_positions_is_carried_by_what_the_other_leaves() -> None:
    ann = holder()
    ann.execution(fill(1, "20", "1000"))
    ann.execution(fill(2, "-100", "100", instrument=ETH, seconds=2))
    ann.mark(mark("950", seconds=3))
    ann.mark(mark("110", seconds=3, instrument=ETH))
    told = last(ann.passed(at(3)))

    # ETH lost 1,000 and requires 110: 8,890 + 20 (p - 1,000) = 0.2 p, so p = 11,110 / 19.8
    assert shown(told).liquidation_price == usd("561.111111111111")
    # BTC lost 1,000 and requires 190: 8,810 + 100 (100 - p) = p, so p = 18,810 / 101
    assert shown(told, ETH).liquidation_price == usd("186.237623762376")
    assert (told.maintenance_margin, told.margin_ratio) == (300, usd("26.666666666667"))  # 8,000 / 300


def test_the_liquidation_price_follows_the_cash_though_the_position_stands_still() -> None:
    ann = holder()
    ann.execution(fill(1, "20", "1000"))
    told = last(ann.execution(fill(2, "1", "100", instrument=ETH, fee="99", seconds=2)))

    # 10,000 - 99 and ETH's requirement of 1: 9,900 + 20 (p - 1,000) = 0.2 p, so p = 10,100 / 19.8
    assert shown(told).liquidation_price == usd("510.10101010101")


def test_a_position_that_cannot_be_liquidated_has_no_price() -> None:
    assert shown(last(holder().execution(fill(1, "1", "1000")))).liquidation_price is None


def test_without_the_tiers_nothing_is_made_up() -> None:
    ann = holder()
    ann.listings = {BTC: ann.listings[BTC]}
    ann.execution(fill(1, "20", "1000"))
    told = last(ann.execution(fill(2, "1", "100", instrument=ETH, seconds=2)))

    assert (told.maintenance_margin, told.margin_ratio, shown(told, ETH).liquidation_price) == (None, None, None)


def test_without_positions_no_margin_is_needed() -> None:
    told = last(holder().passed(at(0)))

    assert (told.maintenance_margin, told.margin_ratio, told.leverage) == (0, None, 0)


tables = st.lists(st.tuples(st.integers(1, 200_000), st.integers(1, 100)), min_size=1, max_size=4).map(sorted)


@given(
    st.decimals("-500", "500", places=3).filter(bool),
    st.decimals("1", "5000", places=2),
    st.decimals("1", "5000", places=2),
    st.decimals("-100000", "1000000", places=2),
    tables,
    st.sampled_from(["notional", "contracts"]),
    st.sampled_from(["0", "0.0005", "0.01"]).map(Decimal),
)
def test_the_price_is_the_venue_s_own_wherever_the_tiers_lie(
    quantity: Decimal,
    entry: Decimal,
    price: Decimal,
    carried_by: Decimal,
    table: list[tuple[int, int]],
    unit_: Any,
    fee_rate: Decimal,
) -> None:
    floors = [0, *(cap for cap, _ in table)]
    tiers = tuple(
        MarginTier(
            floor=Decimal(floor), cap=Decimal(cap), unit=unit_, leverage_max=Decimal(20),
            maintenance_margin_rate=Decimal(permille) / 1000, deduction=Decimal(0),
        )
        for floor, (cap, permille) in zip(floors, table, strict=False)
    )  # fmt: skip
    theirs = MarginPosition(quantity, quantity * entry, price, tiers, Decimal(1), fee_rate)
    with exact():
        ours = need_of(quantity, quantity * entry, price, Terms(tiers, Decimal(1), fee_rate))

        assert (ours.maintenance, ours.required) == (theirs.maintenance_margin, theirs.required)
        assert ours.liquidation_price(carried_by) == liquidation_price(theirs, carried_by)
