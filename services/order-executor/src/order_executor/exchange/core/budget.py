"""How many requests may still go out. The last part of it is kept for getting out: cancels, and questions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["place", "cancel", "query"]
SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class Budget:
    """A bucket that fills at `per_second` up to `size`."""

    size: float
    per_second: float
    kept: float
    """No order is placed with less than this left."""
    left: float = field(init=False)
    closed_until: datetime | None = None
    """The venue asked for silence until then: nothing goes out, of any kind."""
    _at: datetime | None = None

    def __post_init__(self) -> None:
        self.left = self.size

    def wait(self, kind: Kind, at: datetime) -> timedelta:
        """Zero: one request was taken out, make it. Else: ask again after that."""
        self._fill(at)
        if self.closed_until is not None and at < self.closed_until:
            return self.closed_until - at
        floor = self.kept if kind == "place" else 0.0
        if self.left - 1 >= floor:
            self.left -= 1
            return timedelta(0)
        return SECOND * ((floor + 1 - self.left) / self.per_second)

    def throttled(self, at: datetime, retry_after: timedelta) -> None:
        """The longest silence asked for counts."""
        until = at + retry_after
        self.closed_until = until if self.closed_until is None else max(self.closed_until, until)
        self.left = 0.0

    def _fill(self, at: datetime) -> None:
        if self._at is not None and at > self._at:
            self.left = min(self.size, self.left + (at - self._at) / SECOND * self.per_second)
        if self._at is None or at > self._at:
            self._at = at
