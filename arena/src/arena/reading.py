"""Reads whole topics once, from their beginning to where they end now."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition
from contracts.wire import decode, header

STALLED_S = 30.0
Record: TypeAlias = ConsumerRecord[Any, Any]


class Read(NamedTuple):
    event: Any
    published_ms: int
    """When its producer sent it, Unix milliseconds."""


class Stalled(Exception):
    """The broker stopped answering before the end was reached."""


async def read_topics(kafka: str, topics: Sequence[str], *, last: int | None = None) -> AsyncIterator[Read]:
    """Every event but watermarks, a repeat only once; with `last` at most so many records a partition."""
    async with whole_topics(kafka, topics) as consumer:
        partitions = consumer.assignment()
        ends = await consumer.end_offsets(partitions)
        if last is not None:
            begins = await consumer.beginning_offsets(partitions)
            for partition in partitions:
                consumer.seek(partition, max(begins[partition], ends[partition] - last))
        seen: set[Any] = set()
        async for record in records_until(consumer, ends):
            if header(record.headers, "ce_type") == "arena.time_advanced":
                continue
            event = decode(record.topic, record.value, record.headers)
            if (record.topic, event.event_id) not in seen:
                seen.add((record.topic, event.event_id))
                yield Read(event, record.timestamp)


async def records_until(
    consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]
) -> AsyncIterator[ConsumerRecord[Any, Any]]:
    """From where the consumer stands. Raises Stalled."""
    while [p for p, end in ends.items() if await consumer.position(p) < end]:
        try:
            async with asyncio.timeout(STALLED_S):
                batches: dict[Any, Any] = {}
                while not batches:
                    batches = await consumer.getmany(timeout_ms=1_000)
        except TimeoutError:
            raise Stalled(f"no record for {STALLED_S:.0f} s") from None
        for partition, records in batches.items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record


async def records_of(kafka: str, topics: Sequence[str]) -> AsyncIterator[Record]:
    """Every record as it stands there, repeats and watermarks too."""
    async with whole_topics(kafka, topics) as consumer:
        async for record in records_until(consumer, await consumer.end_offsets(consumer.assignment())):
            yield record


async def read_latest(kafka: str, topics: Sequence[str]) -> list[Any]:
    """The last event of every key, as compaction would leave them."""
    latest: dict[tuple[str, bytes], Record] = {}
    async with whole_topics(kafka, topics) as consumer:
        async for record in records_until(consumer, await consumer.end_offsets(consumer.assignment())):
            latest[record.topic, record.key] = record
    return [decode(record.topic, record.value, record.headers) for record in latest.values()]


def whole_topics(kafka: str, topics: Sequence[str]) -> AIOKafkaConsumer:
    """Without a group a consumer is given every partition, and commits nothing."""
    return AIOKafkaConsumer(
        *topics, bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest", max_poll_records=5_000
    )
