"""The unit of work of a stage: read, drop repeats, decide, save; commit; publish.

Kafka is an at-least-once transport with ordered keys, Postgres is the truth. One row an input partition makes
redelivery harmless:
- next_offset: a record below it was already decided, skip it; a batch that begins above it is refused.
- version: counts take-overs and commits. Its update is the fence: it moves only from the value this worker left there,
  so a worker that lost the partition commits nothing more. (Not next_offset: a timed unit also moves on time alone.)
- sequence: outputs are counted; a consumer that has seen (source, n) drops every (source, <= n).
- staged: the outputs of the last commit. The next commit replaces them only after the broker acknowledged them.
- cursor: what else a unit needs to resume (timed.py: arena time and market offsets).
All change in the same transaction as the state they protect.

What a worker owns it keeps in memory and writes through. Any exception ends the process: memory never outlives a failed
commit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol

import asyncpg
import msgpack
from contracts.base import Event
from contracts.topics import dead_letter_topic
from contracts.wire import BadRecord, Encoded, decode, numbered

from chassis.crash_points import crash_point
from chassis.publish import Out, Publisher, acknowledged, encoded
from chassis.rows import Connection, Writing, columns
from chassis.said import Said, unsaid
from chassis.telemetry import Telemetry

__all__ = ["Connection", "Fenced", "Out", "Partition", "Position", "Record", "Stage", "Step", "Writing"]

TAKE_OVER = """
insert into step_position values ($1, $2)
on conflict (topic, partition) do update set version = step_position.version + 1
returning *
"""

# Asked at the end of the stage's own rows: state, positions and fence are one statement, one round trip a batch.
ADVANCE = """with moved as (
    update step_position p
    set next_offset = n.next_offset, sequence = n.sequence, staged = n.staged, cursor = n.cursor,
        version = p.version + 1
    from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[])
        as n (topic, partition, version, next_offset, sequence, staged, cursor)
    where (p.topic, p.partition, p.version) = (n.topic, n.partition, n.version)
    returning 1),
seen as (
    insert into step_seen select * from unnest($8::text[], $9::int[], $10::text[], $11::bigint[])
    on conflict (topic, partition, source) do update set sequence = excluded.sequence)
select 1 / (count(*) = $12)::int from moved
"""
"""Divides by zero where a position did not move, so that nothing of the statement stays: the fence."""

WATERMARK = b"arena.time_advanced"


class Fenced(Exception):
    """Another worker moved this partition on: this process must stop."""


class Partition(NamedTuple):
    topic: str
    number: int


class Record(Protocol):
    """What aiokafka's consumer hands over."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


class Stage(Protocol):
    async def load(self, db: Connection, partition: Partition) -> None:
        """Read the state of the partition's keys, whatever memory held of it before."""

    async def prepare(self, events: Sequence[Event]) -> None:
        """Await what the decisions on these events need from elsewhere; called once a poll, before the first decide."""

    def decide(self, partition: Partition, event: Event) -> Sequence[Event | Out]:
        """Change the state in memory; say what follows."""

    async def save(self, out: Writing) -> None:
        """Write what changed since the last save; it becomes part of the step's commit."""


@dataclass(slots=True, eq=False)
class Position:
    """Where one input partition stands, as of the last decided record."""

    partition: Partition
    next_offset: int
    sequence: int
    version: int
    cursor: bytes
    seen: dict[str, int]
    fresh: dict[str, int] = field(default_factory=dict)
    """Sources whose sequence moved since the last commit."""
    outs: list[Encoded] = field(default_factory=list)
    """What was caused since the last commit."""
    taken_ms: int = 0
    """When the last record taken was published, Unix milliseconds."""


