"""A round as it stands: opened, and after that closed."""

from contracts.base import Model
from contracts.competition import RoundClosed, RoundOpened
from contracts.types import CompetitorId, Count, Round, SeasonId, Sha256, Time

RoundFact = RoundOpened | RoundClosed


class RoundView(Model):
    """The fields of the round's latest event, and what the earlier one said."""

    type: str
    season_id: SeasonId
    round: Round
    at: Time
    opened_at: Time | None = None
    deadline: Time | None = None
    snapshot_sha256: Sha256 | None = None
    competitors: tuple[CompetitorId, ...] = ()
    closed_at: Time | None = None
    answered: Count | None = None
    missed: Count | None = None
    judged: Count | None = None
    unanswered: tuple[CompetitorId, ...] = ()


def view(opened: RoundOpened | None, closed: RoundClosed | None) -> RoundView:
    """At least one of the two."""
    latest = closed or opened
    if latest is None:
        raise ValueError("a round has at least one event")
    return RoundView(
        type=latest.type,
        season_id=latest.season_id,
        round=latest.round,
        at=latest.at,
        opened_at=opened.at if opened else None,
        deadline=opened.deadline if opened else None,
        snapshot_sha256=opened.snapshot_sha256 if opened else None,
        competitors=opened.competitors if opened else (),
        closed_at=closed.at if closed else None,
        answered=closed.answered if closed else None,
        missed=closed.missed if closed else None,
        judged=closed.judged if closed else None,
        unanswered=closed.unanswered if closed else (),
    )


class Rounds:
    """The latest round of each season."""

    def __init__(self) -> None:
        self._opened: dict[SeasonId, RoundOpened] = {}

    def add(self, event: RoundFact) -> RoundView:
        if isinstance(event, RoundOpened):
            self._opened[event.season_id] = event
            return view(event, None)
        opened = self._opened.get(event.season_id)
        return view(opened if opened and opened.round == event.round else None, event)
