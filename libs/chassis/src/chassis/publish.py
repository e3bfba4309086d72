"""Sends events as whole batches: aiokafka's `send` costs about 27 us a record, `send_batch` 3 us."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from contracts.base import Event
from contracts.wire import Encoded, encode, numbered

from chassis.crash_points import crash_point
from chassis.telemetry import Telemetry

ACKNOWLEDGED_WITHIN_S = 30.0
"""An idempotent producer retries for ever; the process does not."""
BATCH_BYTES_MAX = 1_040_000
"""Just below the broker's limit for a batch, above the largest value a contract allows."""
TRACE_ROOTS = frozenset({"decision_requested"})
"""A trace begins with these events, whatever caused them."""
_KEYS_REMEMBERED = 100_000


class Out(NamedTuple):
    """An output with another topic or an explicit partition than its event's own."""

    event: Event
    topic: str | None = None
    partition: int | None = None


class NotAcknowledged(Exception):
    """The broker did not confirm what was sent in time."""


def encoded(out: Event | Out, telemetry: Telemetry) -> Encoded:
    event, topic, partition = (out.event, out.topic, out.partition) if isinstance(out, Out) else (out, None, None)
    if (kind := event.type) in TRACE_ROOTS and not event.traceparent:  # type: ignore[attr-defined]  # all have one
        event = event.model_copy(update={"traceparent": telemetry.root(kind)})
    return encode(event, topic=topic, partition=partition)


async def acknowledged(futures: list[asyncio.Future[Any]]) -> None:
    """Wait for all, and empty the list. Raises what the broker refused, or NotAcknowledged."""
    if not futures:
        return
    try:
        async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
            await asyncio.gather(*futures)
    except TimeoutError:
        raise NotAcknowledged(f"the broker confirmed nothing for {ACKNOWLEDGED_WITHIN_S:.0f} s") from None
    futures.clear()


class Publisher:
    def __init__(self, producer: AIOKafkaProducer, telemetry: Telemetry) -> None:
        self._producer, self._telemetry, self._partitioner = producer, telemetry, DefaultPartitioner()
        self._partitions: dict[tuple[str, bytes], int] = {}

    async def send(self, events: Sequence[Event | Out], source: str, first_sequence: int) -> None:
        """Publish in order, numbered from `first_sequence`; returns when the broker has acknowledged all."""
        await self.send_numbered((event, source, n) for n, event in enumerate(events, first_sequence))

    async def send_numbered(self, events: Iterable[tuple[Event | Out, str, int]]) -> None:
        """Like `send`, with a source and a sequence for each event."""
        records = []
        for out, source, sequence in events:
            record = encoded(out, self._telemetry)
            records.append(record._replace(headers=numbered(record.headers, source, sequence)))
        with self._telemetry.publish_seconds.time():
            await acknowledged(await self.hand_over(records))

    async def hand_over(self, records: Sequence[Encoded]) -> list[asyncio.Future[Any]]:
        """Give numbered records to the producer, in order; each future ends when the broker has its batch."""
        by_partition: defaultdict[tuple[str, int], list[Encoded]] = defaultdict(list)
        for record in records:
            by_partition[record.topic, await self._partition(record)].append(record)
        return [future for where, some in by_partition.items() for future in await self._send(where, some)]

    async def _partition(self, record: Encoded) -> int:
        """The partition that every Kafka client's default partitioner gives the key (murmur2, 1.4 us: remembered)."""
        if record.partition is not None:
            return record.partition
        where = record.topic, record.key
        known = self._partitions.get(where)
        if known is None:
            everyone = sorted(await self._producer.partitions_for(record.topic))
            known = self._partitioner(record.key, everyone, everyone)
            if len(self._partitions) < _KEYS_REMEMBERED:
                self._partitions[where] = known
        return known

    async def _send(self, where: tuple[str, int], records: Sequence[Encoded]) -> list[asyncio.Future[Any]]:
        topic, partition = where
        crash_point("publish.before_batch")
        futures, batch = [], self._producer.create_batch()
        for record in records:
            if not _append(batch, record):
                futures.append(await self._producer.send_batch(batch, topic, partition=partition))
                batch = self._producer.create_batch()
                if not _append(batch, record):
                    raise ValueError(f"a record of {len(record.value)} bytes for {topic} is larger than a batch may be")
        batch.close()
        return [*futures, await self._producer.send_batch(batch, topic, partition=partition)]


def _append(batch: Any, record: Encoded) -> bool:
    now_ms = int(time.time() * 1000)  # when it was sent, for retention; arena time is ce_time
    appended = batch.append(key=record.key, value=record.value, timestamp=now_ms, headers=record.headers)
    return appended is not None
