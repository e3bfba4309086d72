"""The service as a process, on Apache Kafka and PostgreSQL, killed at bad moments."""

import asyncio
import os
import socket
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from contracts.base import Event, named_id
from contracts.canonical import snapshot_bytes
from contracts.competition import RoundClosed, SeasonChanged, SeasonRules
from contracts.topics import TOPICS
from contracts.wire import decode, encode, header, numbered

START = datetime(2026, 1, 1, 7, 55, tzinfo=UTC)
WITHIN_S = 120
OWN = "market-data/"
"""Its sources begin so."""
ROUNDS, CADENCE_S, DEADLINE_S = 8, 60, 20
FEED_ENDS = START + timedelta(seconds=ROUNDS * CADENCE_S)
TELLS = [name for name, topic in TOPICS.items() if topic.producer == "market-data"]
SEASON = SeasonChanged(
    event_id=named_id("market-test"),
    at=START,
    season_id="market-test",
    name="Market test",
    venue="synthetic",
    clock="lockstep",
    starts_at=START,
    rules_sha256="0" * 64,
    rules=SeasonRules(
        instruments=("BTC-USDT-PERP", "DOGE-USDT-PERP"),
        capital=Decimal(10_000),
        cadence_s=CADENCE_S,
        deadline_s=DEADLINE_S,
        leverage_max=Decimal(10),
        order_notional_max=Decimal(20_000),
        position_notional_max=Decimal(30_000),
        price_band=Decimal("0.02"),
    ),
)


def held_at(number: int) -> datetime:
    return START + timedelta(seconds=(number - 1) * CADENCE_S + DEADLINE_S)


