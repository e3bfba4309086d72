"""The service as a process, on Apache Kafka: requests in, signals out, killed in between."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from arena.stack.kafka import EmbeddedKafka
from chassis.topics import provision
from contracts.base import Event
from contracts.signals import DecisionMissed, SignalProposed
from contracts.wire import Encoded, decode, encode, header, numbered
from signal_runtime.testing import BTC, ETH, competitor, market, portfolio, request, season, snapshot, spec

RISING: dict[str, Any] = {"close": [str(990 + n) for n in range(10)], "macd": ["1"], "atr14": ["4"]}
MODELS = {"ann": "momentum", "bob": "buy_and_hold", "cid": "offline-llm", "dan": "broken", "eve": "malformed"}
WITHIN_S = 30


class Read(NamedTuple):
    source: str
    sequence: int
    event: Any


@asynccontextmanager
async def runtime(kafka: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **os.environ,
        "SIGNAL_RUNTIME_KAFKA": f"127.0.0.1:1,{kafka}",  # the first of two brokers is down
        "SIGNAL_RUNTIME_OBJECT_STORE": f"file://{folder}/objects",
        "SIGNAL_RUNTIME_TRACES_FILE": str(folder / "traces.jsonl"),
        "SIGNAL_RUNTIME_TEST_MODELS": "true",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "signal_runtime", env=environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), WITHIN_S)


async def publish(producer: AIOKafkaProducer, events: Sequence[Event | Encoded], first: int = 1) -> None:
    for sequence, event in enumerate(events, first):
        record = event if isinstance(event, Encoded) else encode(event)
        headers = numbered(record.headers, "test", sequence)
        await producer.send_and_wait(record.topic, record.value, record.key, headers=headers)


def opened(number: int) -> list[Event]:
    shown = snapshot(market(BTC, **RISING), market(ETH), number=number)
    portfolios = [
        portfolio(competitor=name, number=number).model_copy(update={"event_id": UUID(int=number * 100 + n)})
        for n, name in enumerate(MODELS)
    ]
    return [shown, *portfolios]


def requested(number: int) -> list[Event]:
    shown = snapshot(market(BTC, **RISING), market(ETH), number=number)
    return [
        request(name, number, shown).model_copy(update={"event_id": UUID(int=number * 1_000 + n)})
        for n, name in enumerate(MODELS)
    ]


async def signals_until(kafka: str, enough: Callable[[Sequence[Read]], bool], topic: str = "signals.v1") -> list[Read]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    found: list[Read] = []
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(2 if topic == "signals.v1" else 1)])
        async with asyncio.timeout(WITHIN_S):
            while not enough(found):
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    for record in records:
                        event = decode(topic, record.value, record.headers) if topic == "signals.v1" else record
                        source = header(record.headers, "ce_source") or ""
                        found.append(Read(source, int(header(record.headers, "ce_sequence") or 0), event))
    finally:
        await consumer.stop()
    return found


def answered(number: int, *, without: Sequence[str] = ()) -> Callable[[Sequence[Read]], bool]:
    wanted = set(MODELS) - set(without)
    return lambda found: wanted <= {read.event.competitor_id for read in found if read.event.round == number}


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A broker of its own: requests of other tests' seasons would wait here for portfolios that never come."""
    async with EmbeddedKafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.bootstrap


@pytest.fixture
async def producer(kafka: str) -> AsyncIterator[AIOKafkaProducer]:
    await provision(kafka, competitor_partitions=2, market_partitions=2)
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as started:
        yield started


async def begun(producer: AIOKafkaProducer) -> None:
    registered = [
        competitor(name, model).model_copy(update={"event_id": UUID(int=10 + n)})
        for n, (name, model) in enumerate(MODELS.items())
    ]
    await publish(producer, [season(), *registered, spec(BTC), spec(ETH), *opened(1)])


def told(read: Sequence[Read]) -> dict[str, list[str]]:
    """What each said in the order of its sequence, repeats dropped as every reader drops them."""
    once = {(entry.source, entry.sequence): entry.event for entry in read}
    said: dict[str, list[str]] = {}
    for _, event in sorted(once.items(), key=lambda item: item[0]):
        kind = event.action if isinstance(event, SignalProposed) else event.reason
        said.setdefault(event.competitor_id, []).append(f"{event.round}:{kind}")
    return said


def values(read: Sequence[Read], number: int) -> set[tuple[str, int, str]]:
    """Everything but the trace context: as often as it was said, it was the same."""
    return {
        (entry.source, entry.sequence, entry.event.model_dump_json()) for entry in read if entry.event.round == number
    }


async def test_requests_become_signals_also_when_the_process_is_killed_between(
    kafka: str, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    await begun(producer)
    bad = Encoded("decisions.requested.v1", None, b"ann", b'{"round": "many"}', [])
    async with runtime(kafka, tmp_path) as process:
        await publish(producer, [bad, *requested(1)], 100)
        first = await signals_until(kafka, answered(1))
        process.send_signal(signal.SIGKILL)
        await process.wait()
    # Round 2 is asked for while nobody listens; round 1 a second time, as after a crash of the asker.
    await publish(producer, [*opened(2), *requested(1), *requested(2)], 200)
    async with runtime(kafka, tmp_path):
        both = await signals_until(kafka, answered(2))
        letters = await signals_until(kafka, lambda found: len(found) > 0, "signal-runtime.dead-letter.v1")

    assert told(both) == {
        "ann": ["1:buy_to_enter", "2:buy_to_enter"],
        "bob": ["1:buy_to_enter", "1:buy_to_enter", "2:buy_to_enter", "2:buy_to_enter"],
        "cid": told(both)["cid"],
        "dan": ["1:model_error", "2:model_error"],
        "eve": ["1:malformed", "2:malformed"],
    }
    assert values(both, 1) == values(first, 1)
    assert all(isinstance(read.event, SignalProposed | DecisionMissed) for read in both)
    assert {read.event.traceparent[:36] for read in both} == {request().traceparent[:36]}
    assert (letters[0].event.value, header(letters[0].event.headers, "dl_offset")) == (b'{"round": "many"}', "0")
    assert "round: " in (header(letters[0].event.headers, "dl_reason") or "")


async def test_a_drained_process_leaves_nothing_to_be_read_again(
    kafka: str, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    async with runtime(kafka, tmp_path) as process:
        await publish(producer, [*opened(3), *requested(3)], 300)
        await signals_until(kafka, answered(3))
        process.terminate()
        assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id="signal-runtime", enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition("decisions.requested.v1", number) for number in (0, 1)]
        ends = await consumer.end_offsets(partitions)
        assert {where: await consumer.committed(where) for where in partitions} == ends
    finally:
        await consumer.stop()
