"""The hedge model and the covariance it reckons with: every expectation by hand."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signal_runtime.core.covariance import contributions, ewma, reduced, returns
from signal_runtime.core.decision import CoinDecision
from signal_runtime.core.models import hedge
from signal_runtime.testing import BTC, ETH, market, position, view

D = Decimal


def decimals(*written: str) -> list[Decimal]:
    return [D(each) for each in written]


def test_returns_are_of_bar_to_bar() -> None:
    assert returns(decimals("100", "110", "99")) == decimals("0.1", "-0.1")


def test_newer_returns_weigh_more() -> None:
    """With decay 0.5 the weights are 0.5 and 1: (0.5 * 0.01^2 + 0.02^2) / 1.5 = 0.0003, and of both
    (0.5 * 0.01 * -0.01 + 0.02 * 0.04) / 1.5 = 0.0005.
    """
    covariance = ewma([decimals("0.01", "0.02"), decimals("-0.01", "0.04")], D("0.5"))

    assert covariance[0][0] == D("0.0003")
    assert covariance[0][1] == covariance[1][0] == D("0.0005")


TOGETHER = [decimals("0.0001", "0.0001"), decimals("0.0001", "0.0001")]
APART = [decimals("0.0001", "0"), decimals("0", "0.0004")]


def test_contributions_add_up_to_the_variance() -> None:
    # (1, -1): each offsets the other. (1, 1) apart: 1e-4 + 4e-4.
    assert contributions(decimals("1", "-1"), TOGETHER) == [0, 0]
    assert contributions(decimals("1", "1"), APART) == decimals("0.0001", "0.0004")


@pytest.mark.parametrize(
    ("book", "covariance", "deviation", "kept"),
    [
        # (x + 1) * 0.01 = 0.015
        (("1", "1"), TOGETHER, "0.015", ("0.5", "1")),
        # the first alone cannot: 0.01 > 0.005; then 0.01 * x = 0.005
        (("1", "1"), TOGETHER, "0.005", ("0", "0.5")),
        (("-1", "-1"), TOGETHER, "0.015", ("-0.5", "-1")),
        # the second contributes four times as much: 1e-4 + 4e-4 * x^2 = 4e-4, x = sqrt(0.75)
        (("1", "1"), APART, "0.02", ("1", "0.8660254038")),
        # what offsets is not cut
        (("1", "-1"), TOGETHER, "0.001", ("1", "-1")),
        # (x - 1)^2 * 1e-4 = 0.0005^2 * 100 -> x - 1 = 0.5: the long is cut, the short that offsets it is not
        (("3", "-1"), TOGETHER, "0.005", ("1.5", "-1")),
        (("1", "1"), APART, "0.05", ("1", "1")),
        ((), (), "0.01", ()),
    ],
)
def test_who_contributes_most_is_cut_no_further_than_needed(
    book: Sequence[str], covariance: Any, deviation: str, kept: Sequence[str]
) -> None:
    after = reduced(decimals(*book), covariance, D(deviation) ** 2)

    assert [round(weight, 10) for weight in after] == decimals(*kept)


weights = st.decimals(-5, 5, places=3, allow_nan=False)
moves = st.decimals("-0.1", "0.1", places=4, allow_nan=False)


@settings(max_examples=40)
@given(st.integers(1, 4).flatmap(lambda n: st.tuples(
    st.lists(weights, min_size=n, max_size=n),
    st.lists(st.lists(moves, min_size=6, max_size=6), min_size=n, max_size=n),
)))  # fmt: skip
def test_any_book_ends_within_its_variance_and_no_part_grows_or_changes_sides(
    drawn: tuple[list[Decimal], list[list[Decimal]]],
) -> None:
    book, series = drawn
    covariance = ewma(series, D("0.94"))

    after = reduced(book, covariance, D("0.0001"))

    assert sum(contributions(after, covariance)) <= D("0.0001") + D("1e-20")
    for before, kept in zip(book, after, strict=True):
        assert abs(kept) <= abs(before)
        assert kept * before >= 0


# Ten closes that rise and fall by one per cent in turn; the moves of both instruments are the same.
SWINGS: dict[str, Any] = {
    "close": ["1000", "1010"] * 5, "ema20": ["1004"], "ema50": ["1000"], "atr14": ["4"],
}  # fmt: skip
P = hedge.Parameters(target=D("0.2"))


def decided(*held: Any, parameters: hedge.Parameters = P, **changes: Any) -> dict[str, CoinDecision]:
    limits: dict[str, Any] = {"order_notional_max": D(10**6), "position_notional_max": D(10**6)}
    shown = view(market(BTC, **SWINGS | changes), market(ETH, **SWINGS), held=held, margin="1000000", **limits)
    return {part.coin: part for part in hedge.decide(parameters, shown).coins}


def variance() -> float:
    """EWMA of nine returns, newest first +1 %, -1/1.01 %, … with 0.94: in floats, by its formula."""
    moves = [0.01 if age % 2 == 0 else 1 / 1.01 - 1 for age in range(9)]
    each = [0.94**age for age in range(9)]
    return sum(w * m * m for w, m in zip(each, moves, strict=True)) / sum(each)


def test_two_that_move_together_share_the_room_that_one_would_have() -> None:
    """Inverse volatility gives each t / (s * sqrt 2); together they move sqrt 2 times the target, so the first, which
    contributes as much as the other, is cut to what is left: t / s * (1 - 1 / sqrt 2).
    """
    parts = decided()
    room = 0.2 / 480**0.5 / variance() ** 0.5 * 10_000 / 1000.1

    assert [part.signal for part in parts.values()] == ["buy_to_enter", "buy_to_enter"]
    assert float(parts["BTC"].quantity or 0) == pytest.approx(room * (1 - 0.5**0.5), abs=0.002)
    assert float(parts["ETH"].quantity or 0) == pytest.approx(room * 0.5**0.5, abs=0.002)


def test_one_alone_has_the_volatility_of_the_target() -> None:
    parts = decided(ema20=["1000.5"])  # not beyond the gap: no trend in BTC
    room = 0.2 / 480**0.5 / variance() ** 0.5 * 10_000 / 1000.1

    assert list(parts) == ["ETH"]
    assert float(parts["ETH"].quantity or 0) == pytest.approx(room, abs=0.002)
    # stop 6 ATR of 4 below the ask of 1000.1
    assert parts["ETH"].stop_loss == D("976.1")


def test_a_book_that_moves_too_much_is_reduced_where_it_contributes_most() -> None:
    """Held 20 of each, 2 times the equity; together they may be t / s = 0.92 times: BTC goes, ETH is cut to it."""
    room = 0.2 / 480**0.5 / variance() ** 0.5
    parts = decided(position("20"), position("20", ETH))

    assert parts["BTC"].signal == parts["ETH"].signal == "close_position"
    assert parts["BTC"].quantity == 20
    assert float(parts["ETH"].quantity or 0) == pytest.approx(20 - room * 10, abs=0.002)


def test_positions_that_offset_each_other_are_left() -> None:
    parts = decided(position("20"), position("-20", ETH), parameters=P)

    # ETH's short is against its trend: it is closed for that, and BTC alone is then too much
    assert (parts["ETH"].signal, parts["ETH"].quantity) == ("close_position", None)
    assert parts["BTC"].signal == "close_position"


def test_a_little_too_much_is_left_alone() -> None:
    """t / s is 0.92 of the equity: 9.5 held is 0.95, less than a tenth too much. There is no place for a second."""
    parts = decided(position("9.5"), parameters=hedge.Parameters(target=D("0.2"), positions=1))

    assert parts["BTC"].signal == "hold"


@pytest.mark.parametrize("changes", [{"close": ["1000", "1010"]}, {"ema50": [None]}, {"atr14": [None]}])
def test_what_is_cold_is_held_and_never_entered(changes: dict[str, Any]) -> None:
    parts = decided(position("1"), **changes)

    assert parts["BTC"].signal == "hold"


def test_a_market_that_does_not_move_is_not_entered() -> None:
    assert "BTC" not in decided(close=["1000"] * 10)
