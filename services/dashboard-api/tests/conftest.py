import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from chassis.topics import provision
from contracts.topics import TOPICS

sys.path.insert(0, str(Path(__file__).parent))  # dashboard_bench and dashboard_events are imported by name

from dashboard_bench import Bench, until


@pytest.fixture
async def bench(kafka: str, service_dsn: Callable[[str], Awaitable[str]], postgres: str, tmp_path: Path) -> Bench:
    """Empty topics and tables for each test."""
    await emptied(kafka)
    dsn = await service_dsn("dashboard-api")
    await _truncate(postgres)
    return Bench(kafka, dsn, tmp_path)


async def emptied(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        known: Sequence[str] = [name for name in await admin.list_topics() if name in TOPICS]
        if known:
            await admin.delete_topics(list(known))
            await until(lambda: _gone(admin, known))
    finally:
        await admin.close()
    await provision(kafka, competitor_partitions=2, market_partitions=2)


async def _gone(admin: Any, names: Sequence[str]) -> bool:
    return not set(names) & set(await admin.list_topics())


async def _truncate(dsn: str) -> None:
    db = await asyncpg.connect(dsn)
    try:
        tables = await db.fetch(
            "select tablename from pg_tables where schemaname = 'dashboard_api' and tablename not like '%version'"
        )
        await db.execute(f"truncate {', '.join('dashboard_api.' + row['tablename'] for row in tables)}")
    finally:
        await db.close()
