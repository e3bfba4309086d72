"""The loop of a plain stage: polls, runs the step, seeks back where the step refused, commits offsets for onlookers."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from chassis.crash_points import crash_point
from chassis.health import Loop
from chassis.step import Connection, Partition, PlainStep, Step
from chassis.telemetry import Telemetry


class Lost(Exception):
    """The broker no longer has a record that was never decided: retention was shorter than the outage."""


class OtherBroker(Exception):
    """The positions belong to another broker, or to this one before it was wiped."""


class Worker(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    def __init__(
        self, consumer: AIOKafkaConsumer, plain: PlainStep, onlookers: "Onlookers", max_records: int = 500
    ) -> None:
        self._consumer, self._plain, self._onlookers, self._max_records = consumer, plain, onlookers, max_records
        self._failure: BaseException | None = None

    async def run(self, topics: Sequence[str], stopping: asyncio.Event, loop: Loop) -> None:
        self._consumer.subscribe(topics, listener=self)
        while not stopping.is_set():
            polled = await self._consumer.getmany(timeout_ms=200, max_records=self._max_records)
            if self._failure is not None:
                raise self._failure
            if polled:
                crash_point("worker.after_poll")
                self._go_back(await self._plain.run({Partition(*where): some for where, some in polled.items()}))
            await self._onlookers.tell()
            loop.turned()
            if self._consumer.assignment():
                loop.ready()
        await self._onlookers.tell(now=True)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        try:
            for where in sorted(assigned):
                crash_point("worker.assigned")
                self._consumer.seek(where, await self._plain.take_over(Partition(*where)))
        except BaseException as error:
            self._failure = error  # aiokafka would log it and go on
            raise

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        for where in revoked:
            crash_point("worker.revoked")
            await self._plain.let_go(Partition(*where))

    def _go_back(self, refused: Mapping[Partition, int]) -> None:
        """getmany hands out records of a new partition while take_over is at work, from wherever the group stood."""
        for partition, offset in refused.items():
            where = TopicPartition(*partition)
            if where in self._consumer.assignment():
                self._consumer.seek(where, offset)


class Offsets:
    """What the broker still has. The asker fetches nothing: a consumer's question would wait behind its long poll."""

    def __init__(self, asker: AIOKafkaConsumer) -> None:
        self._asker = asker

    async def check(self, partition: Partition, offset: int) -> None:
        """Raises Lost or OtherBroker where the broker cannot go on from the offset."""
        where = TopicPartition(*partition)
        first, end = (await self._asker.beginning_offsets([where]))[where], (await self.ends([where]))[where]
        if first > offset:
            raise Lost(f"{partition.topic}[{partition.number}] begins at {first}, {offset} was to be decided next")
        if end < offset:
            what = f"{partition.topic}[{partition.number}] ends at {end}, {offset} was to be decided next"
            raise OtherBroker(f"{what}: the broker was wiped. {WAY_OUT}")

    async def ends(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        ends: dict[TopicPartition, int] = await self._asker.end_offsets(partitions)
        return ends


WAY_OUT = (
    "Start the broker that the positions belong to, or give up what this service knows and begin anew: "
    "python -m chassis.migrate --reset SERVICE"
)


async def ensure_same_broker(db: Connection, cluster: str, service: str) -> None:
    """Keep the cluster's id beside the positions at the first start; raises OtherBroker at any other cluster later."""
    await db.execute(
        "insert into step_broker select $1 where not exists (select from step_broker) on conflict do nothing", cluster
    )
    known = await db.fetchval("select cluster_id from step_broker")
    if known != cluster:
        raise OtherBroker(f"{service} has positions of Kafka cluster {known}, this is {cluster}. {WAY_OUT}")


class Onlookers:
    """Commits offsets at most once a second: lag monitors read them, the step never does."""

    def __init__(self, consumer: AIOKafkaConsumer, step: Step, telemetry: Telemetry, stage: object) -> None:
        self._consumer, self._step, self._telemetry = consumer, step, telemetry
        self._sizes: Callable[[], Mapping[str, int]] = getattr(stage, "sizes", dict)
        self._told_at = 0.0

    async def tell(self, *, now: bool = False) -> None:
        if not now and time.monotonic() - self._told_at < 1:  # a pace, no time of the arena
            return
        self._told_at = time.monotonic()  # as above
        for kind, size in self._sizes().items():
            self._telemetry.state_size.labels(kind).set(size)
        assigned = self._consumer.assignment()
        offsets = {
            where: position.next_offset
            for partition, position in self._step.positions.items()
            if (where := TopicPartition(*partition)) in assigned
        }
        for where, offset in offsets.items():
            if (end := self._consumer.highwater(where)) is not None:
                self._lag(where, max(0, end - offset))
        if offsets:
            crash_point("onlookers.before_offsets")
            with suppress(KafkaError):  # a rebalance is under way; the next commit will do
                await self._consumer.commit(offsets)
            crash_point("onlookers.after_offsets")

    def _lag(self, where: TopicPartition, behind: int) -> None:
        """In records, and in seconds: what a reader can feel. One that has taken nothing yet does not know its age."""
        taken_ms = self._step.positions[Partition(*where)].taken_ms
        age_s = max(0.0, time.time() - taken_ms / 1e3) if behind and taken_ms else 0.0
        self._telemetry.lag.labels(where.topic, where.partition).set(behind)
        self._telemetry.lag_seconds.labels(where.topic, where.partition).set(age_s)
