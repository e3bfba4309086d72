"""When a round opens and where market time stands still: a pure function of the season and what was closed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.competition import SeasonChanged

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Opens:
    """All events at or before `at` are out: the round's snapshot follows."""

    round: int
    at: datetime


@dataclass(frozen=True)
class Holds:
    """Nothing after `at` may come out before the round is closed."""

    round: int
    at: datetime


class Rounds:
    def __init__(
        self, season: SeasonChanged, begins_at: datetime, *, opened: int = 0, closed: int = 0, ends_at: datetime | None
    ) -> None:
        self.season, self._begins_at, self._ends_at = season, begins_at, ends_at
        """No round opens at or after `ends_at`."""
        self.opened, self.closed = opened, closed

    @property
    def holding(self) -> bool:
        """Lockstep: the round under way has still to be waited for."""
        return self.season.clock == "lockstep" and self.opened > self.closed

    def due(self) -> Opens | Holds | None:
        """What comes next; None when no round is left."""
        if self.holding:
            return Holds(self.opened, self.season.held_at(self.opened))
        number = self._next()
        if number is None:
            return None
        at = self.season.opened_at(number)
        return None if self._ends_at is not None and at >= self._ends_at else Opens(number, at)

    def _next(self) -> int | None:
        after = self.season.opened_at(self.opened) if self.opened else self._begins_at - _INSTANT
        return self.season.round_opening_after(after)

    def open(self, number: int) -> None:
        self.opened = number

    def close(self, number: int) -> None:
        self.closed = max(self.closed, number)
