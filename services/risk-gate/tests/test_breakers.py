"""Circuit breakers: every measure at and beyond its limit, and every way through the states. Rounds are 60 s apart."""

# mypy: no-strict-equality
# (whole numbers beside decimals)

from collections.abc import Sequence
from typing import Any

import pytest
from contracts.base import Event
from contracts.competition import Breaker
from contracts.orders import LiquidationOrdered, OrderApproved, SignalRejected, TradingHalted, TradingResumed
from contracts.signals import SignalEvent
from risk_gate.core import ControlState, RiskGate, Standing, arena
from risk_gate.testing import (
    BTC,
    ETH,
    D,
    at,
    facts_of,
    missed,
    numbers,
    of_round,
    portfolio,
    position,
    season,
)


def hold(number: int) -> SignalEvent:
    """The first of three parts of that round's decision."""
    return of_round(number, parts=3, action="hold", quantity=None)


class Season:
    """A competitor's rounds: what its portfolio says, what is told."""

    def __init__(self, **breaker: Any) -> None:
        known = {"limit": "0.05", "window_s": 600, "cooling_s": 120} | breaker
        self.rules = season(breakers=[Breaker.model_validate(known)])
        self.standing, self.gate, self.name = Standing(), RiskGate(), Breaker.model_validate(known).name
        self.control = ControlState()

    def round(
        self, number: int, equity: str = "10000", *positions: Any, said: SignalEvent | None = None, **more: Any
    ) -> Sequence[Event]:
        everyone = more.pop("everyone", ())
        mine = portfolio(*positions, round=number, equity=D(equity), **more)
        given = facts_of(
            number, season=self.rules, portfolio=mine, control=self.control, arena=arena([mine, *everyone], 0)
        )
        return self.gate.decide(self.standing, said or hold(number), given)

    @property
    def state(self) -> str:
        return self.standing.breakers[self.name].state

    def trades(self, number: int, equity: str = "10000") -> str:
        """Whether an order of that round, after its first event, is let through."""
        event = self.gate.decide(
            self.standing, of_round(number, part=2, parts=3), facts_of(number, season=self.rules, control=self.control)
        )[0]
        return event.code if isinstance(event, SignalRejected) else "ok"


def test_a_fall_of_more_than_five_per_cent_in_the_window_halts() -> None:
    one = Season(kind="equity_drop")
    assert one.round(1, "10000") == []
    assert one.round(2, "9500") == [], "exactly 5 %"
    (halted,) = one.round(3, "9499.99")

    assert isinstance(halted, TradingHalted)
    # (10000 - 9499.99) / 10000; cooling for 120 s from the opening of round 3 at 120 s
    assert (halted.value, halted.limit, halted.until) == (D("0.050001"), D("0.05"), at(240))
    assert (halted.reason, halted.at) == ("equity_drop", hold(3).at)
    assert halted.detail == "equity fell by 5 % within 600 s; more than 5 % halts"
    assert one.trades(3) == "BREAKER_TRIPPED"


def test_a_fall_counts_only_within_its_window() -> None:
    one = Season(kind="equity_drop", window_s=120)
    one.round(1, "10000")
    # 1 is 180 s before round 4, beyond the 120 s; the highest within is 9600: (9600 - 9400) / 9600 = 2.08 %
    for number, equity in ((2, "9600"), (3, "9550"), (4, "9400")):
        assert one.round(number, equity) == []


def test_the_first_round_has_nothing_to_fall_from() -> None:
    assert Season(kind="equity_drop").round(1, "1") == []


def test_drawdown_is_from_the_portfolios_peak() -> None:
    one = Season(kind="drawdown", limit="0.3")

    assert one.round(1, "8400", peak_equity=D(12_000)) == [], "exactly 30 %"
    (halted,) = one.round(2, "8399", peak_equity=D(12_000))
    # 3601 / 12000
    assert isinstance(halted, TradingHalted)
    assert halted.value == D("0.300083333333")


