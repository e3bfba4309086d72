"""Margin, held against published numbers and against ones worked by hand."""

# mypy: no-strict-equality
# (whole numbers beside decimals read better in an expectation)

from decimal import Decimal

import pytest
from contracts.margin import (
    MarginPosition,
    bankruptcy_price,
    collateral,
    initial_margin,
    largest,
    liquidation_price,
    margin_ratio,
    tier_at,
    tiers_of,
)
from contracts.market import InstrumentListed, MarginTier
from contracts.money import times
from hypothesis import given
from hypothesis import strategies as st

D = Decimal


def tier(
    floor: str, cap: str, rate: str, deduction: str = "0", leverage: str = "10", unit: str = "notional"
) -> MarginTier:
    return MarginTier.model_validate({
        "floor": floor, "cap": cap, "maintenance_margin_rate": rate, "deduction": deduction, "leverage_max": leverage,
        "unit": unit,
    })  # fmt: skip


def flat(rate: str, deduction: str = "0") -> tuple[MarginTier, ...]:
    return (tier("0", "1000000000000", rate, deduction),)


def position(
    quantity: str, entry: str, tiers: tuple[MarginTier, ...], mark: str = "", fee: str = "0", contract: str = "1"
) -> MarginPosition:
    cost = D(quantity) * D(entry)
    return MarginPosition(D(quantity), cost, D(mark or entry), tiers, D(contract), D(fee))


BINANCE = (
    tier("0", "50000", "0.004", leverage="125"),
    tier("50000", "600000", "0.005", "50", "100"),
    tier("600000", "3000000", "0.0065", "950", "75"),
)
"""50 = 50,000 * (0.005 - 0.004); 950 = 50 + 600,000 * (0.0065 - 0.005)."""
OKX = (
    tier("0", "1000", "0.004", leverage="100", unit="contracts"),
    tier("1000", "2000", "0.006", leverage="75", unit="contracts"),
    tier("2000", "5000", "0.01", leverage="50", unit="contracts"),
)


@pytest.mark.parametrize(
    ("quantity", "published"), [("-1", "11.87413417771621"), ("1", "8.085708510208207")], ids=["short", "long"]
)
def test_the_isolated_liquidation_price_of_okx_and_gate(quantity: str, published: str) -> None:
    held = position(quantity, "10", flat("0.01"), fee="0.0006")

    # 5x: the margin is 1 * 10 / 5 = 2
    price = liquidation_price(held, initial_margin(D(quantity), D(10), D(5)))

    assert price is not None
    assert price == D(published).quantize(D("1e-12"))


def test_the_isolated_liquidation_price_of_binance() -> None:
    held = position("3683.979", "1456.84", flat("0.1", "135365"))

    price = liquidation_price(held, D("1535443.01"))

    assert price is not None
    assert price.quantize(D("0.01")) == D("1114.78")


def test_funding_of_a_short_over_two_stamps() -> None:
    # the payment is quantity * mark * rate: a rate below zero makes the short pay
    first = times(D(-30), D("2.77"), D("-0.000008"))

    assert first == D("0.0006648")
    assert first + D("0.0002493") == D("0.0009141")


def test_maintenance_by_notional_has_no_step_where_the_tier_changes() -> None:
    # 50,000 * 0.004 = 200 = 50,000 * 0.005 - 50; 600,000 * 0.005 - 50 = 2,950 = 600,000 * 0.0065 - 950
    assert position("500", "100", BINANCE).maintenance_margin == 200
    assert position("500.001", "100", BINANCE).maintenance_margin == D("200.0005")
    assert position("6000", "100", BINANCE).maintenance_margin == 2_950
    assert position("-7000", "100", BINANCE).maintenance_margin == 700_000 * D("0.0065") - 950
    assert [position(q, "100", BINANCE).tier for q in ("500", "500.001", "6000", "6000.1", "90000")] == [0, 1, 1, 2, 2]


def test_maintenance_by_contracts_takes_the_whole_positions_tier_on_the_mark() -> None:
    # a contract is 0.01: 10 base units are 1,000 contracts, and the price has no part in the tier
    assert position("10", "100", OKX, "200", contract="0.01").maintenance_margin == 10 * 200 * D("0.004")
    assert position("10.01", "100", OKX, "200", contract="0.01").maintenance_margin == D("10.01") * 200 * D("0.006")
    assert position("-50", "100", OKX, "1", contract="0.01").tier == 2
    assert largest(OKX[1], D(7), D("0.01")) == 20
    assert largest(BINANCE[0], D(100)) == 500


def test_unrealised_pnl_and_what_is_required_go_by_the_mark() -> None:
    short = position("-2", "100", flat("0.01"), "90", fee="0.0005")

    assert (short.unrealised_pnl, short.notional) == (20, 180)
    assert (short.maintenance_margin, short.liquidation_fee, short.required) == (D("1.8"), D("0.09"), D("1.89"))


def test_the_margin_ratio_is_equity_over_what_is_required() -> None:
    assert margin_ratio(D("3.78"), D("1.89")) == 2
    assert margin_ratio(D(-1), D(2)) == D("-0.5")
    assert margin_ratio(D(100), D(0)) is None


