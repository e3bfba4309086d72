# mypy: disable-error-code="comparison-overlap"
# Amounts are compared with whole numbers.
"""The equity series in PostgreSQL: what the views say of it, on whichever path the migration took."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from chassis.rows import writing
from contracts.base import named_id
from pnl_tracker import store
from pnl_tracker.measuring import Asked, measured
from pnl_tracker.testing import at, fill, mark, unit
from timescale_server import timescale

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
PARTITION = 7


def _migration() -> Any:
    path = Path(__file__).parents[1] / "migrations" / "versions" / "0002_statements.py"
    spec = spec_from_file_location("statements", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MIGRATION = _migration()


@pytest.fixture
async def db(service_dsn: Callable[[str], Awaitable[str]]) -> AsyncIterator[Any]:
    """The service's own role on its migrated schema: what it may do is what is tested."""
    connection = await asyncpg.connect(await service_dsn("pnl-tracker"))
    yield connection
    await connection.close()


@pytest.fixture
async def hypertable(tmp_path: Path) -> AsyncIterator[Any]:
    """The same series as the migration makes it where TimescaleDB is."""
    async with timescale(tmp_path) as connection:
        schema = await connection.fetchval(
            "select extnamespace::regnamespace::text from pg_extension where extname = 'timescaledb'"
        )
        async with connection.transaction():  # as alembic runs it
            await connection.execute("create schema books; set search_path = books")
            for statement in (MIGRATION.EQUITY, *MIGRATION.series(schema)):
                await connection.execute(statement)
        yield connection


async def points(db: Any, name: str, *series: tuple[float, str]) -> None:
    """In one statement of text: the WASM build takes no COPY and no pipelines."""
    rows = [f"('{name}', 'ann', '{at(seconds).isoformat()}', 'minute', {equity}, 0, 0)" for seconds, equity in series]
    await db.execute(f"insert into equity values {', '.join(rows)}")


async def buckets(db: Any, view: str, name: str) -> list[tuple[Any, ...]]:
    query = f"select bucket, open, high, low, close, samples from {view} where season_id = $1 order by bucket"
    return [tuple(row) for row in await db.fetch(query, name)]


POINTS = (0, "100"), (30, "90"), (59, "95"), (60, "97"), (3600, "120"), (90_000, "80")


async def the_views_are_right(db: Any) -> None:

    def hour(n: int) -> datetime:
        return MIDNIGHT + timedelta(hours=n)

    assert await buckets(db, "equity_1m", "views") == [
        (hour(0), 100, 100, 90, 95, 3),
        (hour(0) + timedelta(minutes=1), 97, 97, 97, 97, 1),
        (hour(1), 120, 120, 120, 120, 1),
        (hour(25), 80, 80, 80, 80, 1),
    ]
    assert await buckets(db, "equity_1h", "views") == [
        (hour(0), 100, 100, 90, 97, 4),
        (hour(1), 120, 120, 120, 120, 1),
        (hour(25), 80, 80, 80, 80, 1),
    ]
    assert await buckets(db, "equity_1d", "views") == [(hour(0), 100, 120, 90, 120, 5), (hour(24), 80, 80, 80, 80, 1)]


async def test_each_view_has_open_high_low_and_close_of_its_buckets(db: Any) -> None:
    await points(db, "views", *POINTS)

    await the_views_are_right(db)


async def test_continuous_aggregates_say_the_same_before_and_after_they_are_refreshed(hypertable: Any) -> None:
    await points(hypertable, "views", *POINTS)

    await the_views_are_right(hypertable)
    for view, _ in MIGRATION.STEPS:
        await hypertable.execute(f"call public.refresh_continuous_aggregate('{view}', null, null)")
    await the_views_are_right(hypertable)
    chunks = await hypertable.fetchval(
        "select count(*) from timescaledb_information.chunks where hypertable_name = $1", "equity"
    )
    assert chunks == 2  # one a day


async def test_metrics_are_made_of_the_stored_series_and_trades(db: Any) -> None:
    ann = unit("ann")
    ann.passed(at(0))
    for n, (signed, price) in enumerate((("10", "100"), ("-10", "110"), ("-10", "110"), ("10", "115"))):
        ann.execution(fill(10_000 + n, signed, price, fee="1", seconds=600 * (n + 1)))
        ann.mark(mark(price, seconds=600 * (n + 1) + 1))
    ann.passed(at(86_400))
    (wanted,) = ann.diary.wanted
    async with writing(db) as out:
        await store.save(out, [(PARTITION, ann)])
    (found,) = (await measured(db, PARTITION, [Asked(1, ("season-1", "ann"), wanted.report)])).values()  # type: ignore[arg-type]  # it is metrics that are wanted

    # won 100 - 2, lost 50 + 2; the equity after each fill: 9,999, 10,098, 10,097, 10,046
    assert (found.trades, found.win_rate, found.long_share) == (2, Decimal("0.5"), Decimal("0.5"))
    assert (found.expectancy, found.profit_factor) == (23, Decimal("1.884615384615"))  # 98 / 52
    assert (found.average_size, found.median_hold_s) == (1_050, 600)  # 1,000 long, 1,100 short
    assert (found.total_return, found.samples) == (Decimal("0.0046"), 24)
    assert found.max_drawdown == Decimal("0.005149534561")  # 52 / 10,098
    assert found.turnover == Decimal("0.435")  # 1,000 + 1,100 + 1,100 + 1,150
    assert found.fee_share == Decimal("0.08")  # 4 / 50
    assert found.event_id == named_id("metrics", "season-1", "ann", "day", at(86_400).isoformat())
