"""Entries against what the market did afterwards: hits, rank correlation, calibration. docs/reference/evaluation.md"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from contracts.evaluation import CalibrationBin, HorizonScore

from pnl_tracker.core.money import WIDE, ZERO, mean, quotient

RANKED_FROM = 10
"""A rank correlation of fewer entries says nothing."""
BINS = 5
ONE = Decimal(1)


class Entry(NamedTuple):
    """A part of a decision that wants to enter."""

    competitor_id: str
    round: int
    instrument: str
    direction: int
    """1 buys, -1 sells."""
    confidence: Decimal | None
    risk_usd: Decimal | None
    take_profit: Decimal | None
    stop_loss: Decimal | None


class Scored(NamedTuple):
    entry: Entry
    gained: Decimal
    """The instrument's return in the entry's direction, before costs."""

    @property
    def hit(self) -> bool:
        return self.gained > 0


@dataclass
class Marks:
    """The mark price of each instrument at each round's opening: what every competitor was shown."""

    opened: Mapping[int, datetime]
    prices: Mapping[tuple[int, str], Decimal]

    def __post_init__(self) -> None:
        self._rounds = sorted(self.opened)
        self._times = [self.opened[number] for number in self._rounds]

    def after(self, number: int, horizon: timedelta) -> int | None:
        """The first round opened at or after the horizon, none where that is later by more than half of it."""
        due = self.opened[number] + horizon
        index = bisect_left(self._times, due)
        if index == len(self._times) or self._times[index] > due + horizon / 2:
            return None
        return self._rounds[index]


def scored(entries: Iterable[Entry], marks: Marks, horizon: timedelta) -> list[Scored]:
    """Those whose time has come; entries and ends without a mark are none."""
    found = []
    for entry in entries:
        later = marks.after(entry.round, horizon) if entry.round in marks.opened else None
        before = marks.prices.get((entry.round, entry.instrument))
        after = None if later is None else marks.prices.get((later, entry.instrument))
        if before is not None and after is not None:
            found.append(Scored(entry, entry.direction * (quotient(after, before) - 1)))
    return found


def horizon_score(horizon: timedelta, found: Sequence[Scored]) -> HorizonScore:
    return HorizonScore(
        horizon_s=int(horizon.total_seconds()),
        scored=len(found),
        hit_rate=_share(found),
        mean_return=mean([each.gained for each in found]),
        information_coefficient=_information_coefficient(found),
    )


def brier(found: Sequence[Scored]) -> Decimal | None:
    """Mean of (confidence - hit)^2."""
    return mean([(confidence - each.hit) ** 2 for each, confidence in _confident(found)])


def calibration(found: Sequence[Scored]) -> tuple[CalibrationBin, ...]:
    """Fifths of the confidence; empty without one that is stated."""
    confident = _confident(found)
    if not confident:
        return ()
    return tuple(_bin(Decimal(n) / BINS, Decimal(n + 1) / BINS, confident) for n in range(BINS))


def calibration_error(bins: Sequence[CalibrationBin]) -> Decimal | None:
    """sum(scored * |mean confidence - hit rate|) / sum(scored)."""
    count = sum(each.scored for each in bins)
    off = sum(
        (
            each.scored * abs(each.mean_confidence - each.hit_rate)
            for each in bins
            if each.mean_confidence is not None and each.hit_rate is not None
        ),
        ZERO,
    )
    return quotient(off, Decimal(count)) if count else None


def _bin(above: Decimal, through: Decimal, confident: Sequence[tuple[Scored, Decimal]]) -> CalibrationBin:
    inside = [(each, c) for each, c in confident if above < c <= through or (c == 0 and above == 0)]
    return CalibrationBin(
        above=above,
        through=through,
        scored=len(inside),
        mean_confidence=mean([confidence for _, confidence in inside]),
        hit_rate=_share([each for each, _ in inside]),
    )


def _confident(found: Iterable[Scored]) -> list[tuple[Scored, Decimal]]:
    return [(each, each.entry.confidence) for each in found if each.entry.confidence is not None]


def _information_coefficient(found: Sequence[Scored]) -> Decimal | None:
    """Spearman's: Pearson's of the ranks. Said is direction * confidence, 1 where none is stated."""
    if len(found) < RANKED_FROM:
        return None
    said = [each.entry.direction * (ONE if each.entry.confidence is None else each.entry.confidence) for each in found]
    moved = [each.entry.direction * each.gained for each in found]
    return _correlation(_ranks(said), _ranks(moved))


def _ranks(values: Sequence[Decimal]) -> list[Decimal]:
    """From 1; equals share the mean of their ranks."""
    order = sorted(values)
    first: dict[Decimal, int] = {}
    last: dict[Decimal, int] = {}
    for rank, value in enumerate(order, start=1):
        first.setdefault(value, rank)
        last[value] = rank
    return [Decimal(first[value] + last[value]) / 2 for value in values]


def _correlation(xs: Sequence[Decimal], ys: Sequence[Decimal]) -> Decimal | None:
    """None where one of them never varies."""
    count = Decimal(len(xs))
    mean_x, mean_y = WIDE.divide(sum(xs, ZERO), count), WIDE.divide(sum(ys, ZERO), count)
    both = sum(((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)), ZERO)
    spread = sum(((x - mean_x) ** 2 for x in xs), ZERO) * sum(((y - mean_y) ** 2 for y in ys), ZERO)
    return quotient(both, WIDE.sqrt(spread)) if spread > 0 else None


def _share(found: Sequence[Scored]) -> Decimal | None:
    return mean([Decimal(each.hit) for each in found])
