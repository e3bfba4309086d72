"""The latest of each instrument, let out at the points of a time grid."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from contracts.types import EPOCH

T = TypeVar("T")


class Conflated(Generic[T]):
    def __init__(self, grid: timedelta) -> None:
        self._grid = grid
        self._waiting: dict[str, T] = {}
        self._point: datetime | None = None
        """Where those that wait are let out; an earlier point is always emptied before a later one fills."""

    def put(self, at: datetime, instrument: str, value: T) -> None:
        if self._point is None:
            self._point = EPOCH - (EPOCH - at) // self._grid * self._grid  # the first point at or after `at`
        self._waiting[instrument] = value

    def drop(self, instrument: str) -> None:
        """What waits of it is not let out."""
        self._waiting.pop(instrument, None)

    def is_due(self, through: datetime) -> bool:
        """Nothing at or before `through` can change what waits."""
        return self._point is not None and self._point <= through

    def let_out(self) -> Iterator[tuple[datetime, str, T]]:
        """(point, instrument, value), by instrument; afterwards nothing waits."""
        point, waiting = self._point, self._waiting
        self._point, self._waiting = None, {}
        for instrument in sorted(waiting):
            assert point is not None
            yield point, instrument, waiting[instrument]

    @property
    def waiting(self) -> tuple[datetime | None, dict[str, T]]:
        return self._point, self._waiting

    def restore(self, point: datetime | None, waiting: dict[str, T]) -> None:
        self._point, self._waiting = point, waiting
