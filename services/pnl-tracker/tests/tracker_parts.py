"""A broker and a database of their own, and what the tracker's neighbours would say to it."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from arena.stack.kafka import EmbeddedKafka
from arena.stack.postgres import EmbeddedPostgres
from arena.stack.processes import spawn
from arena.stack.roles import migrated
from chassis.topics import provision
from contracts.base import Event, named_id
from contracts.market import TimeAdvanced
from contracts.wire import encode, numbered
from pnl_tracker.competition import partition_of
from pnl_tracker.testing import at

PARTITIONS = 2


@dataclass
class Parts:
    kafka: str
    postgres: str
    admin: str
    """The superuser's DSN."""
    folder: Path
    producer: AIOKafkaProducer
    sequences: dict[tuple[str, int], int] = field(default_factory=dict)

    async def say(self, event: Event, topic: str | None = None, partition: int | None = None) -> None:
        """As its producer would: numbered within topic and partition."""
        if partition is None:
            partition = partition_of(event.key, PARTITIONS) if topic is None else 0
        out = encode(event, topic=topic)
        await self.send(out.topic, partition, out.key, out.value, out.headers, counted=event.type != "time_advanced")  # type: ignore[attr-defined]

    async def send(self, topic: str, partition: int, key: bytes, value: bytes, headers: Any, *, counted: bool) -> None:
        where = topic, partition
        number = self.sequences[where] = self.sequences.get(where, 0) + counted
        headers = numbered(headers, f"upstream/{topic}/{partition}", number)
        await self.producer.send(topic, value, key, partition, headers=headers)

    async def time(self, seconds: float, *topics: str) -> None:
        for topic in topics or ("executions.v1", "market.marks.v1"):
            for partition in range(PARTITIONS):
                event = TimeAdvanced(event_id=named_id(topic, partition, seconds), at=at(seconds), partition=partition)
                await self.say(event, topic, partition)

    def start(self) -> "subprocess.Popen[bytes]":
        env = {"KAFKA": self.kafka, "POSTGRES": self.postgres, "LEADERBOARD_APART_S": "0.2"}
        return spawn(
            [sys.executable, "-m", "pnl_tracker"],
            log=self.folder / "pnl-tracker.log",
            env=os.environ | {f"PNL_TRACKER_{name}": value for name, value in env.items()},
            cwd=self.folder,
            if_parent_dies=signal.SIGKILL,
        )


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Parts]:
    async with EmbeddedKafka(folder / "kafka") as kafka, EmbeddedPostgres(folder / "postgres") as postgres:
        await provision(kafka.bootstrap, competitor_partitions=PARTITIONS, market_partitions=PARTITIONS)
        dsns = await migrated(postgres.dsn, ["pnl-tracker"], folder / "secrets")
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, enable_idempotence=True) as producer:
            yield Parts(kafka.bootstrap, dsns["pnl-tracker"], postgres.dsn, folder, producer)