class Step:
    def __init__(
        self,
        db: Connection,
        service: str,
        publisher: Publisher,
        telemetry: Telemetry,
        save: Callable[[Writing], Awaitable[None]],
        check: Callable[[Partition, int], Awaitable[None]],
        passed_over: Collection[type[Event]] = (),
    ) -> None:
        """`check` raises where the broker cannot go on from an offset: asked before anything staged is sent.

        `passed_over`: types that change nothing here. Their records are counted, not parsed.
        """
        self._passed_over = frozenset(f"arena.{kind.model_fields['type'].default}".encode() for kind in passed_over)
        self._db, self._service, self._publisher, self._telemetry = db, service, publisher, telemetry
        self._save, self._check = save, check
        self._dead_letters = dead_letter_topic(service)
        self._in_flight: list[asyncio.Future[Any]] = []
        self._said: Said | None = None
        """Read at the first take-over."""
        self.positions: dict[Partition, Position] = {}
        self.lock = asyncio.Lock()
        """Held by whoever uses the connection: the consumer takes over and lets go from its own task."""

    async def take_over(self, partition: Partition, load: Callable[[Connection], Awaitable[None]]) -> Position:
        """Publish what the last worker staged and may not have sent. Call it with the lock held."""
        row = await self._db.fetchrow(TAKE_OVER, *partition)
        assert row is not None
        crash_point("step.after_take_over")
        await self._check(partition, row["next_offset"])
        seen = await self._db.fetch(
            "select source, sequence from step_seen where topic = $1 and partition = $2", *partition
        )
        position = Position(
            partition, row["next_offset"], row["sequence"], row["version"], row["cursor"], dict(list(seen))
        )
        if self._said is None:
            self._said = Said.unpacked(await self._db.fetchval("select said from step_said"))
        await load(self._db)
        crash_point("step.after_load")
        outs = unpack(row["staged"])
        await self._send(partition, row["sequence"] - len(outs), outs)
        crash_point("step.after_resend")
        self.positions[partition] = position
        return position

    def let_go(self, partition: Partition) -> None:
        """Call it with the lock held."""
        self.positions.pop(partition, None)

    def admit(self, position: Position, record: Record, headers: Mapping[str, bytes]) -> Event | None:
        """The event to decide on; None if it was decided or sent before, is passed over, or breaks its contract."""
        if record.offset < position.next_offset:
            return None
        position.next_offset, position.taken_ms = record.offset + 1, record.timestamp
        try:
            if self._is_repeat(position, headers) or headers.get("ce_type") in self._passed_over:
                return None
            event: Event = decode(record.topic, record.value, headers)
        except BadRecord as error:
            self._set_aside(position, record, str(error))
            return None
        return event

    def decided(self, position: Position, event: Event, decide: Callable[[Event], Iterable[Event | Out]]) -> None:
        """Decide on the event, below its span where its trace is sampled; keep what it causes."""
        span = self._telemetry.begin(f"{self._service} {event.type}", event)  # type: ignore[attr-defined]  # all have one
        if span is None:
            self.say(position, decide(event))
            return
        try:
            event.__dict__["traceparent"] = span.traceparent  # decoded for this step alone: no copy needed
            self.say(position, decide(event))
        finally:
            span.end()

    def say(self, position: Position, outs: Iterable[Event | Out]) -> None:
        position.outs += unsaid(self._said, [encoded(out, self._telemetry) for out in outs])

    async def commit(self, positions: Sequence[Position]) -> None:
        """State, positions and outputs in one transaction, or nothing; then hand the outputs to the broker."""
        if not positions:
            return
        moves = [
            (*p.partition, p.version, p.next_offset, p.sequence + len(p.outs), pack(p.outs), p.cursor)
            for p in positions
        ]
        news = [(*p.partition, source, sequence) for p in positions for source, sequence in p.fresh.items()]
        crash_point("step.before_ack")
        with self._telemetry.publish_seconds.time():
            await acknowledged(self._in_flight)
        crash_point("step.after_ack")
        with self._telemetry.commit_seconds.time():
            writing = Writing(self._db)
            try:
                await self._save(writing)
                await writing.end(ADVANCE, *columns(moves, 7), *columns(news, 4), len(moves))
            except asyncpg.DivisionByZeroError:
                where = [tuple(position.partition) for position in positions]
                raise Fenced(f"another worker went on with one of {where}") from None
        crash_point("step.after_commit")
        for position in positions:
            outs, first = position.outs, position.sequence
            position.sequence, position.version = first + len(outs), position.version + 1
            position.outs, position.fresh = [], {}
            await self._send(position.partition, first, outs)
            crash_point("step.after_send")

    async def flush(self) -> None:
        """Wait until the broker has acknowledged everything handed over."""
        await acknowledged(self._in_flight)

    def source(self, partition: Partition) -> str:
        return f"{self._service}/{partition.topic}/{partition.number}"

    def _is_repeat(self, position: Position, headers: Mapping[str, bytes]) -> bool:
        try:
            source, sequence = headers["ce_source"].decode(), int(headers["ce_sequence"])
        except (KeyError, ValueError) as error:
            raise BadRecord(f"headers: ce_source and ce_sequence tell repeats apart ({error})") from None
        if sequence > position.seen.get(source, -1):
            position.seen[source] = position.fresh[source] = sequence
            return False
        # a watermark carries the number of the data before it, and repeating it changes nothing
        return headers.get("ce_type") != WATERMARK

    def _set_aside(self, position: Position, record: Record, reason: str) -> None:
        """The record goes to the dead letters as it came; its two numbers give way to the step's own."""
        self._telemetry.dead_letters.labels(record.topic).inc()
        self._telemetry.log.warning(
            "dead letter", topic=record.topic, partition=record.partition, offset=record.offset, reason=reason
        )
        kept = [(f"dl_{n}" if n in {"ce_source", "ce_sequence"} else n, v) for n, v in record.headers]
        origin = [
            ("dl_reason", reason.encode()[:2000]),
            ("dl_topic", record.topic.encode()),
            ("dl_partition", b"%d" % record.partition),
            ("dl_offset", b"%d" % record.offset),
        ]
        position.outs.append(Encoded(self._dead_letters, None, record.key or b"", record.value, [*kept, *origin]))

    async def _send(self, partition: Partition, first: int, outs: Sequence[Encoded]) -> None:
        source = self.source(partition)
        records = [Encoded(*out[:4], numbered(out.headers, source, n)) for n, out in enumerate(outs, first + 1)]
        self._in_flight += await self._publisher.hand_over(records)