class Reader:
    """Everything that market-data has told, from the beginning."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.records: list[Any] = []

    async def until_snapshot(self, number: int) -> None:
        await self.until(lambda: number in self.rounds())

    async def until(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not enough():
                await self.poll()

    async def poll(self) -> None:
        for records in (await self._consumer.getmany(timeout_ms=200)).values():
            # the broker is shared with other tests, which say what market-data might have said
            self.records += [each for each in records if (header(each.headers, "ce_source") or "").startswith(OWN)]

    def rounds(self) -> list[int]:
        return [event.round for event in self.events("market.snapshots.v1") if event.season_id == "market-test"]

    def passed(self) -> dict[tuple[str, int], datetime]:
        """The latest watermark of each partition."""
        passed: dict[tuple[str, int], datetime] = {}
        for record in self.records:
            if header(record.headers, "ce_type") == "arena.time_advanced":
                where, at = (
                    (record.topic, record.partition),
                    datetime.fromisoformat(header(record.headers, "ce_time") or ""),
                )
                passed[where] = max(at, passed.get(where, at))
        return passed

    def events(self, topic: str) -> list[Any]:
        return [decode(topic, record.value, record.headers) for record in self.records if record.topic == topic]


@asynccontextmanager
async def reader(kafka: str) -> AsyncIterator[Reader]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        counts = {topic: 2 if TOPICS[topic].spread == "market" else 1 for topic in TELLS}
        consumer.assign([TopicPartition(topic, n) for topic, count in counts.items() for n in range(count)])
        yield Reader(consumer)
    finally:
        await consumer.stop()


@asynccontextmanager
async def market_data(stack: Any, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    told = {
        "KAFKA": stack.kafka, "POSTGRES": stack.dsns["market-data"], "VENUE": "synthetic", "SEED": "7", "SPEED": "max",
        "SEASON": "market-test", "END_AFTER_S": str(ROUNDS * CADENCE_S), "HEALTH_PORT": str(port),
    }  # fmt: skip
    env = os.environ | {f"MARKET_DATA_{name}": value for name, value in told.items()}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "market_data", env=env)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), WITHIN_S)


class Judge:
    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer, self._told = producer, 0

    async def tell(self, event: Event) -> None:
        self._told += 1
        record = encode(event)
        headers = numbered(record.headers, "market-data-test", self._told)
        await self._producer.send_and_wait(record.topic, record.value, record.key, headers=headers)

    async def close(self, number: int) -> None:
        event_id = named_id("market-test", "closed", number)
        closed = RoundClosed(
            event_id=event_id, at=held_at(number), season_id="market-test", round=number, answered=0, missed=0, judged=0
        )
        await self.tell(closed)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


async def metric(port: int, name: str) -> float:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))


async def ended(port: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not await metric(port, "market_data_feed_ended"):  # noqa: ASYNC110  # a gauge tells nobody
            await asyncio.sleep(0.2)


@pytest.mark.slow
async def test_a_season_in_lockstep_with_kills_loses_nothing_and_doubles_nothing(stack: Any) -> None:
    async with reader(stack.kafka) as heard, AIOKafkaProducer(bootstrap_servers=stack.kafka, acks="all") as producer:
        judge, port = Judge(producer), free_port()
        await judge.tell(SEASON)
        async with market_data(stack, port) as first:
            for number in (1, 2):
                await heard.until_snapshot(number)
                await judge.close(number)
            await heard.until_snapshot(3)
            first.kill()  # somewhere before or in the hold of round 3
            await first.wait()
        async with market_data(stack, port) as second:
            await judge.close(3)
            for number in (4, 5):
                await heard.until_snapshot(number)
                await judge.close(number)
            second.kill()  # on the way to round 6
            await second.wait()
        async with market_data(stack, port) as third:
            for number in range(6, ROUNDS + 1):
                await heard.until_snapshot(number)
                await judge.close(number)
            await ended(port)
            assert third.returncode is None
        assert third.returncode == 0
        await heard.until(lambda: set(heard.passed().values()) == {FEED_ENDS})

    _check_numbers(heard)
    _check_watermarks(heard)
    _check_snapshots(heard)
    await _check_history(stack.postgres, heard)


def _check_numbers(heard: Reader) -> None:
    """Each sequence is there from 1 on, and a repeat says the same as the first time."""
    values: dict[str, dict[int, bytes]] = defaultdict(dict)
    for record in heard.records:
        if header(record.headers, "ce_type") != "arena.time_advanced":
            source, sequence = header(record.headers, "ce_source"), int(header(record.headers, "ce_sequence") or 0)
            assert source == f"market-data/synthetic/{record.topic}/{record.partition}"
            assert values[source].setdefault(sequence, record.value) == record.value
    for topic in ("market.quotes.v1", "market.trades.v1", "market.marks.v1", "market.bars.v1"):
        assert any(source.split("/")[2] == topic for source in values)
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in values.values())


def _check_watermarks(heard: Reader) -> None:
    """Nothing at or before a watermark follows it for the first time, and none passes a hold that was not released."""
    passed: dict[tuple[str, int], datetime] = {}
    seen: set[bytes] = set()
    for record in heard.records:
        event = decode(record.topic, record.value, record.headers)
        where = record.topic, record.partition
        if event.type == "time_advanced":
            passed[where] = max(event.at, passed.get(where, event.at))
            holding = event.closed_round + 1
            assert event.at <= held_at(holding)
        elif record.value not in seen:
            seen.add(record.value)
            assert where not in passed or event.at > passed[where]
    assert len(passed) == 8


def _check_snapshots(heard: Reader) -> None:
    snapshots = {
        event.round: event for event in heard.events("market.snapshots.v1") if event.season_id == "market-test"
    }
    assert sorted(snapshots) == list(range(1, ROUNDS + 1))
    for number, snapshot in snapshots.items():
        assert snapshot.at == START + timedelta(seconds=(number - 1) * CADENCE_S)
        assert len(snapshot_bytes(snapshot)) > 1_000
        for shown in snapshot.instruments:
            assert None not in (*shown.intraday.ema50, *shown.context.ema50, shown.bid, shown.ask, shown.mark_price)
            assert shown.intraday.closes_at[-1] > snapshot.at - timedelta(minutes=3)


async def _check_history(postgres: str, heard: Reader) -> None:
    bars = {event.event_id: event for event in heard.events("market.bars.v1") if event.type == "bar_closed"}
    marks = {event.event_id for event in heard.events("market.marks.v1") if event.type == "mark_updated"}
    async with await psycopg.AsyncConnection.connect(postgres) as db:
        query = "select instrument, opened_at, close from market_data.bars where venue = 'synthetic'"
        written = await (await db.execute(query)).fetchall()
        query = "select count(*) from market_data.marks where venue = 'synthetic'"
        (count,) = (await (await db.execute(query)).fetchall())[0]
    assert {(bar.instrument, bar.opened_at, bar.close) for bar in bars.values()} == set(written)
    assert count == len(marks)
