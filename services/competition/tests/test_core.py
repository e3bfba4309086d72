from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain, permutations
from typing import Literal
from uuid import UUID

import pytest
from competition.core import Season, SeasonState, decide
from contracts.base import Event
from contracts.competition import (
    Clock,
    DecisionRequested,
    Execution,
    PhaseChanged,
    RoundClosed,
    RoundOpened,
    SeasonChanged,
    SeasonRules,
)
from contracts.market import MarketSnapshot, TimeAdvanced
from contracts.orders import DecisionJudged, TradingHalted

START = datetime(2026, 1, 1, tzinfo=UTC)
SHA = "ab" * 32


def season(
    *,
    clock: Clock = "lockstep",
    execution: Execution = "deadline",
    ends_at: datetime | None = None,
    cadence_s: int = 180,
) -> Season:
    rules = SeasonRules(
        instruments=("BTC-USDT-PERP",),
        capital=Decimal(10_000),
        cadence_s=cadence_s,
        deadline_s=30,
        execution=execution,
        leverage_max=Decimal(10),
        order_notional_max=Decimal(20_000),
        position_notional_max=Decimal(30_000),
        price_band=Decimal("0.02"),
    )
    changed = SeasonChanged(
        event_id=UUID(int=1),
        at=START,
        season_id="s1",
        name="S1",
        venue="synthetic",
        clock=clock,
        starts_at=START,
        ends_at=ends_at,
        rules=rules,
        rules_sha256=SHA,
    )
    return Season(changed, ("ann", "bob", "cid"))


def snapshot(number: int, *, season_id: str = "s1") -> MarketSnapshot:
    return MarketSnapshot(
        event_id=UUID(int=1000 + number),
        at=START + timedelta(seconds=180 * (number - 1)),
        season_id=season_id,
        round=number,
        venue="synthetic",
        instruments=(),
        sha256=SHA,
    )


def judged(competitor: str, number: int = 1, *, answered: bool = True, seconds: int = 30) -> DecisionJudged:
    return DecisionJudged(
        event_id=UUID(int=len(competitor) + number),
        at=START + timedelta(seconds=180 * (number - 1) + seconds),
        season_id="s1",
        competitor_id=competitor,
        round=number,
        answered=answered,
        approved=0,
        rejected=0,
        held=1,
    )


def watermark(seconds: int) -> TimeAdvanced:
    return TimeAdvanced(event_id=UUID(int=9), at=START + timedelta(seconds=seconds), partition=0)


def events(of: Season, inputs: list[Event], state: SeasonState | None = None) -> list[Event]:
    state = state if state is not None else SeasonState()
    return [out for event in inputs for out in decide(of, state, event)]


def test_a_snapshot_opens_its_round_and_asks_every_competitor_for_a_decision() -> None:
    opened, *requests = events(season(), [snapshot(2)])

    assert isinstance(opened, RoundOpened)
    assert (opened.round, opened.competitors) == (2, ("ann", "bob", "cid"))
    assert opened.at == START + timedelta(seconds=180)
    assert opened.deadline == START + timedelta(seconds=210)
    assert [r.competitor_id for r in requests if isinstance(r, DecisionRequested)] == ["ann", "bob", "cid"]
    first = requests[0]
    assert isinstance(first, DecisionRequested)
    assert (first.at, first.deadline, first.effective_at) == (opened.at, opened.deadline, opened.deadline)
    assert (first.snapshot_id, first.snapshot_sha256) == (str(snapshot(2).event_id), SHA)
    assert len({request.event_id for request in requests}) == 3


def test_each_request_begins_its_own_trace() -> None:
    traced = snapshot(1).model_copy(update={"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"})

    opened, *requests = events(season(), [traced])

    assert opened.traceparent == traced.traceparent
    assert [request.traceparent for request in requests] == ["", "", ""]


def test_orders_as_decided_reach_the_venue_from_the_opening_on() -> None:
    _, request, *_ = events(season(execution="as_decided"), [snapshot(1)])

    assert isinstance(request, DecisionRequested)
    assert request.effective_at == START


def test_the_last_verdict_closes_the_round_and_counts_answers_and_misses() -> None:
    inputs = [snapshot(1), judged("ann"), judged("bob", answered=False, seconds=31), judged("cid")]

    closed = events(season(), inputs)[-1]

    assert isinstance(closed, RoundClosed)
    assert (closed.answered, closed.missed, closed.judged, closed.unanswered) == (2, 1, 3, ())
    assert closed.at == START + timedelta(seconds=31)


def test_nothing_closes_while_one_verdict_is_outstanding() -> None:
    outs = events(season(), [snapshot(1), judged("ann"), judged("bob"), judged("bob")])

    assert not [out for out in outs if isinstance(out, RoundClosed)]


