"""How fast arena time passes."""

from collections.abc import Callable
from datetime import datetime


class FactorPace:
    """A factor of real time; full speed with no factor, and up to `fast_until`."""

    def __init__(self, factor: float | None, fast_until: datetime, monotonic: Callable[[], float]) -> None:
        self._factor, self._fast_until, self._monotonic = factor, fast_until, monotonic
        self._anchor: tuple[datetime, float] | None = None

    def wait_s(self, through: datetime, at: datetime) -> float:
        """Seconds until `at` is due, `through` being where time stands."""
        if self._factor is None or at <= self._fast_until:
            return 0.0
        if self._anchor is None:
            self._anchor = max(through, self._fast_until), self._monotonic()
        began, wall = self._anchor
        return wall + (at - began).total_seconds() / self._factor - self._monotonic()

    def held(self) -> None:
        """Time stood still: it is not made up for."""
        self._anchor = None


class LivePace:
    """Arena time is wall-clock time."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def wait_s(self, through: datetime, at: datetime) -> float:  # noqa: ARG002  # one protocol for both
        return (at - self._now()).total_seconds()

    def held(self) -> None:
        """Nobody holds a live market."""
