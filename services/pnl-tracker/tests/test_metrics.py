# mypy: disable-error-code="comparison-overlap"
# Amounts are compared with whole numbers.
"""The metric library, against numbers worked out by hand and against empyrical-reloaded."""

import random
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import empyrical
import numpy
import pytest
from pnl_tracker.core.metrics import HOUR, Series, of_series, of_sums, of_trips
from pnl_tracker.core.trips import Trip, Trips
from pnl_tracker.testing import BTC, ETH, STARTS_AT, at

HOURS_A_YEAR = 8760


def usd(text: str) -> Decimal:
    return Decimal(text)


def hourly(equities: Sequence[Decimal | int], capital: Decimal | int = 100) -> dict[str, Any]:
    series = Series(STARTS_AT, Decimal(capital))
    for n, equity in enumerate(equities, start=1):
        series.take(STARTS_AT + HOUR * n, Decimal(equity), Decimal(0))
    return of_series(series)


def test_two_returns_give_the_ratios_worked_out_by_hand() -> None:
    told = hourly([110, 99])

    # returns 0.1 and -0.1: mean 0, spread sqrt(0.02 / 1) = 0.141421356237, a year of 8760 hours sqrt = 93.594871654381
    assert told["volatility"] == usd("13.236313686219")  # 0.141421356237 * 93.594871654381
    assert (told["sharpe"], told["sortino"]) == (0, 0)
    assert (told["total_return"], told["max_drawdown"], told["max_drawdown_s"]) == (usd("-0.01"), usd("0.1"), 3600)
    assert told["samples"] == 2


@pytest.mark.parametrize("seed", range(5))
def test_ratios_agree_with_empyrical(seed: int) -> None:
    chance = random.Random(seed)
    equities, equity = [], Decimal(10_000)
    for _ in range(24 * 9):
        equity *= 1 + Decimal(round(chance.gauss(0.0002, 0.004), 9))
        equities.append(equity)
    told = hourly(equities, capital=10_000)

    values = numpy.array([10_000.0, *map(float, equities)])
    returns = values[1:] / values[:-1] - 1
    theirs = {
        "total_return": empyrical.cum_returns_final(returns),
        "volatility": empyrical.annual_volatility(returns, annualization=HOURS_A_YEAR),
        "sharpe": empyrical.sharpe_ratio(returns, annualization=HOURS_A_YEAR),
        "sortino": empyrical.sortino_ratio(returns, annualization=HOURS_A_YEAR),
        "calmar": empyrical.calmar_ratio(returns, annualization=HOURS_A_YEAR),
        "max_drawdown": -empyrical.max_drawdown(returns),
    }
    assert {name: float(told[name]) for name in theirs} == pytest.approx(theirs, rel=1e-9)


def test_what_is_not_defined_is_null() -> None:
    assert {name: value for name, value in hourly([100]).items() if value is not None} == {
        "samples": 1, "total_return": 0, "max_drawdown": 0, "max_drawdown_s": 0,
    }  # fmt: skip
    flat = hourly([100, 100, 100])
    assert (flat["volatility"], flat["sharpe"], flat["sortino"], flat["calmar"]) == (0, None, None, None)
    assert hourly([110, 121])["sortino"] is None  # nothing was lost
    assert hourly([110, 99])["calmar"] is None  # not a day yet
    ruined = hourly([0, 50, 60])
    assert ("sharpe" in ruined, ruined["total_return"], ruined["max_drawdown"]) == (False, usd("-0.4"), 1)
    assert hourly([99, *[10**15] * 24])["calmar"] is None  # beyond what the wire carries


def test_an_hour_without_a_point_keeps_the_value_before_it_and_minutes_between_hours_count_for_the_drawdown() -> None:
    series = Series(STARTS_AT, usd("100"))
    for minutes, equity in ((30, "120"), (45, "90"), (60, "110"), (190, "121")):
        series.take(STARTS_AT + timedelta(minutes=minutes), usd(equity), usd("0"))
    series.pass_to(STARTS_AT + HOUR * 4)

    assert series.hours == [100, 110, 110, 110, 121]
    assert (series.max_drawdown, series.below_peak) == (usd("0.25"), timedelta(minutes=30))  # 120 to 90; still at 110
    assert of_series(series)["max_drawdown_s"] == 1800


def test_the_longest_time_below_a_peak_is_counted_though_it_is_not_over() -> None:
    told = hourly([100, 90, 100, 95, 96, 97])

    assert (told["max_drawdown_s"], told["max_drawdown"]) == (3 * 3600, usd("0.1"))


def test_leverage_is_weighted_by_exposure() -> None:
    series = Series(STARTS_AT, usd("100"))
    for n, exposure in enumerate(("0", "100", "300"), start=1):
        series.take(at(60 * n), usd("100"), usd(exposure))

    # (1 * 100 + 3 * 300) / 400; the minute without a position weighs nothing
    assert of_series(series)["leverage"] == usd("2.5")


def trips() -> list[Trip]:
    fills = Trips()
    told = [
        fills.take(BTC, usd("1"), usd("100"), usd("1"), at(0)),
        fills.take(ETH, usd("-10"), usd("30"), usd("2"), at(5)),
        fills.take(BTC, usd("1"), usd("110"), usd("1"), at(10)),
        fills.take(BTC, usd("-2"), usd("120"), usd("2"), at(60)),  # 240 - 210 - 4: won 26
        fills.take(ETH, usd("15"), usd("31"), usd("3"), at(105)),  # lost 10, and 2 + 2 of fees: a flip of 5
        fills.take(ETH, usd("-5"), usd("31"), usd("1"), at(305)),  # even, less 1 + 1 of fees
    ]
    return [trip for trip in told if trip is not None]


def test_round_trips_are_net_of_their_share_of_the_fees() -> None:
    assert trips() == [
        Trip(at(0), at(60), True, usd("210"), usd("26")),
        Trip(at(5), at(105), False, usd("300"), usd("-14")),
        Trip(at(105), at(305), True, usd("155"), usd("-2")),
    ]


def test_trades_are_measured_by_hand_worked_numbers() -> None:
    assert of_trips(trips()) == {
        "trades": 3,
        "win_rate": usd("0.333333333333"),
        "profit_factor": usd("1.625"),  # 26 / 16
        "expectancy": usd("3.333333333333"),  # 10 / 3
        "average_hold_s": 120,  # (60 + 100 + 200) / 3
        "median_hold_s": 100,
        "average_size": usd("221.666666666667"),  # 665 / 3
        "median_size": 210,
        "long_share": usd("0.666666666667"),
    }
    assert of_trips([]) == {"trades": 0}
    assert of_trips(trips()[:1])["profit_factor"] is None  # nothing was lost


def test_costs_are_shares_of_the_profit_before_them() -> None:
    sums = {"capital": usd("10000"), "fees": usd("25"), "funding": usd("-5"), "turnover": usd("40000")}

    assert of_sums(gross=usd("100"), **sums) == {
        "turnover": 4, "fee_share": usd("0.25"), "funding_share": usd("-0.05"),
    }  # fmt: skip
    assert of_sums(gross=usd("-100"), **sums) == {"turnover": 4, "fee_share": None, "funding_share": None}