def test_verdicts_close_the_round_alike_in_any_order() -> None:
    verdicts = [judged("ann", seconds=30), judged("bob", seconds=32, answered=False), judged("cid", seconds=31)]

    closings = {events(season(), [snapshot(1), *order])[-1].model_dump_json() for order in permutations(verdicts)}

    assert len(closings) == 1


def test_a_restored_competition_that_reads_out_of_turn_closes_the_last_round_as_well() -> None:
    """The topics hold rounds 1 and 2, judged by all; the three partitions are read in any order."""
    snapshots: list[Event] = [snapshot(1), snapshot(2)]
    ann: list[Event] = [judged("ann", 1), judged("ann", 2)]
    others: list[Event] = [
        judged("bob", 1),
        judged("cid", 1),
        judged("bob", 2, answered=False, seconds=31),
        judged("cid", 2),
    ]
    for order in permutations([snapshots, ann, others]):
        closed = [event for event in events(season(), [*chain(*order)]) if isinstance(event, RoundClosed)]

        assert [(event.round, event.unanswered) for event in closed if event.round == 2] == [(2, ())], order
        assert (closed[-1].answered, closed[-1].missed) == (2, 1)
        assert closed[-1].at == START + timedelta(seconds=180 + 31)


def test_the_next_round_opens_after_the_last_one_closed() -> None:
    inputs = [snapshot(1), judged("ann"), judged("bob"), judged("cid"), snapshot(2)]

    kinds = [type(out).__name__ for out in events(season(), inputs)]

    assert kinds == [
        "RoundOpened",
        *["DecisionRequested"] * 3,
        "RoundClosed",
        "RoundOpened",
        *["DecisionRequested"] * 3,
    ]


@pytest.mark.parametrize("stray", [judged("ann", 7), judged("eve"), snapshot(1), snapshot(1, season_id="other")])
def test_what_is_of_another_round_season_or_competitor_changes_nothing(stray: Event) -> None:
    inputs = [snapshot(1), stray, judged("ann"), judged("bob"), judged("cid")]

    assert events(season(), inputs) == events(season(), [snapshot(1), judged("ann"), judged("bob"), judged("cid")])


def test_a_halt_in_the_verdicts_topic_is_no_verdict() -> None:
    halt = TradingHalted(event_id=UUID(int=5), at=START, season_id="s1", competitor_id="ann", reason="x")

    assert events(season(), [halt]) == []


def test_a_live_round_closes_once_its_grace_is_over_and_names_who_is_missing() -> None:
    inputs = [snapshot(1), judged("bob"), watermark(45), watermark(46)]

    closed = events(season(clock="live"), inputs)[-1]

    assert isinstance(closed, RoundClosed)
    assert (closed.judged, closed.unanswered) == (1, ("ann", "cid"))
    assert closed.at == START + timedelta(seconds=46)


def test_a_live_round_is_still_open_at_the_last_moment_of_its_grace() -> None:
    assert len(events(season(clock="live"), [snapshot(1), watermark(45)])) == 4


def test_a_lockstep_round_never_closes_by_time() -> None:
    assert len(events(season(), [snapshot(1), watermark(10_000)])) == 4


def test_a_live_round_still_open_at_the_next_ones_opening_closes_then() -> None:
    outs = events(season(clock="live", cadence_s=40), [snapshot(1), snapshot(2)])

    assert [type(out).__name__ for out in outs[3:6]] == ["DecisionRequested", "RoundClosed", "RoundOpened"]


def test_a_verdict_after_the_grace_does_not_count() -> None:
    state = SeasonState()
    events(season(clock="live"), [snapshot(1), watermark(46)], state)

    assert events(season(clock="live"), [judged("ann")], state) == []


@pytest.mark.parametrize(("ends_after_s", "finished"), [(180, True), (181, False)])
def test_the_season_is_finished_by_its_last_rounds_close(ends_after_s: int, finished: Literal[True, False]) -> None:
    of = season(ends_at=START + timedelta(seconds=ends_after_s))
    state = SeasonState()

    last = events(of, [snapshot(1), judged("ann"), judged("bob"), judged("cid")], state)[-1]

    assert isinstance(last, PhaseChanged) == finished
    assert state.finished == finished
    assert (events(of, [snapshot(2)], state) == []) == finished


def test_a_season_without_active_competitors_closes_its_rounds_at_once() -> None:
    outs = events(Season(season().changed, ()), [snapshot(1)])

    assert [type(out).__name__ for out in outs] == ["RoundOpened", "RoundClosed"]
