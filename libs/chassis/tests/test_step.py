"""The plain step on a real broker and a real database."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from chassis.bus import start_reader
from chassis.health import Loop
from chassis.keyed_stage import KeyedStage
from chassis.publish import Out
from chassis.said import Said
from chassis.step import Fenced, Partition, PlainStep, Step, unpack
from chassis.testing import World, halted
from chassis.worker import Lost, Offsets, OtherBroker, Worker, ensure_same_broker
from contracts.base import Event
from contracts.orders import TradingResumed
from contracts.wire import decode, encode, numbered

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Tally:
    numbers: list[int] = field(default_factory=list)


def note(tally: Tally, event: Any) -> Sequence[Event | Out]:
    tally.numbers.append(int(event.reason))
    return ()


def noting_into(topic: str) -> Callable[[Tally, Any], Sequence[Event | Out]]:
    def decide(tally: Tally, event: Any) -> Sequence[Event | Out]:
        note(tally, event)
        return [Out(halted(int(event.reason), event.competitor_id, traceparent=event.traceparent), topic)]

    return decide


@dataclass
class Wire:
    """A record as the consumer hands it over."""

    topic: str
    offset: int
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    partition: int = 0
    key: bytes = b"a"
    timestamp: int = 0


def wire(topic: str, offset: int, event: Event, sequence: int, source: str = "feed") -> Wire:
    record = encode(event)
    return Wire(topic, offset, record.value, numbered(record.headers, source, sequence))


@asynccontextmanager
async def step_of(
    world: World, stage: KeyedStage[Tally], publisher: Any = None, passed_over: Sequence[type[Event]] = ()
) -> AsyncIterator[PlainStep]:
    async with AsyncExitStack() as stack:
        db = await asyncpg.connect(world.dsn)
        stack.push_async_callback(db.close)
        asker = await start_reader(world.kafka)
        stack.push_async_callback(asker.stop)
        check = Offsets(asker).check
        publisher = publisher or world.publisher
        step = Step(db, world.service, publisher, world.telemetry, stage.save, check, passed_over)
        yield PlainStep(step, stage, world.telemetry)


async def numbers(world: World) -> list[str]:
    return [row["body"] for row in await world.fetch("select body from state order by key")]


async def test_what_a_source_sent_twice_is_decided_once(world: World) -> None:
    where = Partition(await world.topic("orders.v1"), 0)
    async with step_of(world, KeyedStage(Tally, note)) as step:
        assert await step.take_over(where) == 0
        sent = [1, 2, 1, 2, 3, 2]
        assert await step.run({where: [wire(where.topic, at, halted(n), n) for at, n in enumerate(sent)]}) == {}
        assert await step.run({where: [wire(where.topic, 6, halted(1), 1), wire(where.topic, 7, halted(4), 4)]}) == {}
    assert await numbers(world) == ['{"numbers": [1, 2, 3, 4]}']
    assert dict(await world.fetch("select source, sequence from step_seen")) == {"feed": 4}
    assert (await world.fetch("select next_offset from step_position"))[0][0] == 8


async def test_what_was_seen_is_known_after_a_restart(world: World) -> None:
    where = Partition(await world.topic("orders.v1"), 0)
    for _ in range(8):
        await world.send(where.topic, halted(0))
    for first, some in ((0, [1, 2, 3]), (3, [2, 3, 4])):
        async with step_of(world, KeyedStage(Tally, note)) as step:
            assert await step.take_over(where) == first
            await step.run({where: [wire(where.topic, at, halted(n), n) for at, n in enumerate(some, first)]})
    assert await numbers(world) == ['{"numbers": [1, 2, 3, 4]}']


async def test_types_that_are_passed_over_are_counted_like_all_others_and_never_parsed(world: World) -> None:
    where = Partition(await world.topic("orders.v1"), 0)
    resumed = encode(TradingResumed(**halted(0).model_dump(exclude={"type"})))

    def other(offset: int, number: int) -> Wire:
        return Wire(where.topic, offset, b"{not JSON", numbered(resumed.headers, "feed", number))

    records = [wire(where.topic, 0, halted(1), 1), other(1, 2), other(2, 2), wire(where.topic, 3, halted(3), 3)]
    async with step_of(world, KeyedStage(Tally, note), passed_over=[TradingResumed]) as step:
        await step.take_over(where)
        await step.run({where: records})
        # what has the number of one that was passed over was sent twice, whatever it holds
        await step.run({where: [other(4, 4), wire(where.topic, 5, halted(4), 4), wire(where.topic, 6, halted(5), 5)]})
    assert await numbers(world) == ['{"numbers": [1, 3, 5]}']
    assert dict(await world.fetch("select source, sequence from step_seen")) == {"feed": 5}
    position = (await world.fetch("select next_offset, sequence from step_position"))[0]
    assert tuple(position) == (7, 0)  # no dead letter


async def test_a_type_that_nobody_knows_is_not_passed_over(world: World) -> None:
    where = Partition(await world.topic("orders.v1"), 0)
    headers = [(n, b"arena.trading_melted" if n == "ce_type" else v) for n, v in encode(halted(1)).headers]
    async with step_of(world, KeyedStage(Tally, note), passed_over=[TradingResumed]) as step:
        await step.take_over(where)
        await step.run({where: [Wire(where.topic, 0, b'{"type":"trading_melted"}', numbered(headers, "feed", 1))]})
    assert (await world.fetch("select sequence from step_position"))[0][0] == 1  # its dead letter


async def test_two_sources_count_for_themselves(world: World) -> None:
    where = Partition(await world.topic("orders.v1"), 0)
    async with step_of(world, KeyedStage(Tally, note)) as step:
        await step.take_over(where)
        pairs = [("x", 1), ("y", 1), ("x", 1), ("y", 2), ("x", 2)]
        records = [wire(where.topic, at, halted(at), n, source) for at, (source, n) in enumerate(pairs)]
        await step.run({where: records})
    assert await numbers(world) == ['{"numbers": [0, 1, 3, 4]}']


async def test_a_batch_that_begins_beyond_the_next_offset_is_refused_and_leaves_nothing(world: World) -> None:
    where = Partition(await world.topic("orders.v1"), 0)
    async with step_of(world, KeyedStage(Tally, note)) as step:
        await step.take_over(where)
        assert await step.run({where: [wire(where.topic, 3, halted(3), 3)]}) == {where: 0}
        assert await numbers(world) == []
        assert await step.run({where: [wire(where.topic, n, halted(n), n + 1) for n in range(4)]}) == {}
    assert await numbers(world) == ['{"numbers": [0, 1, 2, 3]}']


class Gapped:
    """A consumer that hands over what lies behind the position first, as aiokafka may after an assignment."""

    def __init__(self, where: TopicPartition, records: Sequence[Wire], stopping: asyncio.Event) -> None:
        self.where, self.records, self.stopping = where, records, stopping
        self.sought: list[int] = []

    def subscribe(self, topics: Sequence[str], listener: Worker) -> None:
        self.listener = listener

    def assignment(self) -> set[TopicPartition]:
        return {self.where}

    def seek(self, where: TopicPartition, offset: int) -> None:
        self.sought.append(offset)

    async def getmany(self, **_: Any) -> dict[TopicPartition, Sequence[Wire]]:
        if not self.sought:
            await self.listener.on_partitions_assigned({self.where})
            return {self.where: self.records[2:]}
        if len(self.sought) == 2:
            self.stopping.set()
            return {self.where: self.records[self.sought[-1] :]}
        raise AssertionError(f"read on at {self.sought}, though the batch was refused")


class NoOnlookers:
    async def tell(self, *, now: bool = False) -> None:
        pass


async def test_the_loop_seeks_back_where_the_step_refused(world: World) -> None:
    where = TopicPartition(await world.topic("orders.v1"), 0)
    stopping = asyncio.Event()
    consumer = Gapped(where, [wire(where.topic, n, halted(n), n + 1) for n in range(5)], stopping)
    async with step_of(world, KeyedStage(Tally, note)) as step:
        await Worker(consumer, step, NoOnlookers()).run([where.topic], stopping, Loop("test", 60))  # type: ignore[arg-type]
    assert consumer.sought == [0, 0]
    assert await numbers(world) == ['{"numbers": [0, 1, 2, 3, 4]}']


async def test_a_worker_that_lost_its_partition_commits_nothing_more(world: World) -> None:
    topic = await world.topic("orders.v1")
    where, out = Partition(topic, 0), await world.topic("orders.v1", tag="-out")
    async with (
        step_of(world, KeyedStage(Tally, noting_into(out))) as old,
        step_of(world, KeyedStage(Tally, noting_into(out))) as new,
    ):
        await old.take_over(where)
        await old.run({where: [wire(topic, 0, halted(1), 1)]})
        await world.send(topic, halted(1))
        await new.take_over(where)
        with pytest.raises(Fenced):
            await old.run({where: [wire(topic, 1, halted(2), 2)]})
        await new.run({where: [wire(topic, 1, halted(3), 3)]})
    assert await numbers(world) == ['{"numbers": [1, 3]}']
    reasons = [record.value for record in await world.records(out, 3, repeats=True)]
    assert [b'"reason":"1"' in value for value in reasons] == [True, True, False]  # staged, and sent again
    assert b'"reason":"3"' in reasons[2]


class Dying:
    """Stands for a process that dies between commit and publish."""

    async def hand_over(self, records: Sequence[Any]) -> list[Any]:
        if records:
            raise SystemError("killed")
        return []


async def test_outputs_of_a_process_that_died_before_it_published_are_sent_by_the_next(world: World) -> None:
    topic = await world.topic("orders.v1")
    where, out = Partition(topic, 0), await world.topic("orders.v1", tag="-out")
    for n in range(3):
        await world.send(topic, halted(n))
    async with step_of(world, KeyedStage(Tally, noting_into(out)), Dying()) as step:
        await step.take_over(where)
        records = [wire(topic, n, halted(n, traceparent=SAMPLED), n + 1) for n in range(3)]
        with pytest.raises(SystemError):
            await step.run({where: records})
    async with step_of(world, KeyedStage(Tally, noting_into(out))) as step:
        assert await step.take_over(where) == 3
        assert await step.take_over(where) == 3, "it died again, after it had published"
        assert await step.run({where: records}) == {}
    sent = await world.records(out, 6, repeats=True)
    headers = [dict(record.headers) for record in sent]
    assert {h["ce_source"] for h in headers} == {f"{world.service}/{topic}/0".encode()}
    assert [h["ce_sequence"] for h in headers] == [b"1", b"2", b"3"] * 2
    assert {h["traceparent"][3:35] for h in headers} == {SAMPLED[3:35].encode()}, "the trace goes on across the crash"
    assert {h["ce_id"] for h in headers} == {str(halted(n).event_id).encode() for n in range(3)}


async def test_positions_of_another_broker_stop_the_service_with_the_way_out(world: World) -> None:
    db = await asyncpg.connect(world.dsn)
    await ensure_same_broker(db, "cluster-one", world.service)
    await ensure_same_broker(db, "cluster-one", world.service)
    with pytest.raises(OtherBroker, match=r"cluster-one.*cluster-two.*chassis\.migrate --reset"):
        await ensure_same_broker(db, "cluster-two", world.service)
    await db.close()


async def test_a_wiped_broker_under_the_same_id_is_refused_before_anything_staged_is_sent(world: World) -> None:
    topic, out = await world.topic("orders.v1"), await world.topic("orders.v1", tag="-out")
    where = Partition(topic, 0)
    async with step_of(world, KeyedStage(Tally, noting_into(out))) as step:
        await step.take_over(where)
        await step.run({where: [wire(topic, n, halted(n), n + 1) for n in range(3)]})
        await world.records(out, 3)
    async with step_of(world, KeyedStage(Tally, noting_into(out)), Dying()) as step:
        with pytest.raises(OtherBroker, match="ends at 0, 3 was to be decided next"):
            await step.take_over(where)


async def test_records_deleted_before_they_were_decided_stop_the_service(world: World) -> None:
    topic = await world.topic("orders.v1")
    for n in range(4):
        await world.send(topic, halted(n))
    await world.admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=2)})
    async with step_of(world, KeyedStage(Tally, note)) as step:
        with pytest.raises(Lost, match="begins at 2, 0 was to be decided next"):
            await step.take_over(Partition(topic, 0))


async def test_a_failed_save_leaves_no_trace_of_the_batch(world: World) -> None:
    where = Partition(await world.topic("orders.v1"), 0)
    stage = KeyedStage(Tally, note)
    async with step_of(world, stage) as step:
        await step.take_over(where)
        stage._changed.add((where.topic, 0, "a\0b"))  # Postgres refuses the character
        stage._states[where.topic, 0, "a\0b"] = Tally()
        with pytest.raises(asyncpg.PostgresError):
            await step.run({where: [wire(where.topic, 0, halted(1), 1)]})
    assert await numbers(world) == []
    assert (await world.fetch("select next_offset from step_position"))[0][0] == 0


class Unacknowledging:
    """A producer whose broker keeps its acknowledgements until it is told."""

    def __init__(self) -> None:
        self.futures: list[asyncio.Future[None]] = []

    async def hand_over(self, records: Sequence[Any]) -> list[Any]:
        if records:
            self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1:] if records else []


async def staged(world: World) -> list[bytes]:
    rows = unpack((await world.fetch("select staged from step_position"))[0][0])
    return [re.search(b'"reason":"(.)"', row.value)[1] for row in rows]  # type: ignore[index]


async def test_outputs_are_replaced_by_the_next_ones_only_when_they_are_acknowledged(world: World) -> None:
    where, broker = Partition(await world.topic("orders.v1"), 0), Unacknowledging()
    async with step_of(world, KeyedStage(Tally, noting_into("out")), broker) as step:
        await step.take_over(where)
        await step.run({where: [wire(where.topic, 0, halted(1), 1)]})
        second = asyncio.create_task(step.run({where: [wire(where.topic, 1, halted(2), 2)]}))
        done, _ = await asyncio.wait({second}, timeout=0.3)
        assert not done, "nothing was acknowledged"
        assert await staged(world) == [b"1"]
        broker.futures[0].set_result(None)
        await second
        assert await staged(world) == [b"2"]


async def test_what_a_service_said_before_a_restore_no_partition_says_again_and_numbers_go_on(
    world: World,
) -> None:
    topic, out = await world.topic("orders.v1", 2), await world.topic("orders.v1", tag="-out")
    record = encode(halted(1))
    said = Said()
    said.add(record.topic, record.key, dict(record.headers))  # by partition 1, then; its cause is in partition 0 now
    await world.fetch("insert into step_said values ($1)", said.packed())
    await world.fetch("insert into step_position values ($1, 0, 0, 7)", topic)
    where = Partition(topic, 0)
    async with step_of(world, KeyedStage(Tally, noting_into(out))) as step:
        await step.take_over(where)
        await step.run({where: [wire(topic, n, halted(n), n) for n in (0, 1, 2)]})
        records = await world.records(out, 2)
    assert [decode(out, each.value).reason for each in records] == ["0", "2"]
    assert [dict(each.headers)["ce_sequence"] for each in records] == [b"8", b"9"]
    assert await numbers(world) == ['{"numbers": [0, 1, 2]}'], "it was decided again all the same"
