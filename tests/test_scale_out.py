"""One replica, three, one again, under load: risk-gate and pnl-tracker as processes, static members of their groups.

One replica is killed while it rebalances; one freezes in the middle of a commit and wakes after its partitions moved.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
from aiokafka import AIOKafkaProducer
from arena.reading import records_until, whole_topics
from arena.stack.kafka import EmbeddedKafka
from arena.stack.postgres import EmbeddedPostgres
from arena.stack.processes import free_port, spawn, tail
from arena.stack.roles import migrated
from chassis.topics import provision
from contracts.base import Event, named_id
from contracts.market import TimeAdvanced
from contracts.signals import DecisionMissed
from contracts.wire import encode, header, numbered
from pnl_tracker.competition import partition_of
from pnl_tracker.testing import BTC, at, competitor, fill, season

PARTITIONS, MARKET_PARTITIONS = 6, 2
COMPETITORS = [f"c{n}" for n in range(12)]
CADENCE_S = 180
"""Of the season in pnl_tracker.testing."""
TICK_S = 0.2
WAIT_S = 240.0
REVOKED = {"risk-gate": "worker.revoked:1", "pnl-tracker": "timed.revoked:1"}
SAYS = {"risk-gate": "orders.v1", "pnl-tracker": "portfolios.v1"}


@dataclass
class Replica:
    service: str
    instance: int
    env: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    kept: bool = False
    """Started again where it ends: on a machine that stalls, others are fenced than the one that is frozen."""

    def start(self, point: str = "") -> None:
        self.kept = not point
        module = self.service.replace("-", "_")
        told = self.env | {"INSTANCE": str(self.instance), "HEALTH_PORT": str(self.port)}
        env = os.environ | {f"{module.upper()}_{name}": value for name, value in told.items()}
        self.process = spawn(
            [sys.executable, "-P", "-m", module], log=self.log, env=env | {"CHASSIS_CRASH_POINT": point},
            cwd=self.log.parent, if_parent_dies=signal.SIGKILL,
        )  # fmt: skip

    async def ready(self) -> None:
        async with asyncio.timeout(WAIT_S), httpx.AsyncClient(trust_env=False) as http:
            while True:
                with suppress(httpx.TransportError):
                    if (await http.get(f"http://127.0.0.1:{self.port}/readyz")).is_success:
                        return
                assert self.process is not None
                assert self.kept or self.process.poll() is None, tail(self.log)
                await asyncio.sleep(0.1)

    def leave(self) -> None:
        self.kept = False
        self.send(signal.SIGTERM)

    async def ended(self) -> int:
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, WAIT_S)

    async def frozen(self) -> None:
        """Until it has stopped itself."""
        assert self.process is not None
        process = psutil.Process(self.process.pid)
        async with asyncio.timeout(WAIT_S):
            while process.status() != psutil.STATUS_STOPPED:  # noqa: ASYNC110  # another process sets no event
                await asyncio.sleep(0.05)

    def send(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)


class Arena:
    """What stands around the two services: broker, database, the load, and what they have said so far."""

    def __init__(self, kafka: str, dsns: dict[str, str], folder: Path, producer: AIOKafkaProducer) -> None:
        self.kafka, self._dsns, self._folder, self._producer = kafka, dsns, folder, producer
        self._numbers: defaultdict[str, int] = defaultdict(int)
        self.round = 0
        self._resting = asyncio.Event()

    def replica(self, service: str, instance: int) -> Replica:
        env = {"KAFKA": self.kafka, "POSTGRES": self._dsns[service], "LOG_LEVEL": "warning"}
        return Replica(service, instance, env, self._folder / f"{service}-{instance}.log")

    async def say(self, *events: Event, topic: str | None = None, partition: int | None = None) -> None:
        for event in events:
            out = encode(event, topic=topic)
            count = len(await self._producer.partitions_for(out.topic))
            where = partition_of(event.key, count) if partition is None else partition
            source = f"upstream/{out.topic}/{where}"
            self._numbers[source] += not isinstance(event, TimeAdvanced)
            headers = numbered(out.headers, source, self._numbers[source])
            await self._producer.send(out.topic, out.value, out.key, where, headers=headers)

    async def announce(self) -> None:
        await self.say(season(), *[competitor(name, mark=f"C{n:X}") for n, name in enumerate(COMPETITORS)])
        await self._producer.flush()

    async def load(self) -> None:
        """A round every tick: everyone buys 0.01 BTC, and everyone's decision is missed."""
        while not self._resting.is_set():
            self.round += 1
            opened = CADENCE_S * (self.round - 1)
            for number, name in enumerate(COMPETITORS, (self.round - 1) * len(COMPETITORS)):
                await self.say(fill(number, "0.01", "100", seconds=opened + 1, competitor_id=name))
                await self.say(missed(name, self.round, opened))
            await self._time(opened + 2)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._resting.wait(), TICK_S)
        await self._time(CADENCE_S * self.round)
        await self._producer.flush()

    def rest(self) -> None:
        self._resting.set()

    async def _time(self, seconds: float) -> None:
        for topic, count in (("executions.v1", PARTITIONS), ("market.marks.v1", MARKET_PARTITIONS)):
            for partition in range(count):
                event_id = named_id(topic, partition, seconds)
                event = TimeAdvanced(event_id=event_id, at=at(seconds), partition=partition)
                await self.say(event, topic=topic, partition=partition)

    async def records(self, *topics: str) -> list[Any]:
        async with whole_topics(self.kafka, topics) as consumer:
            ends = await consumer.end_offsets(consumer.assignment())
            return [record async for record in records_until(consumer, ends)]

    async def until_all_is_said(self, number: int) -> None:
        """Of every competitor: the verdict and the portfolio of that round."""
        async with asyncio.timeout(WAIT_S):
            for topic in SAYS.values():
                while {who for who, n in rounds(await self.records(topic)) if n >= number} < {*COMPETITORS}:  # noqa: ASYNC110  # a topic
                    await asyncio.sleep(0.5)

    async def caught_up(self) -> None:
        await self.until_all_is_said(self.round)


