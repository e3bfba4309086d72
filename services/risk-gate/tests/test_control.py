"""What operators order: who is told, who is judged halted, and what is closed."""

from typing import Any

import pytest
from contracts.base import named_id
from contracts.control import FlattenRequested, HaltRequested, ResumeRequested
from contracts.orders import LiquidationOrdered, TradingHalted, TradingResumed
from risk_gate.core import ControlState
from risk_gate.core.control import decide
from risk_gate.testing import BTC, ETH, T0, D, position

HELD = {"ann": [position("2"), position("-3", instrument=ETH)], "bob": [position("1")], "cyd": []}


def said(kind: Any, competitor: str | None = None, instrument: str | None = None, n: int = 1) -> Any:
    return kind(
        event_id=named_id("control", kind.__name__, n), at=T0, season_id="s1", competitor_id=competitor,
        instrument=instrument, operator="eve", reason="because",
    )  # fmt: skip


def order(state: ControlState, *about: Any, **more: Any) -> list[Any]:
    return list(decide(state, said(*about, **more), HELD))


def test_a_halt_of_the_arena_is_told_to_everyone_once() -> None:
    state = ControlState()
    first, again = order(state, HaltRequested), order(state, HaltRequested, n=2)

    assert [(event.competitor_id, event.reason, event.detail) for event in first] == [
        (who, "operator", "because") for who in ("ann", "bob", "cyd")
    ]
    assert all(isinstance(event, TradingHalted) for event in first)
    assert len({event.event_id for event in first}) == 3
    assert again == []
    assert state.halted("ann", BTC)
    assert state.halted("someone-new", None)


def test_a_halt_by_name_concerns_that_competitor_alone() -> None:
    state = ControlState()

    assert [event.competitor_id for event in order(state, HaltRequested, "ann")] == ["ann"]
    assert state.halted("ann", ETH)
    assert not state.halted("bob", ETH)


def test_a_halt_of_an_instrument_concerns_that_instrument_alone() -> None:
    state = ControlState()
    (halted,) = order(state, HaltRequested, "ann", BTC)

    assert (halted.instrument, state.halted("ann", BTC), state.halted("ann", ETH)) == (BTC, True, False)
    order(state, HaltRequested, None, ETH)
    assert state.halted("bob", ETH)


def test_who_was_halted_by_name_stays_halted_when_the_arena_is_resumed() -> None:
    state = ControlState()
    order(state, HaltRequested, "ann")
    assert [event.competitor_id for event in order(state, HaltRequested)] == ["bob", "cyd"], "ann knows"

    resumed = order(state, ResumeRequested)
    assert [(type(event), event.competitor_id) for event in resumed] == [
        (TradingResumed, "bob"), (TradingResumed, "cyd"),
    ]  # fmt: skip
    assert state.halted("ann", None)
    assert [event.competitor_id for event in order(state, ResumeRequested, "ann")] == ["ann"]
    assert not state.halted("ann", None)


def test_whoever_is_resumed_by_name_within_a_halted_arena_stays_halted() -> None:
    state = ControlState()
    order(state, HaltRequested)

    assert order(state, ResumeRequested, "ann") == []
    assert state.halted("ann", None)


@pytest.mark.parametrize(
    ("about", "closed"),
    [
        ((None, None), [("ann", BTC, "sell", 2), ("ann", ETH, "buy", 3), ("bob", BTC, "sell", 1)]),
        (("ann", None), [("ann", BTC, "sell", 2), ("ann", ETH, "buy", 3)]),
        ((None, BTC), [("ann", BTC, "sell", 2), ("bob", BTC, "sell", 1)]),
        (("cyd", None), []),
    ],
)
def test_flatten_closes_what_is_held_and_halts_nobody(about: Any, closed: Any) -> None:
    state = ControlState()
    events = order(state, FlattenRequested, *about)

    assert all(isinstance(event, LiquidationOrdered) for event in events)
    assert [(e.competitor_id, e.instrument, e.side, e.quantity) for e in events] == [
        (who, what, side, D(size)) for who, what, side, size in closed
    ]
    assert {(event.reason, event.effective_at) for event in events} <= {("operator", T0)}
    assert len({event.event_id for event in events}) == len(events)
    assert not state.halted("ann", BTC)


def test_resumptions_are_remembered_within_a_bound() -> None:
    state = ControlState()
    for n in range(10_005):
        state.fold(said(ResumeRequested, f"c{n}", n=n))

    assert len(state.resumes) == 10_000
    assert state.resumed_after("c10004", 10_004)
    assert not state.resumed_after("c10004", 10_005)