def test_the_days_loss_is_from_the_opening_equity_where_it_is_told_else_from_the_days_first_round() -> None:
    told = Season(kind="daily_loss", limit="0.1")
    (halted,) = told.round(1, "8999", day_opening_equity=D(10_000))
    assert isinstance(halted, TradingHalted)
    assert halted.value == D("0.1001")

    untold = Season(kind="daily_loss", limit="0.1")
    # round 721 opens at midnight, 12 hours after the first
    assert untold.round(1, "10000") == untold.round(2, "9000") == untold.round(721, "8999") == []
    (later,) = untold.round(722, "8099")
    # (8999 - 8099) / 8999
    assert isinstance(later, TradingHalted)
    assert later.value == D("0.100011112346")


def test_trades_lost_in_a_row_halt() -> None:
    one = Season(kind="losing_streak", limit="3")

    assert one.round(1) == one.round(2, losing_streak=3) == []
    (halted,) = one.round(3, losing_streak=4)
    assert isinstance(halted, TradingHalted)
    assert (halted.value, halted.detail) == (4, "4 trades were lost in a row; more than 3 halt")


@pytest.mark.parametrize(
    ("kind", "said", "other"),
    [
        ("reject_storm", {"quantity": "0.001"}, {"book": None}),
        ("stale_storm", {"book": None}, {"quantity": "0.001"}),
    ],
)
def test_storms_count_what_was_rejected_within_the_window(
    kind: str, said: dict[str, Any], other: dict[str, Any]
) -> None:
    def rounds(one: Season, wrong: dict[str, Any], count: int) -> Sequence[Event]:
        """In round 1 so many parts are rejected; what round 2 tells."""
        asked = {key: value for key, value in wrong.items() if key == "quantity"}
        known = {key: value for key, value in wrong.items() if key != "quantity"}
        for part in range(1, count + 1):
            event = of_round(1, part=part, parts=9, **asked)
            *_, verdict = one.gate.decide(one.standing, event, facts_of(1, season=one.rules, **known))
            assert isinstance(verdict, SignalRejected)
        return one.round(2)

    assert rounds(Season(kind=kind, limit="2"), said, 2) == []
    assert rounds(Season(kind=kind, limit="2"), other, 5) == []
    (halted,) = rounds(Season(kind=kind, limit="2"), said, 3)
    assert isinstance(halted, TradingHalted)
    assert (halted.reason, halted.value, halted.limit) == (kind, 3, 2)


def test_rejections_because_of_a_halt_feed_no_storm() -> None:
    one = Season(kind="reject_storm", limit="2")
    one.control.halts.append("*/*")
    one.round(1, said=of_round(1, part=1, parts=9))
    for part in range(2, 9):
        one.gate.decide(
            one.standing, of_round(1, part=part, parts=9), facts_of(1, season=one.rules, control=one.control)
        )

    assert one.round(2) == []


def test_the_arena_has_breakers_of_its_own_which_trip_for_everyone_alike() -> None:
    def bob(number: int, equity: str) -> Any:
        return portfolio(competitor="bob", round=number, equity=D(equity))

    ann = Season(kind="equity_drop", scope="arena")
    ann.round(1, "10000", everyone=[bob(1, "10000")])
    (halted,) = ann.round(2, "9900", everyone=[bob(2, "9000")])

    # 20000 to 18900
    assert isinstance(halted, TradingHalted)
    assert (halted.reason, halted.value) == ("arena_equity_drop", D("0.055"))
    assert halted.detail.startswith("of the whole arena: equity fell by 5.5 %")


def test_the_arenas_drawdown_is_from_its_highest_opening_and_at_first_from_the_capital() -> None:
    one = Season(kind="drawdown", scope="arena", limit="0.1")

    assert one.round(1, "9000") == [], "10 % of the capital of 10,000"
    assert one.round(2, "11000") == one.round(3, "9900") == []
    (halted,) = one.round(4, "9800")
    assert isinstance(halted, TradingHalted)
    # 1200 / 11000
    assert halted.value == D("0.109090909091")


