"""The simulated log: topics, partitions, offsets; what a producer sent lands in order within a partition."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from contracts.executions import OrderFilled

from arena.simulation.clock import VirtualLoop
from arena.simulation.faults import VENUE, Faults
from arena.simulation.process import Process

EXECUTIONS = OrderFilled.topic
LANDS_S = 0.005
"""Mean time from the send to the log, and from there to the acknowledgement."""
BATCH_RECORDS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Record:
    """As a consumer hands it over."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    """Milliseconds of the simulated wall clock: the log's own append time."""
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


class Log:
    def __init__(self, loop: VirtualLoop, faults: Faults, partitions: Mapping[str, int]) -> None:
        self.loop, self.faults, self.counts = loop, faults, dict(partitions)
        self.records: dict[TopicPartition, list[Record]] = {
            TopicPartition(topic, number): [] for topic, count in partitions.items() for number in range(count)
        }
        self.watchers: list[Callable[[Record], None]] = []
        """Called with every record as it lands."""
        self.readers: defaultdict[TopicPartition, dict[Any, None]] = defaultdict(dict)
        """Consumers that wait for news."""

    def of(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for number in range(self.counts[topic])]

    def append(self, where: TopicPartition, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]) -> None:
        records = self.records[where]
        sent_ms = int(self.loop.now().timestamp() * 1_000)
        record = Record(where.topic, where.partition, len(records), sent_ms, key, value, headers)
        records.append(record)
        for watch in self.watchers:
            watch(record)
        for reader in list(self.readers[where]):
            reader.wake()


class Batch:
    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes, Sequence[tuple[str, bytes]]]] = []

    def append(
        self,
        *,
        key: bytes,
        value: bytes,
        timestamp: int,  # noqa: ARG002  # the wall clock's: the log takes its own
        headers: Sequence[tuple[str, bytes]],
    ) -> bool | None:
        """The timestamp is the wall clock's: the log takes its own. None where it is full, as aiokafka's."""
        if len(self.records) >= BATCH_RECORDS_MAX:
            return None
        self.records.append((key, value, headers))
        return True

    def close(self) -> None:
        """It is complete."""


class Producer:
    """What `chassis.publish.Publisher` needs of aiokafka's, with the order and the losses of the real one."""

    def __init__(self, process: Process, log: Log) -> None:
        self._process, self._log, self._loop = process, log, process.loop
        self._lands_at: dict[TopicPartition, float] = {}
        self._lost: set[TopicPartition] = set()
        process.on_death.append(self._lose)

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(self._log.counts[topic]))

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[None]":
        """Only then the next batch may be made: a crash falls between any two of them."""
        await self._process.effect()
        where = TopicPartition(topic, partition)
        self._maybe_lose(where)
        self._process.ensure_alive()
        acknowledged: asyncio.Future[None] = self._loop.create_future()
        faults = self._log.faults
        at = max(self._lands_at.get(where, 0.0), self._loop.time()) + faults.random.expovariate(1 / LANDS_S)
        self._lands_at[where] = at
        self._loop.call_at(at, self._land, where, batch, acknowledged)
        return acknowledged

    async def stop(self) -> None:
        """It holds nothing."""

    def _maybe_lose(self, where: TopicPartition) -> None:
        if where.topic == EXECUTIONS and self._log.faults.happens("venue_lost"):
            self._process.kill()

    def _lose(self) -> None:
        """Of what a dead process had handed to its socket, the rest of some partitions never arrives."""
        random = self._log.faults.random
        self._lost = {where for where in self._lands_at if random.random() < 0.5}  # a coin

    def _land(self, where: TopicPartition, batch: Batch, acknowledged: "asyncio.Future[None]") -> None:
        if where in self._lost:
            return
        faults = self._log.faults
        times = 2 if faults.happens(VENUE["redelivered"] if where.topic == EXECUTIONS else "redelivered") else 1
        for key, value, headers in batch.records * times:
            self._log.append(where, key, value, headers)
        self._loop.call_later(faults.random.expovariate(1 / LANDS_S), _acknowledge, acknowledged)


def _acknowledge(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
