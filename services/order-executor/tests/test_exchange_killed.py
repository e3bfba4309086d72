"""Killed with SIGKILL at every named point of a venue call, on Kafka, PostgreSQL and the fake exchange: never twice,
and the books say of each intent what the venue's truth says.

`EXCHANGE_KILL_PASSES=2` also kills at the second time that a life comes by (`make kills`).
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chassis.migrate import migrate
from chassis.testing import World
from contracts.wire import decode
from exchanges.fake.running import Controls
from order_executor.exchange.fixtures import MIGRATIONS
from order_executor.exchange.testing import agrees, placed
from order_executor.testing import T0, cancel, order

PASSES = int(os.environ.get("EXCHANGE_KILL_PASSES", "1"))
POINTS = [
    "before_commit", "after_commit", "before_place", "after_place", "before_query", "after_query", "before_cancel",
    "after_cancel", "after_sweep",
]  # fmt: skip
ACCOUNT = "s1.killed"
IMPORTS_WITHIN_S, DIES_WITHIN_S, ENDS_WITHIN_S = 300, 60, 60


@dataclass
class Executor:
    process: asyncio.subprocess.Process

    async def life(self, crash_at: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{crash_at}\n".encode())
        await self.process.stdin.drain()

    async def ended(self) -> int:
        return int(await self.says(DIES_WITHIN_S))

    async def says(self, within_s: float) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(within_s):
            return (await self.process.stdout.readline()).decode()


@pytest.fixture
async def world(kafka: str, postgres: str, tmp_path: Path) -> AsyncIterator[World]:
    one = World(kafka, postgres, tmp_path)
    await one.start()
    await asyncio.to_thread(migrate, postgres, one.service, migrations=MIGRATIONS, password="of-no-value")
    yield one
    await one.stop()


def now_s() -> float:
    return (datetime.now(UTC) - T0).total_seconds()


async def orders_of_a_life(world: World, topic: str, exchange: Controls, n: int) -> None:
    """One at market whose answer is lost, two that rest; once those are there, all that rests is taken back."""
    await exchange.fault("lose_answer")
    common: dict[str, Any] = {"competitor_id": "killed", "instrument": f"L{n}-USDT-PERP"}  # none waits for another's
    at_market = order(3 * n, "buy", "1", now_s(), **common)
    rest = [order(3 * n + each, "buy", "1", now_s(), limit="99", **common) for each in (1, 2)]
    await world.send(topic, at_market, *rest)
    while not all([await placed(exchange, ACCOUNT, each) for each in rest]):  # noqa: ASYNC110  # a venue tells nobody
        await asyncio.sleep(0.2)
    await world.send(topic, cancel(n, now_s(), competitor_id="killed"))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_killed_at_every_point_of_a_venue_call_no_intent_is_two_orders_and_the_books_agree(
    world: World, exchange: Controls
) -> None:
    reads, says = await world.topic("orders.v1"), await world.topic("executions.v1", tag="-out")
    market = await world.topic("market.marks.v1")
    told = {
        "service": world.service, "kafka": world.kafka, "postgres": world.dsn, "exchange": exchange.url,
        "reads": reads, "says": says, "market": market,
        "contracts": {reads: "orders.v1", says: "executions.v1", market: "market.marks.v1"},
    }  # fmt: skip
    script = Path(__file__).with_name("killed_executor.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), json.dumps(told), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    executor, deaths = Executor(process), 0
    await executor.says(IMPORTS_WITHIN_S)
    try:
        for number in range(1, PASSES + 1):
            for point in POINTS:
                await executor.life(f"exchange.{point}:{number}")
                feeding = asyncio.create_task(orders_of_a_life(world, reads, exchange, deaths + 1))
                assert await executor.ended() == -signal.SIGKILL, point
                deaths += 1
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
        await exchange.behave()
        await executor.life("none")
        await world.send(reads, cancel(1000, now_s(), competitor_id="killed"))
        await all_final(world)
        records = [decode(says, record.value) for record in await world.records(says, await said(world))]
    finally:
        process.send_signal(signal.SIGTERM)
        assert await executor.ended() == 0
        process.stdin.close()  # type: ignore[union-attr]  # it is a pipe
        await process.wait()
    assert deaths == PASSES * len(POINTS)
    await agrees(world.dsn, exchange, ACCOUNT, records)
    at_market = [order(3 * n, "buy", "1", competitor_id="killed") for n in range(1, deaths + 1)]
    orders = [len(await placed(exchange, ACCOUNT, each)) for each in at_market]
    ends = [_end(records, each) for each in at_market]
    # a later life's cancel of everything may meet an intent before it left: then there is no order, and it is told so
    assert orders == [1 if end == "order_filled" else 0 for end in ends]
    assert {"order_filled", "order_cancelled"} >= set(ends)
    assert sum(orders) >= 1


def _end(records: Sequence[Any], asked: Any) -> str:
    """How the order ended, of which there may be one end only."""
    ends = ("order_filled", "order_cancelled", "order_rejected", "order_expired")
    (end,) = [each.type for each in records if getattr(each, "order_id", None) == asked.event_id and each.type in ends]
    return str(end)


async def all_final(world: World) -> None:
    """Every order of every life is known and over."""
    query = "select count(*) from exchange_orders where state not in ('filled', 'cancelled', 'expired', 'rejected')"
    async with asyncio.timeout(ENDS_WITHIN_S):
        while (await world.fetch(query))[0][0] or not (await world.fetch("select 1 from exchange_orders limit 1")):  # noqa: ASYNC110  # a table tells nobody
            await asyncio.sleep(0.1)


async def said(world: World) -> int:
    return int((await world.fetch("select sum(sequence) from step_position"))[0][0])