def test_without_everyones_portfolio_the_arena_is_not_measured() -> None:
    one = Season(kind="equity_drop", scope="arena")
    one.round(1, "10000")
    mine = portfolio(round=2, equity=D(5_000))
    given = facts_of(2, season=one.rules, portfolio=mine, arena=arena([mine], missing=1))

    assert not [event for event in one.gate.decide(one.standing, missed(2), given) if isinstance(event, TradingHalted)]


# States


def test_armed_tripped_cooling_resumed_armed() -> None:
    one = Season(kind="equity_drop")
    one.round(1, "10000")
    assert one.state == "armed"
    one.round(2, "9000")
    assert (one.state, one.trades(2)) == ("tripped", "BREAKER_TRIPPED")
    assert one.round(3, "9000") == []
    assert (one.state, one.trades(3)) == ("cooling", "BREAKER_TRIPPED")
    # tripped at 60 s for 120 s: over at 180 s, when round 4 opens
    (resumed,) = one.round(4, "9000")
    assert isinstance(resumed, TradingResumed)
    assert resumed.reason == "equity_drop"
    assert (one.state, one.trades(4)) == ("resumed", "ok")
    assert one.round(5, "9000") == []
    assert (one.state, one.trades(5)) == ("armed", "ok")


@pytest.mark.parametrize(
    ("breaker", "lost", "worse"),
    [
        ({"kind": "equity_drop"}, {}, "8540"),
        ({"kind": "equity_drop", "window_s": 86_400}, {}, "8540"),  # all within one bucket of 1,440 s
        ({"kind": "drawdown"}, {}, "8540"),
        ({"kind": "daily_loss"}, {"day_opening_equity": D(10_000)}, "8540"),
    ],
)
def test_after_a_resumption_the_measure_begins_anew(breaker: dict[str, Any], lost: dict[str, Any], worse: str) -> None:
    one = Season(**breaker)
    one.round(1, "10000", **lost)
    one.round(2, "9000", **lost)
    one.round(3, "9000", **lost)
    assert len(one.round(4, "9000", **lost)) == 1, "resumed"

    assert one.round(5, "8550", **lost) == [], "exactly 5 % below 9000"
    (halted,) = one.round(6, worse, **lost)
    assert isinstance(halted, TradingHalted)
    # 460 / 9000
    assert halted.value == D("0.051111111111")


def test_after_a_resumption_the_streak_begins_anew() -> None:
    one = Season(kind="losing_streak", limit="3")
    one.round(1, losing_streak=4)
    one.round(2, losing_streak=4)
    assert isinstance(one.round(3, losing_streak=5)[0], TradingResumed)

    assert one.round(4, losing_streak=8) == [], "three more"
    assert len(one.round(5, losing_streak=9)) == 1

    other = Season(kind="losing_streak", limit="3")
    for number in (1, 2, 3):
        other.round(number, losing_streak=4)
    # a win between: the streak that counts is the whole of the new one
    assert other.round(4, losing_streak=0) == other.round(5, losing_streak=3) == []
    assert len(other.round(6, losing_streak=4)) == 1


def test_without_a_cooling_time_only_an_operator_resumes() -> None:
    one = Season(kind="equity_drop", cooling_s=None)
    one.control.serial = 7
    one.control.resumes["ann/*"] = 7  # before the trip
    one.round(1, "10000")
    (halted,) = one.round(2, "9000")
    assert isinstance(halted, TradingHalted)
    assert halted.until is None
    for number in range(3, 60):
        assert one.round(number, "9000") == []
    assert one.state == "tripped"

    one.control.serial = 8
    one.control.resumes["ann/*"] = 8
    assert isinstance(one.round(60, "9000")[0], TradingResumed)
    assert one.trades(60) == "ok"


