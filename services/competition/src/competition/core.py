"""Opens a season's rounds and closes them. No clock, no network, no await: a round opens by its market snapshot,
closes by the last verdict, and, in a live season only, by a watermark once its grace period is over.

Verdicts come from several partitions in no fixed order: counts, the greatest time and the set of those still waited for
are the same whatever the order, and so are the events they cause.

A competition that was restored to an older point reads again what it had read before, all topics at once and so out of
turn: verdicts of a round that is not open yet are kept until it is. Only the latest such round counts, the earlier ones
are closed for everyone already.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from contracts.base import Event
from contracts.competition import DecisionRequested, PhaseChanged, RoundClosed, RoundOpened, SeasonChanged
from contracts.market import MarketSnapshot, TimeAdvanced
from contracts.orders import DecisionJudged

GRACE = timedelta(seconds=15)
"""Live: how long after its deadline a round waits for verdicts that are still on their way."""


@dataclass(slots=True)
class OpenRound:
    number: int
    event_id: UUID
    """Of its RoundOpened."""
    latest_at: datetime
    """The greatest time any of its events had."""
    waiting: list[str]
    """Competitors without a verdict, in the order of the registry."""
    answered: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    round: int
    competitor_id: str
    answered: bool
    at: datetime
    traceparent: str = ""


@dataclass(slots=True)
class SeasonState:
    """What outlives a restart."""

    last_opened: int = 0
    open: OpenRound | None = None
    finished: bool = False
    early: list[Verdict] = field(default_factory=list)
    """Of one round, which is still to be opened."""


@dataclass(frozen=True, slots=True)
class Season:
    changed: SeasonChanged
    competitors: tuple[str, ...]
    """Ids of the active ones, in the order of the registry."""


def decide(season: Season, state: SeasonState, event: Event) -> Sequence[Event]:
    """Change the state; return the events that `event` causes. What is of another season or round is passed over."""
    match event:
        case MarketSnapshot() if event.season_id == season.changed.season_id:
            return _on_snapshot(season, state, event)
        case DecisionJudged() if event.season_id == season.changed.season_id:
            return _on_verdict(season, state, event)
        case TimeAdvanced() if season.changed.clock == "live":
            return _on_time(season, state, event)
        case _:
            return ()


def _on_snapshot(season: Season, state: SeasonState, snapshot: MarketSnapshot) -> Sequence[Event]:
    changed = season.changed
    ended = changed.ends_at is not None and changed.opened_at(snapshot.round) >= changed.ends_at
    if snapshot.round <= state.last_opened or state.finished or ended:
        return ()
    # A live round whose grace period is longer than what is left of the cadence ends with the next one's opening.
    closing = _close(season, state, snapshot.at, snapshot.traceparent) if state.open else ()
    opened_at = changed.opened_at(snapshot.round)
    opened = RoundOpened(
        event_id=snapshot.child_id("opened"),
        at=opened_at,
        traceparent=snapshot.traceparent,
        season_id=snapshot.season_id,
        round=snapshot.round,
        deadline=changed.deadline(snapshot.round),
        snapshot_sha256=snapshot.sha256,
        competitors=season.competitors,
    )
    state.last_opened = snapshot.round
    state.open = OpenRound(snapshot.round, opened.event_id, opened_at, list(season.competitors))
    requests = [_request(season, snapshot, competitor) for competitor in season.competitors]
    ended_early = _early(season, state) if requests else _close(season, state, opened_at, "")
    return [*closing, opened, *requests, *ended_early]


def _early(season: Season, state: SeasonState) -> Sequence[Event]:
    """What was judged of the round before its opening was read."""
    early = [verdict for verdict in state.early if verdict.round == state.last_opened]
    state.early = [verdict for verdict in state.early if verdict.round > state.last_opened]
    return [event for verdict in early for event in _judged(season, state, verdict)]


def _request(season: Season, snapshot: MarketSnapshot, competitor: str) -> DecisionRequested:
    """Without a trace context: each request begins a trace of its own."""
    changed = season.changed
    opened_at, deadline = changed.opened_at(snapshot.round), changed.deadline(snapshot.round)
    return DecisionRequested(
        event_id=snapshot.child_id(f"request/{competitor}"),
        at=opened_at,
        season_id=snapshot.season_id,
        competitor_id=competitor,
        round=snapshot.round,
        deadline=deadline,
        effective_at=deadline if changed.rules.execution == "deadline" else opened_at,
        snapshot_id=str(snapshot.event_id),
        snapshot_sha256=snapshot.sha256,
    )


def _on_verdict(season: Season, state: SeasonState, event: DecisionJudged) -> Sequence[Event]:
    verdict = Verdict(event.round, event.competitor_id, event.answered, event.at, event.traceparent)
    if verdict.round <= state.last_opened:
        return _judged(season, state, verdict)
    if verdict.competitor_id in season.competitors and verdict not in state.early:
        latest = max([verdict.round, *(known.round for known in state.early)])
        state.early = [known for known in [*state.early, verdict] if known.round == latest]
    return ()


def _judged(season: Season, state: SeasonState, verdict: Verdict) -> Sequence[Event]:
    current = state.open
    if current is None or verdict.round != current.number or verdict.competitor_id not in current.waiting:
        return ()
    current.waiting.remove(verdict.competitor_id)
    current.answered += verdict.answered
    current.missed += not verdict.answered
    current.latest_at = max(current.latest_at, verdict.at)
    return () if current.waiting else _close(season, state, current.latest_at, verdict.traceparent)


def _on_time(season: Season, state: SeasonState, watermark: TimeAdvanced) -> Sequence[Event]:
    if state.open is None or watermark.at <= season.changed.deadline(state.open.number) + GRACE:
        return ()
    return _close(season, state, watermark.at, "")


def _close(season: Season, state: SeasonState, at: datetime, traceparent: str) -> Sequence[Event]:
    current = state.open
    assert current is not None
    state.open = None
    closed = RoundClosed(
        event_id=uuid5(current.event_id, "closed"),
        at=max(at, current.latest_at),
        traceparent=traceparent,
        season_id=season.changed.season_id,
        round=current.number,
        answered=current.answered,
        missed=current.missed,
        judged=current.answered + current.missed,
        unanswered=tuple(current.waiting),
    )
    return [closed, *_finish(season, state, closed)]


def _finish(season: Season, state: SeasonState, closed: RoundClosed) -> Sequence[Event]:
    ends_at = season.changed.ends_at
    if ends_at is None or season.changed.opened_at(closed.round + 1) < ends_at:
        return ()
    state.finished = True
    return [
        PhaseChanged(
            event_id=closed.child_id("finished"), at=closed.at, season_id=closed.season_id, phase="finished"
        )
    ]  # fmt: skip
