"""What it reads: the season and the closing of its rounds, as `competition` tells them. `outbox.py` is what it says."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from chassis.latest import LatestValues
from contracts.base import Event
from contracts.competition import RoundClosed, SeasonChanged

WAIT_S = 5.0
T = TypeVar("T")


class Seasons:
    """The latest value of every season."""

    def __init__(self, kafka: str, wanted: str | None) -> None:
        self._wanted = wanted
        self.reader: LatestValues[Event] = LatestValues(kafka, SeasonChanged.topic, keep=_is_season)

    def current(self) -> SeasonChanged | None:
        seasons = [
            season
            for season in self.reader.values()
            if isinstance(season, SeasonChanged) and self._wanted in (None, season.season_id)
        ]
        return max(seasons, key=lambda season: season.starts_at, default=None)


def _is_season(event: Event) -> bool:
    return isinstance(event, SeasonChanged)


class RoundClosings:
    """The latest closed round of one season."""

    def __init__(self, kafka: str, season_id: str, turned: Callable[[], None]) -> None:
        self._season_id, self._turned = season_id, turned
        self.latest = 0
        self.reader: LatestValues[Event] = LatestValues(kafka, RoundClosed.topic, on_event=self._see)

    def _see(self, event: Event) -> None:
        if isinstance(event, RoundClosed) and event.season_id == self._season_id:
            self.latest = max(self.latest, event.round)

    async def closed(self, round: int) -> int:
        return await until(self.reader, lambda: self.latest if self.latest >= round else None, self._turned)


async def until(reader: LatestValues[Event], predicate: Callable[[], T | None], turned: Callable[[], None]) -> T:
    """However long it takes; a reader that fails ends it."""
    while True:
        try:
            return await reader.wait(predicate, WAIT_S)
        except TimeoutError:
            turned()
            await asyncio.sleep(0)
