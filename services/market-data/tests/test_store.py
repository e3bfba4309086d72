"""Progress and history on PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from contracts.base import named_id
from contracts.market import BarClosed
from exchanges.updates import Bar
from market_data.core.market import MarkRow
from market_data.core.records import Marked
from market_data.store import Progress, Store, opened

T0 = datetime(2026, 1, 1, 23, 59, tzinfo=UTC)
BTC = "BTC-USDT-PERP"


def progress(through: datetime) -> Progress:
    return Progress("one", T0, through, '{"n":1}', {"market.quotes.v1/0": 7}, 3, 2, {"instruments": {}})


def bar(venue: str, minute: int) -> BarClosed:
    opened_at = T0 + timedelta(minutes=minute)
    return BarClosed(
        event_id=named_id(minute), at=opened_at + timedelta(minutes=1), instrument=BTC, venue=venue, interval="1m",
        opened_at=opened_at, open=Decimal("100.10"), high=Decimal(102), low=Decimal("0.00001"), close=Decimal(101),
        volume=Decimal("1.500"), turnover=Decimal("150.15"), trades=3,
    )  # fmt: skip


def mark(second: int) -> MarkRow:
    return MarkRow(T0 + timedelta(seconds=second), BTC, Marked("100.05", None, "100.1", "-0.0001", T0, None))


@pytest.fixture
async def dsn(service_dsn: Callable[[str], Awaitable[str]]) -> str:
    return await service_dsn("market-data")


async def rows(dsn: str, query: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(dsn) as db:
        return await (await db.execute(query)).fetchall()


async def test_progress_is_read_back_as_it_was_saved(dsn: str) -> None:
    async with opened(dsn) as store:
        assert await store.progress("venue-a") is None
        await store.save("venue-a", progress(T0), [], [])
        later = replace(progress(T0 + timedelta(hours=1)), closed=3)
        await store.save("venue-a", later, [], [])

        assert await store.progress("venue-a") == later


async def test_bars_and_marks_are_copied_into_the_partitions_of_their_days(dsn: str) -> None:
    async with opened(dsn) as store:
        await store.save("venue-b", progress(T0), [bar("venue-b", n) for n in range(3)], [mark(0), mark(120)])

        days = "select tableoid::regclass::text, count(*) from bars where venue = 'venue-b' group by 1 order by 1"
        marks = "select at, mark_price, index_price, funding_rate from marks where venue = 'venue-b' order by at"
        known = Decimal("100.05"), None, Decimal("-0.0001")
        # T0 is the last minute of a day: the two bars after it are of the next
        assert await rows(dsn, days) == [("bars_20260101", 1), ("bars_20260102", 2)]
        assert await rows(dsn, marks) == [(T0, *known), (T0 + timedelta(seconds=120), *known)]
        assert await store.bars("venue-b", T0, T0 + timedelta(minutes=2)) == [
            Bar(BTC, T0 + timedelta(minutes=n), "100.10", "102", "0.00001", "101", "1.500", "150.15", 3) for n in (0, 1)
        ]


async def test_what_is_saved_again_is_there_once(dsn: str) -> None:
    async with opened(dsn) as store:
        for _ in range(2):
            await store.save("venue-c", progress(T0), [bar("venue-c", 0)], [mark(0)])

    assert await rows(dsn, "select count(*) from bars where venue = 'venue-c'") == [(1,)]


async def test_a_save_that_fails_leaves_neither_rows_nor_progress(dsn: str) -> None:
    bad = [MarkRow(T0, BTC, Marked("no number", None, None, None, None, None))]
    with pytest.raises(psycopg.DataError):
        async with opened(dsn) as store:
            await store.save("venue-d", progress(T0), [bar("venue-d", 0)], bad)

    assert await rows(dsn, "select count(*) from bars where venue = 'venue-d'") == [(0,)]
    async with opened(dsn) as store:
        assert await store.progress("venue-d") is None


async def lead(store: Store, venue: str, stopping: asyncio.Event) -> bool:
    return await store.lead(venue, stopping, lambda: None)


async def test_one_process_leads_a_venue_and_the_next_follows_when_it_is_gone(dsn: str) -> None:
    stopping = asyncio.Event()
    async with opened(dsn) as second:
        async with opened(dsn) as first:
            assert await lead(first, "venue-e", stopping)
            assert await lead(second, "venue-f", stopping)
            waiting = asyncio.create_task(lead(second, "venue-e", stopping))
            done, _ = await asyncio.wait([waiting], timeout=0.2)
            assert not done
        assert await waiting


async def test_who_waits_to_lead_can_be_stopped(dsn: str) -> None:
    stopping = asyncio.Event()
    async with opened(dsn) as first, opened(dsn) as second:
        assert await lead(first, "venue-g", stopping)
        waiting = asyncio.create_task(lead(second, "venue-g", stopping))
        stopping.set()
        assert not await waiting
