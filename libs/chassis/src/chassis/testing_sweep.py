"""For tests that kill many stages, each once and at its own place: one broker, one database, the same input for all.

What a stage must have said and kept at its end is what one that nobody killed said and kept.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
from contracts.wire import header

from chassis.bus import all_partitions, start_reader
from chassis.migrate import migrate
from chassis.testing import World, executed, halted, mark, watermark
from chassis.testing_crash import PARTITIONS, Kind, Life, Stand

COMPETITORS = [f"c{n}" for n in range(6)]
EVENTS, MARKS = 48, 20
"""Of each kind of stage; of each market partition."""
INPUTS: Mapping[Kind, int] = {"plain": EVENTS, "timed": EVENTS + MARKS * PARTITIONS * PARTITIONS}
"""A timed stage has two units, and each is told of every mark."""
OUTPUTS: Mapping[Kind, int] = {"plain": EVENTS, "timed": EVENTS + MARKS * PARTITIONS * PARTITIONS}
"""Numbers 0 … 47 leave each remainder by three 16 times: 16·0 + 16·1 + 16·2 = 48. One of each mark and unit."""
LIFE_S = 60.0
COUNTED = """select sum((body->>'count')::int) from "{schema}".state"""
KEPT = (
    'select topic, partition, key, body from "{schema}".state order by 1, 2, 3',
    'select topic, partition, next_offset, sequence from "{schema}".step_position order by 1, 2',
)

Said = list[tuple[int, bytes, bytes]]
"""Number, key and value."""


@dataclass
class History:
    """All that one stage said and kept."""

    said: dict[str, Said] = field(default_factory=dict)
    """By the input partition that caused it; each number once, in the order of the output's partition."""
    repeats: int = 0
    kept: list[Any] = field(default_factory=list)
    """Its state and its positions."""


class Topics(NamedTuple):
    plain: str
    timed: str
    market: str
    says: str
    """Of all stages; one partition more, so that one input's outputs spread."""

    @classmethod
    async def of(cls, world: World) -> "Topics":
        return cls(
            await world.topic("orders.v1", PARTITIONS, tag="-plain"),
            await world.topic("executions.v1", PARTITIONS),
            await world.topic("market.marks.v1", PARTITIONS),
            await world.topic("orders.v1", PARTITIONS + 1, tag="-says"),
        )


class Sweep:
    def __init__(self, world: World, topics: Topics, db: "asyncpg.Pool[Any]") -> None:
        self._world, self._topics, self._db = world, topics, db

    @classmethod
    @asynccontextmanager
    async def on(cls, kafka: str, postgres: str, folder: Path) -> "AsyncIterator[Sweep]":
        world = World(kafka, postgres, folder)
        await world.start()
        try:
            async with asyncpg.create_pool(postgres, min_size=1, max_size=4) as db:
                sweep = cls(world, await Topics.of(world), db)
                await sweep._feed()
                yield sweep
        finally:
            await world.stop()

    async def _feed(self) -> None:
        plain, timed, market, _ = self._topics
        for n in range(EVENTS):
            await self._world.send(plain, halted(n, COMPETITORS[n % 6]))
            where, second = n % PARTITIONS, n / 2
            await self._world.send(timed, executed(n, COMPETITORS[n % 6], seconds=second), partition=where)
            for partition in range(PARTITIONS):
                await self._world.send(timed, watermark(second, partition), partition=partition)
        for partition in range(PARTITIONS):
            for n in range(MARKS):  # time passes with each, so a stage that reads late still commits twice
                second = n + partition / 10
                await self._world.send(market, mark(second, f"I{partition}-USDT-PERP"), partition=partition)
                await self._world.send(market, watermark(second, partition), partition=partition)
            await self._world.send(timed, watermark(EVENTS, partition), partition=partition)
            await self._world.send(market, watermark(EVENTS, partition), partition=partition)

    async def stand(self, kind: Kind, name: str, **dies_at: Any) -> Stand:
        """One more stage, with the schema of its own."""
        service = f"{self._world.service}-{kind}-{name}"
        dsn = await asyncio.to_thread(migrate, self._world.admin_dsn, service, password="of-no-value")  # noqa: S106  # a test
        reads = self._topics.plain if kind == "plain" else self._topics.timed
        return Stand(kind, service, self._world.kafka, dsn, reads, self._topics.market, self._topics.says, **dies_at)

    async def play(self, stand: Stand) -> int | None:
        """To the end of the input; where something is armed, the exit code of the life that it ended."""
        code = None
        if stand.point or stand.line:
            code = await self._death(stand)
        life = Life(stand.then())
        try:
            await self._all_in(stand, life)
            drained = await life.drained(LIFE_S)
        finally:
            life.kill()
        assert drained == 0, f"{stand.service} ended with {drained}"
        return code

    async def _death(self, stand: Stand) -> int:
        try:
            return await Life(stand).ended(LIFE_S)
        except TimeoutError:
            where = stand.point or stand.line
            raise AssertionError(f"{stand.service} lived {LIFE_S:g} s and did not pass {where}") from None

    async def _all_in(self, stand: Stand, life: Life) -> None:
        query = COUNTED.format(schema=stand.service.replace("-", "_"))
        async with asyncio.timeout(LIFE_S):
            while not life.up.is_set() or await self._db.fetchval(query) != INPUTS[stand.kind]:
                assert not life.over, f"{stand.service} ended"
                await asyncio.sleep(0.1)

    async def histories(self) -> Mapping[str, History]:
        """By service, of all stages that were played so far."""
        found: defaultdict[str, History] = defaultdict(History)
        values: dict[Any, Any] = {}
        for record in await self._said():
            source, number = header(record.headers, "ce_source"), int(header(record.headers, "ce_sequence") or 0)
            service, _, cause = (source or "").partition("/")
            first = values.setdefault((source, number), (record.partition, record.key, record.value))
            assert first == (record.partition, record.key, record.value), f"{source} {number} says two things"
            mine = found[service]
            said = mine.said.setdefault(f"{cause} -> {record.partition}", [])
            if said and number <= said[-1][0]:
                mine.repeats += 1
            else:
                said.append((number, record.key, record.value))
        for service, history in found.items():
            history.kept = await self._kept(service.replace("-", "_"))
        return found

    async def _said(self) -> list[Any]:
        reader = await start_reader(self._world.kafka)
        try:
            reader.assign(await all_partitions(reader, [self._topics.says]))
            ends = await reader.end_offsets(reader.assignment())
            await reader.seek_to_beginning()
            found: list[Any] = []
            async with asyncio.timeout(LIFE_S):
                while len(found) < sum(ends.values()):
                    for records in (await reader.getmany(timeout_ms=100)).values():
                        found += records
            return found
        finally:
            await reader.stop()

    async def _kept(self, schema: str) -> list[Any]:
        state, positions = [query.format(schema=schema) for query in KEPT]
        rows = [*await self._db.fetch(state), *await self._db.fetch(positions)]
        return [json.dumps([str(value) for value in row]) for row in rows]
