"""Progress, bars and marks in Postgres; the lock by which one process leads a venue."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString

import psycopg
from contracts.market import BarClosed
from exchanges.updates import Bar
from psycopg.types.json import Jsonb

from market_data.core.market import MarkRow
from market_data.waiting import stopped_within

ASK_AGAIN_S = 0.5

_STAGING: tuple[LiteralString, ...] = (
    "create temp table if not exists bars_in (like bars) on commit delete rows",
    "create temp table if not exists marks_in (like marks) on commit delete rows",
)


@dataclass(frozen=True)
class Progress:
    """Where the feed stands once everything up to `through` was acknowledged."""

    season_id: str
    start: datetime
    through: datetime
    venue_state: str
    sequences: dict[str, int]
    opened: int
    closed: int
    market: dict[str, Any]


class Store:
    def __init__(self, db: psycopg.AsyncConnection[Any]) -> None:
        self._db = db
        self._days: set[date] = set()

    async def lead(self, venue: str, stopping: asyncio.Event, turned: Callable[[], None]) -> bool:
        """Wait until nobody else leads the venue; False where this process is to stop instead.

        The lock is the connection's: it ends with it, and without it nothing more can be saved.
        """
        while not stopping.is_set():
            cursor = await self._db.execute(
                "select pg_try_advisory_lock(hashtext('market-data'), hashtext(%s))", (venue,)
            )
            row = await cursor.fetchone()
            await self._db.commit()
            if row is not None and row[0]:
                return True
            turned()
            await stopped_within(stopping, ASK_AGAIN_S)
        return False

    async def progress(self, venue: str) -> Progress | None:
        cursor = await self._db.execute("select season_id, state from progress where venue = %s", (venue,))
        row = await cursor.fetchone()
        await self._db.commit()
        if row is None:
            return None
        season_id, state = row
        start, through = (datetime.fromisoformat(state.pop(name)) for name in ("start", "through"))
        return Progress(season_id, start, through, **state)

    async def bars(self, venue: str, begin: datetime, end: datetime) -> list[Bar]:
        """Minutes opened from `begin` up to `end`, in order within an instrument."""
        cursor = await self._db.execute(
            "select instrument, opened_at, open::text, high::text, low::text, close::text, volume::text,"
            " turnover::text, trades from bars where venue = %s and interval = '1m'"
            " and opened_at >= %s and opened_at < %s order by instrument, opened_at",
            (venue, begin, end),
        )
        rows = [Bar(*row) for row in await cursor.fetchall()]
        await self._db.commit()
        return rows

    async def save(self, venue: str, progress: Progress, bars: Sequence[BarClosed], marks: Sequence[MarkRow]) -> None:
        """One transaction: what the history has is what the progress says."""
        await self._ensure_days({bar.opened_at.date() for bar in bars} | {row.at.date() for row in marks})
        await self._copy_bars(bars)
        await self._copy_marks(venue, marks)
        await self._db.execute(
            "insert into progress (venue, season_id, state) values (%s, %s, %s) on conflict (venue)"
            " do update set season_id = excluded.season_id, state = excluded.state, saved_at = now()",
            (venue, progress.season_id, Jsonb(_state(progress))),
        )
        await self._db.commit()

    async def _ensure_days(self, days: set[date]) -> None:
        for day in sorted(days - self._days):
            await self._db.execute("select ensure_day(%s)", (day,))
            self._days.add(day)

    async def _copy_bars(self, bars: Sequence[BarClosed]) -> None:
        if not bars:
            return
        async with (
            self._db.cursor() as cursor,
            cursor.copy(
                "copy bars_in (venue, instrument, interval, opened_at, open, high, low, close, volume, turnover,"
                " trades) from stdin"
            ) as copy,
        ):
            for bar in bars:
                await copy.write_row((
                    bar.venue, bar.instrument, bar.interval, bar.opened_at, bar.open, bar.high, bar.low, bar.close,
                    bar.volume, bar.turnover, bar.trades,
                ))  # fmt: skip
        await self._db.execute("insert into bars select * from bars_in on conflict do nothing")

    async def _copy_marks(self, venue: str, marks: Sequence[MarkRow]) -> None:
        if not marks:
            return
        async with (
            self._db.cursor() as cursor,
            cursor.copy(
                "copy marks_in (venue, instrument, at, mark_price, index_price, last_price, funding_rate,"
                " next_funding_at, open_interest) from stdin"
            ) as copy,
        ):
            for at, instrument, mark in marks:
                await copy.write_row((venue, instrument, at, *mark))
        await self._db.execute("insert into marks select * from marks_in on conflict do nothing")


def _state(progress: Progress) -> dict[str, Any]:
    return {
        "start": progress.start.isoformat(),
        "through": progress.through.isoformat(),
        "venue_state": progress.venue_state,
        "sequences": progress.sequences,
        "opened": progress.opened,
        "closed": progress.closed,
        "market": progress.market,
    }


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Store]:
    async with await psycopg.AsyncConnection.connect(dsn) as db:
        for statement in _STAGING:
            await db.execute(statement)
        await db.commit()
        yield Store(db)
