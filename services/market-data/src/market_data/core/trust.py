"""May an instrument be traded on what the feed says of it? Bounds of proportion, not money: floats will do.

- silent: live, no book came for `silent_after`.
- gap: the feed lost part of the book; the next book is whole again.
- crossed: the best bid is at or above the best ask.
- absurd: a price or size that is no number above zero, a spread beyond SPREAD_MAX of the middle, or a price beyond
  JUMP_MAX of the last good one. A market that really moved so far stays there: after JUMP_CONFIRMED it is believed.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Literal

from market_data.core.records import Levels

Suspension = Literal["silent", "gap", "crossed", "absurd"]

SPREAD_MAX = 0.05
JUMP_MAX = 0.2
JUMP_CONFIRMED = timedelta(seconds=5)


@dataclass
class Steady:
    """One price that does not jump."""

    good: float | None = None
    jumped_to: float | None = None
    jumped_at: datetime | None = None

    def believes(self, at: datetime, price: float) -> bool:
        if self.good is None or _near(price, self.good):
            return self._settle(price)
        if self.jumped_to is None or self.jumped_at is None or not _near(price, self.jumped_to):
            self.jumped_to, self.jumped_at = price, at
        return at - self.jumped_at >= JUMP_CONFIRMED and self._settle(price)

    def _settle(self, price: float) -> bool:
        self.good, self.jumped_to, self.jumped_at = price, None, None
        return True

    def dump(self) -> list[Any]:
        return [self.good, self.jumped_to, self.jumped_at and self.jumped_at.isoformat()]

    @classmethod
    def loaded(cls, dumped: list[Any]) -> "Steady":
        good, jumped_to, jumped_at = dumped
        return cls(good, jumped_to, jumped_at and datetime.fromisoformat(jumped_at))


@dataclass
class Trust:
    """Of one instrument. Its book and its mark may each be what is wrong."""

    book: Suspension | None = None
    mark: Suspension | None = None
    heard_at: datetime | None = None
    """The last book, good or not; None before the first."""
    _middle: Steady = field(default_factory=Steady)
    _mark: Steady = field(default_factory=Steady)

    @property
    def suspended(self) -> Suspension | None:
        return self.book or self.mark

    def see_book(self, at: datetime, bids: Levels, asks: Levels) -> bool:
        """Whether it may be shown; a side without levels is no fault."""
        self.heard_at = at
        self.book = self._fault(at, bids, asks)
        return self.book is None

    def see_mark(self, at: datetime, price: str) -> bool:
        self.mark = None if _is_price(price) and self._mark.believes(at, float(price)) else "absurd"
        return self.mark is None

    def see_gap(self) -> None:
        self.book = "gap"

    def see_time(self, through: datetime, silent_after: timedelta) -> None:
        if self.book is None and self.heard_at is not None and through - self.heard_at > silent_after:
            self.book = "silent"

    def _fault(self, at: datetime, bids: Levels, asks: Levels) -> Suspension | None:
        if not all(_is_price(price) and _is_price(size) for price, size in (*bids[:1], *asks[:1])):
            return "absurd"
        if not bids or not asks:
            return None
        bid, ask = float(bids[0][0]), float(asks[0][0])
        if bid >= ask:
            return "crossed"
        middle = (bid + ask) / 2
        is_sound = ask - bid <= SPREAD_MAX * middle and self._middle.believes(at, middle)
        return None if is_sound else "absurd"

    def dump(self) -> list[Any]:
        heard_at = self.heard_at and self.heard_at.isoformat()
        return [self.book, self.mark, heard_at, self._middle.dump(), self._mark.dump()]

    @classmethod
    def loaded(cls, dumped: list[Any]) -> "Trust":
        book, mark, heard_at, middle, marked = dumped
        at = heard_at and datetime.fromisoformat(heard_at)
        return cls(book, mark, at, Steady.loaded(middle), Steady.loaded(marked))


def _near(price: float, other: float) -> bool:
    return abs(price - other) <= JUMP_MAX * other


def _is_price(written: str) -> bool:
    try:
        number = float(written)
    except ValueError:
        return False
    return isfinite(number) and number > 0