class PlainStep:
    """A poll of a plain stage: all of it or none."""

    def __init__(self, step: Step, stage: Stage, telemetry: Telemetry) -> None:
        self._step, self._stage, self._telemetry = step, stage, telemetry

    async def take_over(self, partition: Partition) -> int:
        async with self._step.lock:
            position = await self._step.take_over(partition, lambda db: self._stage.load(db, partition))
            return position.next_offset

    async def let_go(self, partition: Partition) -> None:
        async with self._step.lock:
            self._step.let_go(partition)

    async def run(self, batch: Mapping[Partition, Sequence[Record]]) -> dict[Partition, int]:
        """Handle the records of a poll, those of one partition in order.

        Returns the partitions refused because their records begin beyond next_offset, with the offset to read from.
        """
        async with self._step.lock:
            mine = {self._step.positions[p]: records for p, records in batch.items() if p in self._step.positions}
            refused = {p.partition: p.next_offset for p, records in mine.items() if records[0].offset > p.next_offset}
            accepted = {p: records for p, records in mine.items() if p.partition not in refused}
            began = time.perf_counter()
            await self._run(accepted)
            self._telemetry.batch(sum(map(len, accepted.values())), time.perf_counter() - began)
            return refused

    async def _run(self, batch: Mapping[Position, Sequence[Record]]) -> None:
        admitted = [
            (position, event)
            for position, records in batch.items()
            for record in records
            if (event := self._step.admit(position, record, dict(record.headers))) is not None
        ]
        if admitted:
            await self._stage.prepare([event for _, event in admitted])
        crash_point("plain.after_prepare")
        for position, event in admitted:
            self._step.decided(position, event, partial(self._stage.decide, position.partition))
        crash_point("plain.after_decide")
        await self._step.commit(list(batch))


def pack(outs: Sequence[Encoded]) -> bytes:
    packed: bytes = msgpack.packb(outs)
    return packed


def unpack(staged: bytes) -> list[Encoded]:
    rows = msgpack.unpackb(staged, use_list=False)
    return [Encoded(topic, partition, key, value, list(headers)) for topic, partition, key, value, headers in rows]
