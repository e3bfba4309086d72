"""The service as a process, on Apache Kafka and PostgreSQL: a season announced once, rounds opened and closed once."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from contracts.base import Event, named_id
from contracts.market import MarketSnapshot
from contracts.orders import DecisionJudged
from contracts.topics import TOPICS
from contracts.wire import BadRecord, decode, encode, header, numbered

SEASON = Path(__file__).parents[1] / "seasons" / "recorded.yaml"
START = datetime(2026, 1, 1, tzinfo=UTC)
WITHIN_S = 40
COMPETITORS = (
    "momentum-1", "reversion-1", "trend-fast", "careful-owl", "bold-falcon", "contrary-fox", "buy-and-hold", "random-1",
)  # fmt: skip


class Read(NamedTuple):
    source: str
    sequence: int
    event: Any


def environment(stack: Any, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "COMPETITION_KAFKA": stack.kafka,
        "COMPETITION_POSTGRES": stack.dsns["competition"],
        "COMPETITION_SEASON": str(SEASON),
        "COMPETITION_STARTS_AT": START.isoformat(),
        **more,
    }


@asynccontextmanager
async def competition(stack: Any, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "competition", env=environment(stack, **more), stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.communicate(), WITHIN_S)


def snapshot(number: int) -> MarketSnapshot:
    return MarketSnapshot(
        event_id=named_id("test snapshot", number),
        at=START + timedelta(seconds=15 * (number - 1)),
        season_id="recorded",
        round=number,
        venue="recorded",
        instruments=(),
        sha256="ab" * 32,
    )


def judged(name: str, number: int, *, answered: bool = True) -> DecisionJudged:
    return DecisionJudged(
        event_id=UUID(int=number * 100 + COMPETITORS.index(name)),
        at=START + timedelta(seconds=15 * (number - 1) + 5),
        season_id="recorded",
        competitor_id=name,
        round=number,
        answered=answered,
        approved=0,
        rejected=0,
        held=1,
    )


async def publish(producer: AIOKafkaProducer, events: Sequence[Event], first: int) -> None:
    for sequence, event in enumerate(events, first):
        record = encode(event)
        headers = numbered(record.headers, "test", sequence)
        await producer.send_and_wait(record.topic, record.value, record.key, headers=headers)


async def read_until(kafka: str, topic: str, enough: Callable[[Sequence[Read]], bool]) -> list[Read]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    found: list[Read] = []
    try:
        partitions = 1 if TOPICS[topic].spread == "single" else 2
        consumer.assign([TopicPartition(topic, number) for number in range(partitions)])
        async with asyncio.timeout(WITHIN_S):
            while not enough(found):
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    for record in records:
                        source, sequence = header(record.headers, "ce_source"), header(record.headers, "ce_sequence")
                        with suppress(BadRecord):
                            event = decode(topic, record.value, record.headers)
                            if event.season_id == "recorded":  # other tests use the broker too
                                found.append(Read(source or "", int(sequence or 0), event))
    finally:
        await consumer.stop()
    return found


async def logged(process: asyncio.subprocess.Process, what: str) -> str:
    """What it logged up to and with the line that holds `what`, or up to its end."""
    assert process.stderr is not None
    lines: list[str] = []
    async with asyncio.timeout(WITHIN_S):
        while not (lines and (what in lines[-1] or not lines[-1])):
            lines.append((await process.stderr.readline()).decode())
    return "".join(lines)


def at_least(count: int) -> Callable[[Sequence[Read]], bool]:
    return lambda found: len({(read.source, read.sequence) for read in found}) >= count


def once(read: Sequence[Read]) -> list[Any]:
    """Repeats dropped, as every reader drops them."""
    return list({(entry.source, entry.sequence): entry.event for entry in read}.values())


@pytest.fixture
async def producer(stack: Any) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka, acks="all") as started:
        yield started


async def test_a_season_runs_its_rounds_also_when_the_process_is_killed_within_one(
    stack: Any, producer: AIOKafkaProducer
) -> None:
    async with competition(stack) as process:
        announced = await read_until(stack.kafka, "competition.v1", at_least(11))
        await publish(producer, [snapshot(1)], 1)
        requests = await read_until(stack.kafka, "decisions.requested.v1", at_least(8))
        await publish(producer, [judged(name, 1) for name in COMPETITORS[:5]], 2)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    await publish(producer, [judged(name, 1, answered=name != "random-1") for name in COMPETITORS[5:]], 7)
    # A resumed season keeps its start, whatever the second start is told.
    async with competition(stack, COMPETITION_STARTS_AT=(START + timedelta(1)).isoformat()):
        await read_until(stack.kafka, "rounds.v1", at_least(2))
        await publish(producer, [snapshot(2), *[judged(name, 2) for name in COMPETITORS]], 10)
        rounds = once(await read_until(stack.kafka, "rounds.v1", at_least(4)))
        again = await read_until(stack.kafka, "competition.v1", at_least(11))

    assert [(event.type, event.round) for event in rounds] == [
        ("round_opened", 1), ("round_closed", 1), ("round_opened", 2), ("round_closed", 2),
    ]  # fmt: skip
    assert (rounds[1].answered, rounds[1].missed, rounds[1].judged) == (7, 1, 8)
    assert rounds[2].at == START + timedelta(seconds=15)
    assert len(again) == len(announced) == 11
    assert {read.event.competitor_id for read in requests} == set(COMPETITORS)
    traces = {read.event.traceparent[3:35] for read in requests}
    assert len(traces) == 8
    assert all(len(trace) == 32 for trace in traces)


async def test_a_second_process_does_not_write_the_season(stack: Any) -> None:
    async with competition(stack, COMPETITION_INSTANCE="0") as first:
        await logged(first, "season announced")
        async with competition(stack, COMPETITION_INSTANCE="1", COMPETITION_WRITER_WAIT_S="1") as second:
            said = await logged(second, "run one instance of competition")
            assert await asyncio.wait_for(second.wait(), WITHIN_S) != 0

    assert "run one instance of competition" in said


async def test_changed_rules_of_an_announced_season_stop_the_start(stack: Any, tmp_path: Path) -> None:
    async with competition(stack) as process:
        await logged(process, "season announced")
    changed = tmp_path / "season.yaml"
    changed.write_text(SEASON.read_text().replace("leverage_max: 10", "leverage_max: 20"))

    async with competition(stack, COMPETITION_SEASON=str(changed)) as process:
        said = await logged(process, "was announced otherwise")
        assert await asyncio.wait_for(process.wait(), WITHIN_S) != 0

    assert "season/recorded was announced otherwise: rules was" in said