def test_the_cross_liquidation_price_counts_the_other_positions_as_they_are() -> None:
    btc, eth = position("2", "100", flat("0.01"), "100"), position("-10", "10", flat("0.02"), "11")

    # ETH: -10 unrealised, 10 * 11 * 0.02 = 2.2 required, so 50 - 10 - 2.2 = 37.8 carry BTC
    carried_by = collateral(D(50), [eth])
    assert carried_by == D("37.8")
    # (200 - 37.8) / (2 - 2 * 0.01) = 162.2 / 1.98
    assert liquidation_price(btc, carried_by) == D("81.919191919192")


def test_a_falling_price_brings_a_long_into_a_lower_tier_and_that_tier_decides() -> None:
    long = position("600", "100", BINANCE, "100")

    # tier 2 would give (60,000 - 12,000 - 50) / (600 - 3) = 80.318…, but there the notional is 48,191: below 50,000
    # tier 1: (60,000 - 12,000) / (600 - 2.4) = 48,000 / 597.6
    assert liquidation_price(long, D(12_000)) == D("80.321285140562")


def test_a_rising_price_brings_a_short_into_a_higher_tier_and_that_tier_decides() -> None:
    short = position("-450", "100", BINANCE, "100")

    # tier 1: (-45,000 - 9,000) / (-450 - 1.8) = 119.521…: 53,784 of notional, above 50,000
    # tier 2: (-45,000 - 9,000 - 50) / (-450 - 2.25) = 54,050 / 452.25
    assert liquidation_price(short, D(9_000)) == D("119.513543394140")


def test_a_step_without_a_deduction_liquidates_a_short_where_the_step_stands() -> None:
    steep = (tier("0", "1000", "0.01"), tier("1000", "100000", "0.2"))
    short = position("-9", "100", steep, "100")

    # at 1000 / 9 the requirement jumps from 10 to 200; the equity there is 250 - 9 * 11.11 = 150: above 10, below 200
    assert liquidation_price(short, D(250)) == (D(1000) / 9).quantize(D("1e-12"))


def test_tiers_by_contracts_are_never_crossed_by_a_price() -> None:
    long = position("15", "100", OKX, "100", contract="0.01")

    # 1,500 contracts: 0.6 %, whatever the price: (1,500 - 300) / (15 * 0.994)
    assert liquidation_price(long, D(300)) == D("80.482897384306")


def test_a_long_that_is_paid_in_full_has_no_liquidation_price() -> None:
    assert liquidation_price(position("1", "100", flat("0.01")), D(100)) is None


def test_the_bankruptcy_price_leaves_nothing_with_and_without_the_fee() -> None:
    assert bankruptcy_price(D(2), D(200), D(20)) == 90
    assert bankruptcy_price(D(-2), D(-200), D(20)) == 110
    # (100 - 10) / (1 - 0.001): sold there, 2 * 90.09009… * 0.001 of fee and 19.8198 of loss are 20
    assert bankruptcy_price(D(2), D(200), D(20), D("0.001")) == D("90.090090090090")
    assert bankruptcy_price(D(-2), D(-200), D(20), D("0.001")) == D("109.890109890110")


def test_an_instrument_without_tiers_has_one_at_half_the_margin_of_its_highest_leverage() -> None:
    listed = InstrumentListed.model_validate({
        "event_id": "6e6f6631-0000-5000-8000-6172656e6121", "at": "2026-11-22T12:00:00Z", "instrument": "BTC-USDT-PERP",
        "venue": "x", "base": "BTC", "quote": "USDT", "tick_size": "1", "lot_size": "1", "quantity_min": "1",
        "quantity_max": "1", "notional_min": "1", "contract_value": "1", "leverage_max": "50", "maker_fee_rate": "0",
        "taker_fee_rate": "0", "funding_interval_hours": 8,
    })  # fmt: skip

    (only,) = tiers_of(listed)

    assert (only.maintenance_margin_rate, only.leverage_max, only.deduction) == (D("0.01"), 50, 0)
    assert tiers_of(listed.model_copy(update={"tiers": OKX})) == OKX


sizes = st.integers(1, 10_000).map(D)
signs = st.sampled_from([D(1), D(-1)])


@given(sizes, signs, st.integers(50, 150).map(D), st.integers(1, 99), st.sampled_from(["0", "0.0005"]))
def test_at_the_liquidation_price_equity_is_what_is_required(
    size: Decimal, sign: Decimal, mark: Decimal, percent: int, fee: str
) -> None:
    held = MarginPosition(sign * size, sign * size * 100, mark, BINANCE, fee_rate=D(fee))
    margin = size * percent
    equity = margin + held.unrealised_pnl

    price = liquidation_price(held, margin)

    if price is not None and equity > held.required:
        there = MarginPosition(held.quantity, held.cost, price, BINANCE, fee_rate=D(fee))
        assert abs(margin + there.unrealised_pnl - there.required) < D("1e-6")
        assert price < mark if sign > 0 else price > mark


@given(sizes, st.integers(1, 1000).map(D))
def test_the_tier_holds_the_size(size: Decimal, price: Decimal) -> None:
    number = tier_at(BINANCE, size, price)

    assert BINANCE[number].floor < size * price
    assert size * price <= BINANCE[number].cap or number == len(BINANCE) - 1
