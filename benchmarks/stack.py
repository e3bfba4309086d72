"""Apache Kafka, PostgreSQL and the measured processes, all gone afterwards."""

import asyncio
import json
import os
import signal
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from arena.stack.kafka import EmbeddedKafka
from arena.stack.postgres import EmbeddedPostgres
from arena.stack.processes import end, free_port, spawn, tail, until
from arena.stack.roles import migrated
from arena.stack.training import ensure_aot_cache
from chassis.topics import provision
from contracts.base import Event
from contracts.wire import encode, numbered

ROOT = Path(__file__).parents[1]
Numbered = tuple[Event, str, int]
"""An event, its source and its number there."""


@dataclass
class Stack:
    kafka: str
    dsns: Mapping[str, str]
    folder: Path

    async def topic(self, name: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        await admin.create_topics([NewTopic(name, 1, 1)])
        await admin.close()

    async def publish(self, events: Iterable[tuple[Numbered, str | None, int | None]]) -> None:
        """Events as their producer would publish them, each to its own or the given topic and partition."""
        async with AIOKafkaProducer(bootstrap_servers=self.kafka, enable_idempotence=True, acks="all") as producer:
            sent = []
            for (event, source, sequence), topic, partition in events:
                out = encode(event, topic=topic, partition=partition)
                headers = numbered(out.headers, source, sequence)
                sent.append(await producer.send(out.topic, out.value, out.key, partition, headers=headers))
            await asyncio.gather(*sent)

    async def ends(self, topic: str, partitions: int = 1) -> int:
        async with AIOKafkaConsumer(bootstrap_servers=self.kafka) as consumer:
            where = [TopicPartition(topic, number) for number in range(partitions)]
            return sum((await consumer.end_offsets(where)).values())

    async def records(self, topic: str, partitions: int = 1) -> list[Any]:
        """All records of the topic, in order of the broker's receipt."""
        where = [TopicPartition(topic, number) for number in range(partitions)]
        async with AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False) as consumer:
            consumer.assign(where)
            await consumer.seek_to_beginning(*where)
            ends, found = await consumer.end_offsets(where), list[Any]()
            while any([await consumer.position(each) < ends[each] for each in where]):
                for records in (await consumer.getmany(timeout_ms=500, max_records=5_000)).values():
                    found += records
        return sorted(found, key=lambda record: record.timestamp)


@dataclass
class Measured:
    process: psutil.Process
    port: int = 0

    def cpu_s(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def stack(*services: str) -> AsyncIterator[Stack]:
    await ensure_aot_cache()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        async with EmbeddedKafka(folder / "kafka") as kafka, EmbeddedPostgres(folder / "postgres") as postgres:
            await provision(kafka.bootstrap, competitor_partitions=1, market_partitions=1)
            dsns = await migrated(postgres.dsn, list(services), folder / "secrets")
            yield Stack(kafka.bootstrap, dsns, folder)


@asynccontextmanager
async def process(*command: str, log: Path, env: Mapping[str, str] | None = None) -> AsyncIterator[Measured]:
    """One process on one core: the interpreter has one thread that works."""
    command = (sys.executable, "-m", *command)
    child = spawn(command, log=log, env={**os.environ, **(env or {})}, cwd=ROOT, if_parent_dies=signal.SIGKILL)
    try:
        yield Measured(psutil.Process(child.pid))
    except BaseException:
        sys.stderr.write(tail(log))
        raise
    finally:
        await end(child, [(signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)])


@asynccontextmanager
async def service(made: Stack, name: str, **more: str) -> AsyncIterator[Measured]:
    """The service as the arena starts it, ready; contracts, traces, metrics and Postgres on."""
    prefix, port = name.replace("-", "_").upper(), free_port()
    env = {
        "KAFKA": made.kafka, "POSTGRES": made.dsns[name], "HEALTH_PORT": str(port),
        "TRACES_FILE": str(made.folder / f"{name}.traces"), "OBJECT_STORE": f"file://{made.folder}/objects", **more,
    }  # fmt: skip
    log = made.folder / f"{name}.log"
    env = {f"{prefix}_{key}": value for key, value in env.items()}
    async with process(name.replace("-", "_"), log=log, env=env) as running:
        running.port = port
        await eventually(lambda: _ready(port), 60)
        yield running


async def eventually(done: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
    if not await until(done, timeout_s):
        raise TimeoutError(f"not within {timeout_s:.0f} s: {done.__qualname__}")


async def _ready(port: int) -> bool:
    def ask() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return await asyncio.to_thread(ask)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(figures: Mapping[str, Any], line: str) -> None:
    print(json.dumps(figures))
    print(line, flush=True)
