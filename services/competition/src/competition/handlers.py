"""What the competition reads, what it keeps, who decides."""

from collections.abc import Sequence

from chassis.step import Connection, Out, Partition, Writing
from contracts.base import Event
from contracts.competition import Clock
from contracts.market import MarketSnapshot
from contracts.orders import DecisionJudged

from competition.core import Season, SeasonState, decide
from competition.store import SeasonRow

BARS = "market.bars.v1"


def topics(clock: Clock) -> list[str]:
    """Only a live round can end by time; its watermarks are read from the market topic with the fewest records."""
    return [MarketSnapshot.topic, DecisionJudged.topic, *([BARS] if clock == "live" else [])]


class SeasonStage:
    """All partitions change one state, so one process has them all (`app.single_writer`)."""

    def __init__(self, season_id: str) -> None:
        self._row = SeasonRow(season_id)
        self._state: SeasonState | None = None
        self._changed = False
        self.season: Season | None = None
        """Set before the loop begins."""

    async def load(self, db: Connection, partition: Partition) -> None:  # noqa: ARG002  # one state for all of them
        # What was loaded for the first partition is written through: another load would see no more.
        if self._state is None:
            self._state = await self._row.load(db)

    async def prepare(self, events: Sequence[Event]) -> None:
        """Nothing to wait for."""

    def decide(self, partition: Partition, event: Event) -> Sequence[Event | Out]:  # noqa: ARG002  # as above
        assert self._state is not None
        assert self.season is not None
        before = _progress(self._state)
        events = decide(self.season, self._state, event)
        self._changed = self._changed or bool(events) or before != _progress(self._state)
        return events

    async def save(self, out: Writing) -> None:
        if self._changed and self._state is not None:
            await self._row.save(await out.connection(), self._state)
        self._changed = False


def _progress(state: SeasonState) -> tuple[object, ...]:
    return state.last_opened, state.open and len(state.open.waiting), *state.early
