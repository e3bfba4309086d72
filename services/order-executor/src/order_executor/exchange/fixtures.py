"""For tests: the fake exchange, and a database of an executor's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from chassis.migrate import migrate
from exchanges.fake.running import Controls, fake_exchange

MIGRATIONS = Path(__file__).parents[3] / "migrations"


@pytest.fixture(scope="session")
async def one_exchange() -> AsyncIterator[Controls]:
    async with fake_exchange() as controls:
        yield controls


@pytest.fixture
async def exchange(one_exchange: Controls) -> AsyncIterator[Controls]:
    """It behaves until it is told not to; each test uses accounts of its own."""
    yield one_exchange
    await one_exchange.behave()
    await one_exchange.set(offset_s=0.0, fill_share="1")


@pytest.fixture(scope="session")
async def executor_dsn(postgres: str) -> str:
    name = "exchange-alone"
    return await asyncio.to_thread(migrate, postgres, name, migrations=MIGRATIONS, password="of-no-value")  # noqa: S106  # a test


@pytest.fixture
async def dsn(executor_dsn: str) -> str:
    """Its tables are empty."""
    db = await asyncpg.connect(executor_dsn)
    await db.execute("delete from exchange_trades; delete from exchange_orders; delete from exchange_accounts")
    await db.close()
    return executor_dsn
