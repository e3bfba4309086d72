"""Signal, order, fill: both services as processes on Apache Kafka and PostgreSQL, killed between any two steps."""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
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
from contracts.executions import OrderCancelled
from contracts.market import BarClosed, BookUpdated, MarkUpdated, TimeAdvanced, TradePrinted
from contracts.orders import DecisionJudged, OrderApproved, SignalRejected
from contracts.portfolios import PortfolioUpdated
from contracts.signals import Attempt, ExitPlan, SignalProposed
from contracts.wire import decode, encode, header, numbered
from order_executor.testing import BTC, D, Fact, at, book, feed, halt, listed, mark, new_venue, order, rules, trade

PARTITIONS, WITHIN_S = 2, 60
COMPETITORS = ("ann", "bob", "cyd")
TIMED = (BookUpdated.topic, TradePrinted.topic, MarkUpdated.topic, BarClosed.topic)
ROUNDS = 6


@dataclass
class World:
    """The rest of the arena, played by the test."""

    kafka: str
    dsns: dict[str, str]
    producer: Any
    sequences: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)

    async def start(self, service: str, instance: str = "0") -> None:
        prefix = service.replace("-", "_")
        settings = {
            "KAFKA": self.kafka, "POSTGRES": self.dsns[service], "LOG_LEVEL": "warning", "INSTANCE": instance,
        }  # fmt: skip
        environment = os.environ | {f"{prefix.upper()}_{name}": value for name, value in settings.items()}
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", prefix, env=environment)
        self.processes[service + instance] = process

    async def kill(self, service: str, instance: str = "0") -> None:
        """And start it again, as a supervisor does."""
        self.processes[service + instance].kill()
        await self.processes[service + instance].wait()
        await self.start(service, instance)

    async def say(self, *events: Event, source: str, partition: int | None = None, sent: float | None = None) -> None:
        """`sent`: the second of arena time that the record says it was sent at."""
        timestamp_ms = None if sent is None else int(at(sent).timestamp() * 1000)
        for event in events:
            self.sequences[source] += not isinstance(event, TimeAdvanced)
            record = encode(event)
            headers = numbered(record.headers, source, self.sequences[source])
            await self.producer.send(
                record.topic, record.value, record.key, headers=headers, partition=partition, timestamp_ms=timestamp_ms
            )

    async def market_until(self, begin: int, end: int, closed_round: int) -> None:
        """One book, one trade and one mark a second, then the second's watermark in every partition."""
        for second in range(begin, end + 1):
            price = 100 + second * 7 % 13 - second % 5
            bids = f"{price - 1}x0.3 {price - 2}x0.4 {price - 3}x9"
            asks = f"{price + 1}x0.3 {price + 2}x0.4 {price + 3}x9"
            rate = {"rate": "0.0001", "stamp": 100.0 * (second // 100 + 1)}
            sold = trade(second, "sell", str(price - 1), "0.05")
            facts = [book(second, bids, asks), sold, mark(second, str(price), **rate)]  # type: ignore[arg-type]
            self.facts += facts
            for fact in facts:
                await self.say(fact.event, source=f"test/{fact.event.topic}", partition=0)
            for topic in TIMED:
                for number in range(PARTITIONS):
                    await self.advance(topic, number, second, closed_round)
        await self.producer.flush()

    async def advance(self, topic: str, number: int, second: float, closed_round: int = 0) -> None:
        name = named_id("time", topic, number, second)
        event = TimeAdvanced(event_id=name, at=at(second), partition=number, closed_round=closed_round)
        record, sequence = encode(event), self.sequences[f"test/{topic}"] if number == 0 else 0
        headers = numbered(record.headers, f"test/{topic}" if number == 0 else f"test/{topic}/{number}", sequence)
        await self.producer.send(topic, record.value, record.key, headers=headers, partition=number)

    async def until_pending(self, count: int) -> None:
        db = await asyncpg.connect(self.dsns["order-executor"])
        async with asyncio.timeout(WITHIN_S):
            while await db.fetchval("select count(*) from orders where status = 'pending'") < count:  # noqa: ASYNC110  # a table tells nobody
                await asyncio.sleep(0.05)
        await db.close()

    async def read_until(self, topic: str, enough: Any) -> list[Any]:
        """The topic's events as every reader sees them: what was sent twice counts once."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, auto_offset_reset="earliest")
        await consumer.start()
        found: list[Any] = []
        seen: dict[tuple[int, str | None], int] = {}
        try:
            consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
            async with asyncio.timeout(WITHIN_S):
                while not enough(found):
                    for where, records in (await consumer.getmany(timeout_ms=100)).items():
                        for record in records:
                            key = where.partition, header(record.headers, "ce_source")
                            sequence = int(header(record.headers, "ce_sequence") or 0)
                            if sequence > seen.get(key, -1):
                                seen[key] = sequence
                                found.append(decode(topic, record.value, record.headers))
        finally:
            await consumer.stop()
        return found


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with EmbeddedKafka(tmp_path / "kafka") as kafka, EmbeddedPostgres(tmp_path / "postgres") as postgres:
        await provision(kafka.bootstrap, competitor_partitions=PARTITIONS, market_partitions=PARTITIONS)
        services = "risk-gate", "order-executor"
        dsns = {name: await asyncio.to_thread(migrate, postgres.dsn, name, password="secret") for name in services}
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, enable_idempotence=True) as producer:
            world = World(kafka.bootstrap, dsns, producer)
            for name in services:
                await world.start(name)
            yield world
            for process in world.processes.values():
                process.kill()
                await process.wait()


def portfolio(competitor: str, number: int) -> PortfolioUpdated:
    names = (
        "realised_pnl", "unrealised_pnl", "fees", "funding", "margin_used", "exposure_gross", "exposure_net",
        "max_drawdown", "turnover",
    )  # fmt: skip
    return PortfolioUpdated.model_validate({
        "event_id": named_id("portfolio", competitor, number), "at": at(60 * (number - 1)), "season_id": "s1",
        "competitor_id": competitor, "seq": number, "round": number, "cause": "round", "capital": D(10_000),
        "equity": D(10_000), "cash": D(10_000), "margin_available": D(10_000), "peak_equity": D(10_000), "trades": 0,
        "wins": 0, "fills": 0, "books_balanced": True, **dict.fromkeys(names, D(0)),
    })  # fmt: skip


def decision(competitor: str, number: int) -> Sequence[SignalProposed]:
    """Three parts: a market order with an exit plan, a limit order to rest, and one whose size is no lot."""
    opened, side = 60 * (number - 1), (number + COMPETITORS.index(competitor)) % 3
    action = "sell_to_enter" if side == 0 else "buy_to_enter"
    plan = ExitPlan(take_profit=D(80), stop_loss=D(107)) if side == 0 else ExitPlan(take_profit=D(115), stop_loss=D(93))
    common: dict[str, Any] = {
        "at": at(opened + 1), "season_id": "s1", "competitor_id": competitor, "round": number, "parts": 3,
        "decision_id": named_id("decision", competitor, number), "deadline": at(opened + 30),
        "effective_at": at(opened + 30), "instrument": BTC, "leverage": D(2),
        "attempt": Attempt(model="test", offline=True, latency_ms=0),
        "traceparent": f"00-{number:032x}-{COMPETITORS.index(competitor) + 1:016x}-01",
    }  # fmt: skip
    said = [
        {"action": action, "quantity": D("0.9"), "exit_plan": plan},
        {"action": "buy_to_enter", "quantity": D("0.5"), "order_type": "limit", "limit_price": D(97),
         "time_in_force": "GTC"},
        {"action": "buy_to_enter", "quantity": D("0.0001")},
    ]  # fmt: skip
    return [
        SignalProposed.model_validate(
            common | parts | {"part": n, "event_id": named_id("signal", competitor, number, n)}
        )
        for n, parts in enumerate(said, 1)
    ]


async def decide(world: World, number: int) -> None:
    for competitor in COMPETITORS:
        await world.say(portfolio(competitor, number), source="pnl")
        await world.say(*decision(competitor, number), source=f"signal-runtime/{competitor}")
    await world.producer.flush()


async def until_judged(world: World, number: int) -> list[Any]:
    def enough(found: list[Any]) -> bool:
        return sum(isinstance(event, DecisionJudged) and event.round == number for event in found) == len(COMPETITORS)

    return await world.read_until(OrderApproved.topic, enough)


async def season(world: World, *, kills: bool) -> tuple[list[Any], list[Any]]:
    """Six rounds in lockstep; returns all verdicts and all executions."""
    await world.say(rules(price_stale_s=5), source="competition")
    await world.say(listed(BTC), source="listings")
    second = 0
    for number in range(1, ROUNDS + 1):
        held_at = 60 * (number - 1) + 30
        await world.market_until(second, held_at, closed_round=number - 1)
        second = held_at + 1
        if kills and number in (3, 5):
            await asyncio.sleep(0.1 * number)  # somewhere within the market's stream
            await world.kill("order-executor")
        await decide(world, number)
        if kills and number in (2, 5):
            await world.kill("risk-gate")
        verdicts = await until_judged(world, number)
        if kills and number in (2, 4):
            await world.kill("order-executor")
    await world.market_until(second, second + 40, closed_round=ROUNDS)

    def ended(found: list[Any]) -> bool:
        times = [event.at for event in found if isinstance(event, TimeAdvanced)]
        return len([t for t in times if t == at(second + 40)]) == PARTITIONS

    executions = await world.read_until("executions.v1", ended)
    return verdicts, [event for event in executions if not isinstance(event, TimeAdvanced)]


def expected(world: World, verdicts: list[Any], competitor: str) -> list[str]:
    """What one venue says that is told the same in one go."""
    venue = new_venue()
    orders = [each for each in verdicts if isinstance(each, OrderApproved) and each.competitor_id == competitor]
    facts = sorted(world.facts, key=lambda each: (each.at, each.event.topic))
    events = feed(venue, *orders, *facts)
    return [event.model_dump_json() for event in events]


@pytest.mark.slow
@pytest.mark.parametrize("kills", [False, True], ids=["undisturbed", "killed"])
async def test_signals_become_fills_once_whoever_is_killed(world: World, kills: bool) -> None:
    verdicts, executions = await season(world, kills=kills)

    approved = [each for each in verdicts if isinstance(each, OrderApproved)]
    rejected = [each for each in verdicts if isinstance(each, SignalRejected)]
    judged = [each for each in verdicts if isinstance(each, DecisionJudged)]
    assert len({each.event_id for each in verdicts}) == len(verdicts) == 4 * len(COMPETITORS) * ROUNDS
    assert {each.code for each in rejected} >= {"QUANTITY_BELOW_MIN"}
    assert len(judged) == len(COMPETITORS) * ROUNDS
    assert all((each.answered, each.approved + each.rejected) == (True, 3) for each in judged)

    assert {each.competitor_id for each in executions} == set(COMPETITORS)
    for competitor in COMPETITORS:
        said = [each.model_dump_json() for each in executions if each.competitor_id == competitor]
        assert said == expected(world, verdicts, competitor)
    said_of = {each.type for each in executions}
    assert said_of >= {"order_accepted", "order_filled", "exit_triggered", "funding_settled"}
    traces = {each.event_id: each.traceparent[:35] for each in approved}
    assert all(traces[each.order_id] == each.traceparent[:35] for each in executions if each.type == "order_accepted"
               and each.purpose == "decision")  # fmt: skip


def is_taken_back(event: Any) -> bool:
    return isinstance(event, OrderCancelled)


LIVE = "ann", "bob", "gus"  # in partitions 0, 0 and 1


@pytest.mark.slow
@pytest.mark.parametrize("kills", [False, True], ids=["undisturbed", "killed"])
async def test_a_live_order_executes_on_arrival_and_those_of_a_deadline_meet_its_book_on_every_replica(
    world: World, kills: bool
) -> None:
    await world.start("order-executor", "1")
    await world.say(rules(clock="live"), source="competition")
    await world.say(listed(BTC), source="listings")

    async def market(second: float, best: int, *, partitions: int = PARTITIONS) -> None:
        """A book of its own price, a mark, and the time in that many partitions of each topic."""
        for fact in (book(second, f"{best - 1}x9", f"{best}x9"), mark(second, str(best))):
            await world.say(fact.event, source=f"test/{fact.event.topic}", partition=0)
        for topic in TIMED:
            for number in range(partitions):
                await world.advance(topic, number, second)
        await world.producer.flush()

    async def filled(count: int) -> list[Any]:
        def enough(found: list[Any]) -> bool:
            return len([each for each in found if each.type == "order_filled"]) >= count

        return [each for each in await world.read_until("executions.v1", enough) if each.type == "order_filled"]

    async def disturb() -> None:
        for instance in ("0", "1") if kills else ():
            await world.kill("order-executor", instance)

    def opened(found: list[Any]) -> bool:
        return len({each.partition for each in found if isinstance(each, TimeAdvanced)}) == PARTITIONS

    await market(1, 100)
    await world.read_until("executions.v1", opened)
    for who in LIVE:  # the venue's time is 1, and no later one is waited for
        await world.say(order(1, "buy", "1", 1.2, competitor_id=who), source="gate", sent=1.3)
    await filled(3)
    await disturb()
    for who in LIVE:
        await world.say(order(2, "buy", "1", 10, competitor_id=who), source="gate", sent=9)
    await world.until_pending(len(LIVE))  # a venue that is back only after the deadline executes them late
    await market(10, 110)
    await market(10.5, 120, partitions=1)  # partition 1 of each topic has only said that 10 is over
    await disturb()
    await market(11, 130)
    fills = await filled(6)
    for who in LIVE:
        await world.say(order(3, "buy", "1", 11, competitor_id=who, limit="90"), source="gate", sent=11)
        await world.say(halt(1, 11.5, competitor_id=who), source="gate", sent=11.5)
    await market(12, 130)
    said = await world.read_until("executions.v1", lambda found: sum(map(is_taken_back, found)) == len(LIVE))

    assert {(each.competitor_id, each.reason) for each in said if is_taken_back(each)} == {
        (who, "halted") for who in LIVE
    }
    assert len(fills) == 6
    on_arrival, at_deadline = [[each for each in fills if each.round == number] for number in (1, 2)]
    assert {each.price for each in on_arrival} == {D(100)}
    assert {each.at for each in on_arrival} <= {at(1.2), at(1.3)}, "its moment; the unit's time where that was later"
    assert {each.price for each in at_deadline} == {D(110)}, "the book as of the deadline, not the later one"
    assert {each.competitor_id for each in at_deadline} == set(LIVE)
    assert {each.at for each in at_deadline} == {at(10)}
