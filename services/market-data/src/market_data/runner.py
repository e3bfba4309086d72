"""The feed from where it stands to its end: market time passes, rounds open, time holds until they are closed."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from contracts.market import BarClosed
from contracts.wire import Encoded, encode
from exchanges.updates import Step, Update
from exchanges.venue import Feed

from market_data.core.market import Market, MarkRow
from market_data.core.rounds import Holds, Opens, Rounds
from market_data.ingest import split, take, with_beats
from market_data.outbox import Outbox
from market_data.store import Progress
from market_data.waiting import stopped_within, unless_stopped

BATCH_RECORDS = 4_000
"""At full speed so many are published at once, unless a round opens or time holds before."""
SAVE_EVERY_S = 0.25
OVERRUN = timedelta(seconds=1)
"""Past the last hold, so that its orders meet a later moment."""
BEAT = timedelta(milliseconds=100)
TURN_S = 5.0


class Pace(Protocol):
    def wait_s(self, through: datetime, at: datetime) -> float: ...
    def held(self) -> None: ...


class Keeper(Protocol):
    """Where progress is kept: `store.Store`."""

    async def save(
        self, venue: str, progress: Progress, bars: Sequence[BarClosed], marks: Sequence[MarkRow]
    ) -> None: ...


class Closings(Protocol):
    """What is known of `rounds.v1`."""

    async def closed(self, round: int) -> int:
        """Wait until that round is closed; the latest closed one."""


def no_news(through: datetime) -> list[Update]:  # noqa: ARG001  # there is none, whenever
    """For a feed that has all its news in it."""
    return []


@dataclass(frozen=True)
class Plan:
    venue: str
    season_id: str
    start: datetime
    ends_at: datetime | None
    live: bool


class Runner:
    def __init__(
        self, plan: Plan, feed: Feed, market: Market, rounds: Rounds, outbox: Outbox, store: Keeper, pace: Pace,
        closings: Closings, stopping: asyncio.Event, *, through: datetime, turned: Callable[[], None],
        monotonic: Callable[[], float], news: Callable[[datetime], list[Update]] = no_news,
    ) -> None:  # fmt: skip
        self._plan, self._feed, self._market, self._rounds = plan, feed, market, rounds
        self._outbox, self._store, self._pace, self._closings = outbox, store, pace, closings
        self._stopping, self._turned, self._monotonic, self._news = stopping, turned, monotonic, news
        self.through = through
        """Everything at or before it has been taken in."""
        self._saved_at = -SAVE_EVERY_S
        self.holding = False

    async def run(self, listed: list[Encoded]) -> bool:
        """True at the feed's end, False where the process is asked to stop before."""
        self._outbox.put(listed)
        return await self._rounds_through(self.through) and await self._steps() and await self._finish()

    async def _steps(self) -> bool:
        steps = iter(self._paced())
        # A recording that resumes is replayed in silence before its first step.
        first = await asyncio.to_thread(next, steps, None)
        while first is not None:
            step, whole = first
            if self._is_over(step.at):
                return True
            if not (await self._wait_for(step.at) and await self._step(step)):
                return False
            if whole and self._monotonic() - self._saved_at >= SAVE_EVERY_S:
                await self._save()
            first = next(steps, None)
        return True

    def _paced(self) -> Iterator[tuple[Step, bool]]:
        if self._plan.live:
            return with_beats(self._feed, self.through, BEAT)
        return ((step, True) for step in self._feed)

    def _is_over(self, at: datetime) -> bool:
        """The feed's end has passed, and so has the end of the round that was open then."""
        if self._plan.ends_at is None or at <= self._plan.ends_at:
            return False
        return not self._rounds.opened or at > self._rounds.season.held_at(self._rounds.opened) + OVERRUN

    async def _wait_for(self, at: datetime) -> bool:
        """Publish what is there before waiting."""
        wait_s = self._pace.wait_s(self.through, at)
        if wait_s > 0 or len(self._outbox) >= BATCH_RECORDS:
            await self._flush()
            wait_s = self._pace.wait_s(self.through, at)
        while wait_s > 0:
            if await stopped_within(self._stopping, min(wait_s, TURN_S)):
                return False
            self._turned()
            wait_s = self._pace.wait_s(self.through, at)
        return not self._stopping.is_set()

    async def _step(self, step: Step) -> bool:
        """The step's updates, cut where a round opens or time holds."""
        news = self._news(step.at)
        updates = sorted([*news, *step.updates], key=lambda update: update.at) if news else step.updates
        while (stop := self._rounds.due()) is not None and stop.at < step.at:
            early, updates = split(updates, stop.at)
            self._pass(early, stop.at)
            if not await self._stop(stop):
                return False
        self._pass(updates, step.at)
        return await self._rounds_through(step.at)

    def _pass(self, updates: list[Update], through: datetime) -> None:
        take(self._market, updates)
        self._outbox.put(self._market.advance(through))
        self.through = max(self.through, through)

    async def _rounds_through(self, at: datetime) -> bool:
        while (stop := self._rounds.due()) is not None and stop.at <= at:
            if not await self._stop(stop):
                return False
        return True

    async def _stop(self, stop: Opens | Holds) -> bool:
        await self._flush()
        if isinstance(stop, Opens):
            await self._open(stop)
            return True
        return await self._hold(stop)

    async def _open(self, stop: Opens) -> None:
        season = self._rounds.season
        shown = self._market.snapshot(season.season_id, stop.round, stop.at, season.rules.instruments)
        self._outbox.put([encode(shown)])
        self._rounds.open(stop.round)
        await self._flush()

    async def _hold(self, stop: Holds) -> bool:
        self.holding = True
        closed = asyncio.ensure_future(self._closings.closed(stop.round))
        if not await unless_stopped(self._stopping, closed):
            return False
        self._rounds.close(closed.result())
        self._pace.held()
        self.holding = False
        return True

    async def _finish(self) -> bool:
        """Run out the round that is open: time goes on a little, without data, until its orders have met the market."""
        while isinstance(stop := self._rounds.due(), Holds):
            self._pass([], max(stop.at, self.through))
            if not await self._stop(stop):
                return False
        if self._rounds.opened:
            self._pass([], max(self.through, self._rounds.season.held_at(self._rounds.opened) + OVERRUN))
        await self._flush()
        await self._save()
        return True

    async def _flush(self) -> None:
        await self._outbox.flush(self.through, self._rounds.closed)
        self._turned()

    async def _save(self) -> None:
        """Only at the end of a step of the feed: there it can be taken up again."""
        await self._flush()
        progress = Progress(
            season_id=self._plan.season_id,
            start=self._plan.start,
            through=self.through,
            venue_state=self._feed.state().decode(),
            sequences=self._outbox.sequences,
            opened=self._rounds.opened,
            closed=self._rounds.closed,
            market=self._market.dump(),
        )
        await self._store.save(self._plan.venue, progress, *self._market.taken())
        self._saved_at = self._monotonic()