async def supervise(replicas: Sequence[Replica]) -> None:
    while True:
        for one in replicas:
            if one.kept and one.process is not None and one.process.poll() is not None:
                one.start()
        await asyncio.sleep(0.2)


def missed(name: str, number: int, opened: float) -> DecisionMissed:
    return DecisionMissed(
        event_id=named_id("missed", name, number), at=at(opened + 1), season_id="season-1", competitor_id=name,
        round=number, reason="timeout", deadline=at(opened + 60), effective_at=at(opened + 60),
    )  # fmt: skip


def rounds(records: list[Any]) -> list[tuple[str, int]]:
    events = [json.loads(record.value) for record in records]
    return [(event["competitor_id"], event["round"]) for event in events if event.get("round")]


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Arena]:
    async with EmbeddedKafka(tmp_path / "kafka") as kafka, EmbeddedPostgres(tmp_path / "postgres") as postgres:
        await provision(kafka.bootstrap, competitor_partitions=PARTITIONS, market_partitions=MARKET_PARTITIONS)
        dsns = await migrated(postgres.dsn, list(SAYS), tmp_path / "secrets")
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, enable_idempotence=True) as producer:
            arena = Arena(kafka.bootstrap, dsns, tmp_path, producer)
            await arena.announce()
            yield arena


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_one_replica_three_and_one_again_leave_no_gap_and_no_double(around: Arena) -> None:
    firsts = [around.replica(service, 0) for service in SAYS]
    seconds = [around.replica(service, 1) for service in SAYS]
    thirds = [around.replica(service, 2) for service in SAYS]
    everyone = [*firsts, *seconds, *thirds]
    supervisor, load = asyncio.create_task(supervise(everyone)), None
    try:
        for one in firsts:
            one.start(REVOKED[one.service])
        await asyncio.gather(*[one.ready() for one in firsts])
        load = asyncio.create_task(around.load())
        await around.until_all_is_said(5)

        # three, and the first is killed while it gives partitions away
        for one in seconds:
            one.start("step.after_ack:5:STOP")
        assert await asyncio.gather(*[one.ended() for one in firsts]) == [-signal.SIGKILL] * 2
        for one in [*firsts, *thirds]:
            one.start()
        await asyncio.gather(*[one.ready() for one in [*firsts, *thirds]])

        # the second is frozen with a batch decided and not committed; the others take over, and it wakes
        await asyncio.gather(*[one.frozen() for one in seconds])
        await around.caught_up()
        for one in seconds:
            one.send(signal.SIGCONT)
        assert await asyncio.gather(*[one.ended() for one in seconds]) == [1, 1], "fenced"
        for one in seconds:
            assert "another worker went on" in one.log.read_text()
            one.start()
        await asyncio.gather(*[one.ready() for one in seconds])
        await around.caught_up()

        # one again; the gate first: it waits for portfolios, and would not drain while the tracker's partitions move
        for leaving in zip(seconds, thirds, strict=True):
            for one in leaving:
                one.leave()
            assert await asyncio.gather(*[one.ended() for one in leaving]) == [0, 0]
            await around.caught_up()
        around.rest()
        await load
        await around.caught_up()
        for one in firsts:
            one.leave()
        assert await asyncio.gather(*[one.ended() for one in firsts]) == [0, 0]
    finally:
        around.rest()
        supervisor.cancel()
        for one in everyone:
            if one.process is not None:
                one.process.kill()
        if load is not None:
            await load

    orders = await around.records("orders.v1")
    # a partition counts portfolios and statements in one sequence; reports are numbered by their rows
    told = await around.records("portfolios.v1", "statements.v1")
    portfolios = [record for record in told if "/reports/" not in (header(record.headers, "ce_source") or "")]
    everything = [(name, number) for number in range(1, around.round + 1) for name in COMPETITORS]
    assert sorted(rounds(once(orders))) == sorted(everything)
    assert {(name, number) for name, number in rounds(once(portfolios))} >= {*everything}
    for name in COMPETITORS:
        assert [number for who, number in rounds(once(orders)) if who == name] == list(range(1, around.round + 1))
        mine = [
            json.loads(record.value)["seq"]
            for record in once(portfolios)
            if record.topic == "portfolios.v1" and record.key == name.encode()
        ]
        assert mine == list(range(mine[0], mine[0] + len(mine)))
    await books_balance(around)
    print(f"{around.round} rounds, {len(orders)} verdicts, {len(portfolios)} portfolios, sent again "
          f"{len(orders) - len(once(orders))} and {len(portfolios) - len(once(portfolios))}")  # fmt: skip


