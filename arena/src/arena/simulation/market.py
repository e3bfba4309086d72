"""The synthetic venue with holes in it; where market-data keeps its progress."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from contracts.market import BarClosed
from exchanges.defects import Defects
from exchanges.synthetic import Synthetic
from exchanges.synthetic.feed import SyntheticFeed
from exchanges.synthetic.history import history
from exchanges.updates import Bar, Book, Mark, News, OnChain, Step, Trade, Update
from market_data.store import Progress

from arena.simulation.process import Process
from arena.simulation.season import INSTRUMENTS, Hole, Plan

HISTORY = timedelta(hours=4)
"""Enough for the three-minute averages; the four-hour ones stay cold."""

TRADES_MAX, LEVELS = 2, 8
PASTS = 8
"""Different pasts; seeds share them, for they are slow to make."""
MINUTE = timedelta(minutes=1)


class HoledVenue:
    name = "synthetic"
    starts_at: datetime | None = None

    def __init__(self, plan: Plan) -> None:
        self._plan, self.defects = plan, Defects()
        self._venue = Synthetic(plan.seed, step=timedelta(seconds=plan.step_s))

    def instruments(self, at: datetime) -> Sequence[Any]:
        return [each for each in self._venue.instruments(at) if each.instrument in INSTRUMENTS]

    def history(self, before: datetime) -> Iterable[Bar]:
        return [bar._replace(opened_at=before - MINUTE * ago) for bar, ago in _past(self._plan.seed % PASTS)]

    def feed(self, start: datetime, resume: bytes | None = None) -> "HoledFeed":
        return HoledFeed(self._venue.feed(start, resume), self._plan)


@lru_cache(maxsize=PASTS)
def _past(seed: int) -> list[tuple[Bar, int]]:
    """The bars before a season, each with how many minutes before it was opened."""
    end = datetime(2026, 1, 1, tzinfo=UTC)
    bars = history(seed, end, days=1)
    return [
        (bar, (end - bar.opened_at) // MINUTE)
        for bar in bars
        if bar.instrument in INSTRUMENTS and bar.opened_at >= end - HISTORY
    ]


class HoledFeed:
    def __init__(self, feed: SyntheticFeed, plan: Plan) -> None:
        self._feed, self._plan = feed, plan

    def __iter__(self) -> Iterator[Step]:
        for step in self._feed:
            holes = [hole for hole in self._plan.holes if hole.begins <= step.at < hole.ends]
            factor = self._plan.shock if step.at >= self._plan.shock_at else None
            there = [each for each in _thinned(step.updates) if _is_there(each, holes)]
            yield Step(step.at, there if factor is None else [_shocked(each, factor) for each in there])

    def state(self) -> bytes:
        return self._feed.state()


def _thinned(updates: Sequence[Update]) -> Iterator[Update]:
    """Of each instrument's trades of a step the first, of its book the best: enough to meet, quicker to write."""
    trades: Counter[str] = Counter()
    for update in updates:
        if isinstance(update, Book):
            update = update._replace(bids=update.bids[:LEVELS], asks=update.asks[:LEVELS])
        if isinstance(update, Trade):
            trades[update.instrument] += 1
            if trades[update.instrument] > TRADES_MAX:
                continue
        yield update


def _shocked(update: Update, factor: Decimal) -> Update:
    match update:
        case Book():
            sides = ([(_times(price, factor), size) for price, size in side] for side in (update.bids, update.asks))
            return update._replace(bids=next(sides), asks=next(sides))
        case Trade():
            return update._replace(price=_times(update.price, factor))
        case Mark():
            index, last = update.index_price, update.last_price
            return update._replace(
                mark_price=_times(update.mark_price, factor), index_price=index and _times(index, factor),
                last_price=last and _times(last, factor),
            )  # fmt: skip
    return update


def _times(price: str, factor: Decimal) -> str:
    """On the same tick."""
    before = Decimal(price)
    return str((before * factor).quantize(before))


def _is_there(update: Update, holes: Sequence[Hole]) -> bool:
    if isinstance(update, News | OnChain):
        return not holes
    return update.instrument in INSTRUMENTS and all(hole.instrument not in (None, update.instrument) for hole in holes)


class MarketStore:
    """Of one process; what is saved outlives it."""

    def __init__(self, process: Process, saved: dict[str, Any]) -> None:
        self._process, self._saved = process, saved

    async def lead(self, venue: str, stopping: asyncio.Event, turned: Callable[[], None]) -> bool:  # noqa: ARG002
        while (leader := self._saved.get("leader")) is not None and not leader.dead:
            await self._process.passes()
            await asyncio.sleep(0.5)
        self._saved["leader"] = self._process
        return True

    async def progress(self, venue: str) -> Progress | None:  # noqa: ARG002  # there is one
        await self._process.effect()
        written = self._saved.get("progress")
        if written is None:
            return None
        state = json.loads(written)
        start, through = (datetime.fromisoformat(state.pop(name)) for name in ("start", "through"))
        return Progress(start=start, through=through, **state)

    async def bars(self, venue: str, begin: datetime, end: datetime) -> list[Bar]:  # noqa: ARG002  # as above
        await self._process.effect()
        bars = [bar for key, bar in self._saved["bars"].items() if begin <= key[1] < end]
        return sorted(bars, key=lambda bar: (bar.instrument, bar.opened_at))

    async def save(self, venue: str, progress: Progress, bars: Sequence[BarClosed], marks: Sequence[Any]) -> None:  # noqa: ARG002
        """One transaction: what the history has is what the progress says."""
        await self._process.effect()
        for bar in bars:
            key = bar.instrument, bar.opened_at
            self._saved["bars"].setdefault(key, Bar(*key, *_texts(bar), bar.trades))
        state = {**vars(progress), "start": progress.start.isoformat(), "through": progress.through.isoformat()}
        self._saved["progress"] = json.dumps(state)
        await self._process.effect()


def _texts(bar: BarClosed) -> tuple[str, str, str, str, str, str]:
    return str(bar.open), str(bar.high), str(bar.low), str(bar.close), str(bar.volume), str(bar.turnover)
