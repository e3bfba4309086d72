"""Reads a partition of `executions.v1` from its first record that is left: off the step, in small bites."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from chassis.bus import start_reader
from contracts.wire import BadRecord, decode, header

from pnl_tracker.core.replay import MOVES_MONEY, Replay

BITE = 200
"""Records between two pauses: a few milliseconds in which the step waits."""
STALLED_S = 60.0
_TYPES = frozenset(f"arena.{name}" for name in MOVES_MONEY)

log = structlog.get_logger(__name__)


class Stalled(Exception):
    """The broker stopped answering in the middle of a replay."""


async def replayed(kafka: str, topic: str, partition: int, wanted: Iterable[UUID]) -> tuple[Replay, bool]:
    """The replay up to the last wanted statement, and whether it began with the partition's very first record."""
    consumer, where = await start_reader(kafka), TopicPartition(topic, partition)
    try:
        consumer.assign([where])
        begin, end = (await consumer.beginning_offsets([where]))[where], (await consumer.end_offsets([where]))[where]
        replay = Replay(set(wanted), from_start=begin == 0)
        consumer.seek(where, begin)
        await _read(consumer, where, end, replay)
        return replay, begin == 0
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, where: TopicPartition, end: int, replay: Replay) -> None:
    seen: dict[str, int] = {}
    waited_s = 0.0
    while not replay.done and await consumer.position(where) < end:
        polled = await consumer.getmany(where, timeout_ms=1_000, max_records=BITE)
        waited_s = 0.0 if polled else waited_s + 1
        if waited_s >= STALLED_S:
            raise Stalled(f"{where}: no record for {STALLED_S:.0f} s")
        for record in polled.get(where, ()):
            if _is_new(record, seen) and not replay.done:
                _take(record, replay)
        await asyncio.sleep(0)


def _is_new(record: Any, seen: dict[str, int]) -> bool:
    source, sequence = header(record.headers, "ce_source"), header(record.headers, "ce_sequence")
    if source is None or sequence is None or not sequence.isdecimal() or int(sequence) <= seen.get(source, -1):
        return False  # the step sets the first two aside
    seen[source] = int(sequence)
    return True


def _take(record: Any, replay: Replay) -> None:
    if header(record.headers, "ce_type") not in _TYPES:
        return
    try:
        replay.take(decode(record.topic, record.value))
    except BadRecord as error:  # the step has set it aside too
        log.warning("passed over", topic=record.topic, offset=record.offset, reason=str(error))
