"""Operators, restarts and replicas: the gate as processes on Apache Kafka and PostgreSQL."""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from arena.stack.kafka import EmbeddedKafka
from arena.stack.postgres import EmbeddedPostgres
from chassis.migrate import migrate
from chassis.topics import provision
from contracts.base import Event, named_id
from contracts.competition import CompetitorRegistered, ExposureCap
from contracts.control import FlattenRequested, HaltRequested, ResumeRequested
from contracts.market import BookUpdated, MarkUpdated, TimeAdvanced
from contracts.orders import (
    DecisionJudged,
    LiquidationOrdered,
    OrderApproved,
    SignalRejected,
    TradingHalted,
    TradingResumed,
)
from contracts.wire import decode, encode, header, numbered
from risk_gate.testing import BTC, D, at, book, listed, mark, of_round, portfolio, position, season

PARTITIONS, WITHIN_S = 4, 60
COMPETITORS = ("ann", "bob", "cyd", "dan", "eve", "fay")


@dataclass
class World:
    """The rest of the arena, played by the test."""

    kafka: str
    dsn: str
    producer: Any
    sequences: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, instance: str = "0") -> None:
        settings = {"KAFKA": self.kafka, "POSTGRES": self.dsn, "LOG_LEVEL": "warning", "INSTANCE": instance}
        environment = os.environ | {f"RISK_GATE_{name}": value for name, value in settings.items()}
        self.processes[instance] = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "risk_gate", env=environment
        )

    async def kill(self, instance: str = "0") -> None:
        self.processes[instance].kill()
        await self.processes[instance].wait()

    async def say(self, *events: Event, source: str = "test", partition: int | None = None) -> None:
        for event in events:
            where = f"{source}/{event.topic}"
            self.sequences[where] += not isinstance(event, TimeAdvanced)
            record = encode(event)
            headers = numbered(record.headers, where, self.sequences[where])
            await self.producer.send(record.topic, record.value, record.key, headers=headers, partition=partition)
        await self.producer.flush()

    async def open_round(
        self, number: int, *, equity: str = "10000", held: str = "2", present: Sequence[str] | None = None
    ) -> None:
        """Prices up to the deadline, at which the market stands still, and everyone's portfolio."""
        opened = 60 * (number - 1)
        prices: list[Event] = [book(opened + 29), mark(opened + 29)]
        await self.say(*prices, partition=0)
        for topic in (BookUpdated, MarkUpdated):
            for place in range(PARTITIONS):
                name = named_id("time", topic.topic, place, number)
                now = TimeAdvanced(event_id=name, at=at(opened + 30), partition=place)
                record = encode(now, topic=topic.topic, partition=place)
                where = f"test/{topic.topic}"
                headers = numbered(record.headers, where, self.sequences[where])
                await self.producer.send(topic.topic, record.value, record.key, headers=headers, partition=place)
        everyone = [
            portfolio(position(held), competitor=who, round=number, equity=D(equity)) for who in COMPETITORS
        ]  # fmt: skip
        await self.say(*everyone)

    async def decide(self, number: int) -> None:
        """Everyone buys, in the only part of its decision."""
        await self.say(*[of_round(number, competitor_id=who, quantity="0.1") for who in COMPETITORS])

    async def takeovers(self) -> int:
        """Counts partitions that changed hands, as long as nothing is decided."""
        db = await asyncpg.connect(self.dsn)
        try:
            return int(await db.fetchval("select sum(version) from step_position"))
        finally:
            await db.close()

    async def orders(self, enough: Callable[[list[Any]], bool]) -> list[Any]:
        """`orders.v1` as every reader sees it, in the order of each partition; what was sent twice counts once."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, auto_offset_reset="earliest")
        await consumer.start()
        found: list[Any] = []
        seen: dict[tuple[int, str | None], int] = {}
        try:
            consumer.assign([TopicPartition(OrderApproved.topic, number) for number in range(PARTITIONS)])
            async with asyncio.timeout(WITHIN_S):
                while not enough(found):
                    for where, records in (await consumer.getmany(timeout_ms=100)).items():
                        for record in records:
                            key = where.partition, header(record.headers, "ce_source")
                            sequence = int(header(record.headers, "ce_sequence") or 0)
                            if sequence > seen.get(key, -1):
                                seen[key] = sequence
                                found.append(decode(OrderApproved.topic, record.value, record.headers))
        finally:
            await consumer.stop()
        return found


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with EmbeddedKafka(tmp_path / "kafka") as kafka, EmbeddedPostgres(tmp_path / "postgres") as postgres:
        await provision(kafka.bootstrap, competitor_partitions=PARTITIONS, market_partitions=PARTITIONS)
        dsn = await asyncio.to_thread(migrate, postgres.dsn, "risk-gate", password="secret")
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, enable_idempotence=True) as producer:
            made = World(kafka.bootstrap, dsn, producer)
            await made.say(season(), listed(), *map(registered, COMPETITORS))
            try:
                yield made
            finally:
                for process in made.processes.values():
                    if process.returncode is None:
                        process.kill()
                    await process.wait()


def registered(competitor: str) -> CompetitorRegistered:
    return CompetitorRegistered.model_validate({
        "event_id": named_id("registered", competitor), "at": at(0), "season_id": "s1", "competitor_id": competitor,
        "name": competitor, "mark": "AA", "hue": 0, "kind": "quant", "model": "test", "config_sha256": "0" * 64,
    })  # fmt: skip


def control(kind: Any, n: int, competitor: str | None = None) -> Any:
    return kind(
        event_id=named_id("control", n),
        at=at(n),
        season_id="s1",
        competitor_id=competitor,
        operator="op",
        reason="test",
    )


def judged(number: int) -> Callable[[list[Any]], bool]:
    return lambda found: of(found, DecisionJudged, number) == sorted(COMPETITORS)


def told(kind: Any, count: int = len(COMPETITORS)) -> Callable[[list[Any]], bool]:
    return lambda found: len(of(found, kind)) == count


def of(found: list[Any], kind: Any, number: int | None = None) -> list[str]:
    return sorted(
        event.competitor_id
        for event in found
        if isinstance(event, kind) and number in (None, getattr(event, "round", 0))
    )


EVERYONE = sorted(COMPETITORS)


@pytest.mark.slow
async def test_no_order_passes_after_a_halt_whoever_is_killed_and_a_resumption_lets_them_pass(world: World) -> None:
    await world.start()
    await world.open_round(1)
    await world.decide(1)
    await world.orders(judged(1))

    await world.say(control(HaltRequested, 1))
    await world.orders(told(TradingHalted))
    await world.open_round(2)
    await world.decide(2)
    await world.orders(judged(2))
    await world.kill()
    # judged by a process that never saw the halt arrive
    await world.open_round(3)
    await world.decide(3)
    await world.start()
    await world.orders(judged(3))
    await world.say(control(FlattenRequested, 2), control(ResumeRequested, 3))
    await world.orders(told(TradingResumed))
    await world.open_round(4)
    await world.decide(4)
    found = await world.orders(judged(4))

    assert [of(found, OrderApproved, number) for number in (1, 2, 3, 4)] == [EVERYONE, [], [], EVERYONE]
    assert {event.code for event in found if isinstance(event, SignalRejected)} == {"TRADING_HALTED"}
    assert of(found, TradingHalted) == of(found, TradingResumed) == of(found, LiquidationOrdered) == EVERYONE, "once"
    closes = [event for event in found if isinstance(event, LiquidationOrdered)]
    assert {(each.instrument, each.side, each.quantity) for each in closes} == {(BTC, "sell", D(2))}
    for who in COMPETITORS:
        mine = [event.type for event in found if event.competitor_id == who]
        halted, resumed = mine.index("trading_halted"), mine.index("trading_resumed")
        assert "order_approved" in mine[:halted]
        assert "order_approved" not in mine[halted:resumed]


@pytest.mark.slow
async def test_every_replica_judges_by_the_orders_of_operators_and_one_tells_them(world: World) -> None:
    await world.start("0")
    await world.open_round(1)
    await world.decide(1)
    await world.orders(judged(1))
    before = await world.takeovers()
    await world.start("1")
    while await world.takeovers() == before:  # noqa: ASYNC110  # the group is shared when it is
        await asyncio.sleep(0.05)
    # acknowledged by the broker before anyone decides: nobody may pass, whichever replica has it
    await world.say(control(HaltRequested, 1), control(HaltRequested, 2, "ann"))
    await world.open_round(2)
    await world.decide(2)
    found = await world.orders(lambda found: judged(2)(found) and told(TradingHalted)(found))
    assert of(found, OrderApproved, 2) == []

    # the control partition moves to who is left
    await world.kill("0")
    await world.say(control(ResumeRequested, 3))
    await world.open_round(3)
    await world.decide(3)
    found = await world.orders(lambda found: judged(3)(found) and told(TradingResumed, 5)(found))

    assert of(found, OrderApproved, 3) == [who for who in EVERYONE if who != "ann"], "ann was halted by name too"
    assert of(found, TradingHalted) == EVERYONE


@pytest.mark.slow
async def test_a_breaker_trips_once_across_a_restart_and_halts(world: World) -> None:
    await world.start()
    await world.open_round(1)
    await world.decide(1)
    await world.orders(judged(1))
    await world.kill()
    await world.open_round(2, equity="9400")
    await world.decide(2)
    await world.start()
    await world.orders(judged(2))
    await world.kill()
    await world.open_round(3, equity="9400")
    await world.decide(3)
    await world.start()
    found = await world.orders(judged(3))

    assert of(found, TradingHalted) == EVERYONE
    # 10000 to 9400
    assert {event.value for event in found if isinstance(event, TradingHalted)} == {D("0.06")}
    assert of(found, OrderApproved, 2) == of(found, OrderApproved, 3) == []
    assert {event.code for event in found if isinstance(event, SignalRejected)} == {"BREAKER_TRIPPED"}


@pytest.mark.slow
async def test_a_verdict_on_the_arenas_exposure_waits_for_everyones_portfolio(world: World) -> None:
    # 6 hold 2 at 1000 each; one order of 0.1 makes 12,100
    cap = ExposureCap(name="all", scope="arena", gross_max=D(12_100))
    await world.say(season(exposure=[cap]))
    await world.open_round(1, present=COMPETITORS[:-1])
    await world.decide(1)
    await world.start()
    await world.open_round(1, present=COMPETITORS[-1:])
    found = await world.orders(judged(1))

    checks = [check for event in found if isinstance(event, OrderApproved) for check in event.checks]
    assert {check.value for check in checks if check.rule == "exposure"} == {D(12_100)}
    assert of(found, OrderApproved, 1) == EVERYONE, "nobody's order is counted for another's verdict"