def once(records: list[Any]) -> list[Any]:
    """Those that are no repeats; every source counts without a gap, and what it says twice is the same."""
    found: dict[tuple[str, int], Any] = {}
    last: defaultdict[Any, int] = defaultdict(int)
    for record in records:
        source, number = header(record.headers, "ce_source") or "", int(header(record.headers, "ce_sequence") or 0)
        if number <= last[source, (record.topic, record.partition)]:
            assert found[source, number].value == record.value, f"{source} {number} says two things"
            continue
        last[source, (record.topic, record.partition)] = number
        found[source, number] = record
    for source in {source for source, _ in found}:
        assert sorted(n for s, n in found if s == source) == list(range(1, sum(s == source for s, _ in found) + 1))
    return list(found.values())


async def books_balance(around: Arena) -> None:
    """Everyone bought 0.01 BTC a round at 100 USD, without a fee."""
    db = await asyncpg.connect(around._dsns["pnl-tracker"])
    try:
        assert await db.fetchval("select amount from books where event_id is null") == 0
        held = await db.fetch("select competitor_id, quantity, cost from positions where instrument = $1", BTC)
    finally:
        await db.close()
    quantity = Decimal("0.01") * around.round
    assert {tuple(row) for row in held} == {(name, quantity, 100 * quantity) for name in COMPETITORS}