@pytest.mark.parametrize(
    ("scope", "resumes"), [("ann/*", True), ("*/*", True), ("bob/*", False), (f"ann/{BTC}", False)]
)
def test_an_operator_resumes_the_competitor_or_the_arena_while_it_cools(scope: str, resumes: bool) -> None:
    one = Season(kind="equity_drop")
    one.round(1, "10000")
    one.round(2, "9000")
    one.control.serial, one.control.resumes[scope] = 1, 1

    assert len(one.round(3, "9000")) == resumes


def test_a_trip_that_closes_orders_the_close_of_every_position_until_none_is_left() -> None:
    one = Season(kind="drawdown", closes=True)
    held = position("2"), position("-3", instrument=ETH)
    halted, *closes = one.round(1, "9000", *held)

    assert isinstance(halted, TradingHalted)
    said = [
        (each.instrument, each.side, each.quantity, each.reason)
        for each in closes
        if isinstance(each, LiquidationOrdered)
    ]
    assert said == [(BTC, "sell", 2, "drawdown"), (ETH, "buy", 3, "drawdown")]
    assert {each.effective_at for each in closes} == {hold(1).effective_at}  # type: ignore[attr-defined]
    assert len({each.event_id for each in (halted, *closes)}) == 3
    # round 2 still shows one of them, beyond the cooling time it stays tripped; then it cools and resumes at once
    (again,) = one.round(9, "9000", position("0.5"))
    assert isinstance(again, LiquidationOrdered)
    assert (again.quantity, one.state) == (D("0.5"), "tripped")
    assert isinstance(one.round(10, "9000")[0], TradingResumed)


def test_two_breakers_that_close_order_each_close_once() -> None:
    rules = [
        Breaker(kind="drawdown", limit=D("0.05"), closes=True),
        Breaker(kind="daily_loss", limit=D("0.05"), closes=True),
    ]
    one = Season(kind="drawdown")
    one.rules = season(breakers=rules)

    said = one.round(1, "9000", position("2"), day_opening_equity=D(10_000))

    assert [type(event) for event in said] == [TradingHalted, TradingHalted, LiquidationOrdered]


def test_a_halt_says_when_it_ends_and_lets_the_competitor_out() -> None:
    one = Season(kind="equity_drop")
    one.round(1, "10000")
    mine = portfolio(position("2"), round=2, equity=D(9_000))
    given = facts_of(2, season=one.rules, portfolio=mine)
    _, rejected = one.gate.decide(one.standing, of_round(2, parts=3), given)

    assert isinstance(rejected, SignalRejected)
    assert numbers(rejected) == ("BREAKER_TRIPPED", D("0.1"), D("0.05"))
    assert rejected.detail == (
        "the breaker equity_drop tripped at 0.1, its limit is 0.05: no new risk until 2026-11-22 12:03:00 UTC"
    )
    (closed,) = one.gate.decide(
        one.standing, of_round(2, part=2, parts=3, action="close_position", quantity=None), given
    )
    assert isinstance(closed, OrderApproved)


def test_a_round_without_a_portfolio_is_not_measured_but_time_goes_on() -> None:
    one = Season(kind="equity_drop")
    one.round(1, "10000")
    one.round(2, "9000")
    for number in (3, 4):
        said = one.gate.decide(one.standing, missed(number), facts_of(number, season=one.rules, portfolio=None))
    assert isinstance(said[0], TradingResumed)


def test_a_season_has_breakers_unless_it_says_otherwise() -> None:
    standing = Standing()
    for number, equity in ((1, 10_000), (2, 9_499)):
        given = facts_of(number, portfolio=portfolio(round=number, equity=D(equity)))
        said = RiskGate().decide(standing, missed(number), given)
    assert [event.reason for event in said if isinstance(event, TradingHalted)] == ["equity_drop"]


def test_what_is_remembered_stays_small_however_many_rounds_a_window_has() -> None:
    one = Season(kind="equity_drop", limit="0.9", window_s=86_400)
    for number in range(1, 3_000):
        one.round(number)

    # 1,440 rounds a day in buckets of 86,400 / 60 = 1,440 s
    assert len(one.standing.history.buckets) == 61
