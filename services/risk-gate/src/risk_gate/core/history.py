"""The last rounds of one competitor, in buckets of event time, so that it stays small whatever the cadence."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

HOUR = timedelta(hours=1)
BUCKETS = 60
"""Into which the longest window is cut: every window reaches back up to one of them too far."""
BUCKETS_MAX = 2 * BUCKETS
"""Resumptions begin buckets of their own."""


@dataclass(slots=True)
class Bucket:
    at: datetime
    last: datetime
    """The first and the latest opening in it."""
    high: Decimal | None = None
    """USD: the highest equity at a round's opening."""
    arena_high: Decimal | None = None
    """The same of all competitors together."""
    orders: int = 0
    rejected: int = 0
    stale: int = 0
    """Rejected for want of a fresh price; not among `rejected`."""


@dataclass(slots=True)
class History:
    buckets: list[Bucket] = field(default_factory=list)

    def open(self, at: datetime, longest: timedelta, *, apart: bool = False) -> Bucket:
        """The bucket of a round that opens then; `apart`: one of its own."""
        last = self.buckets[-1] if self.buckets else None
        if last is None or (at > last.at and (apart or at - last.at >= longest / BUCKETS)):
            kept = [each for each in self.buckets if at - each.last <= longest]
            last = Bucket(at, at)
            self.buckets = [*kept, last][-BUCKETS_MAX:]
        last.last = max(last.last, at)
        return last

    def since(self, at: datetime, cut: datetime | None = None) -> list[Bucket]:
        """Those of a window, less what lies before the cut."""
        return [each for each in self.buckets if each.last >= at and (cut is None or each.at >= cut)]


def highest(values: Iterable[Decimal | None]) -> Decimal | None:
    return max((each for each in values if each is not None), default=None)
