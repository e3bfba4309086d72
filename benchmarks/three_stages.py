"""Signal → risk-gate → order-executor → pnl-tracker → portfolio, 100 a second, beside a bare relay of three hops.

`python -m benchmarks.three_stages [--seconds S] [--rate R]`
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from contracts.base import Event, named_id
from contracts.competition import CompetitorRegistered, SeasonChanged, SeasonRules
from contracts.market import BookUpdated, InstrumentListed, MarkUpdated, TimeAdvanced
from contracts.signals import Attempt, SignalProposed
from contracts.wire import encode, numbered
from pnl_tracker.testing import competitor

from benchmarks.stack import Stack, eventually, percentile, process, report, service, stack

SERVICES = ("risk-gate", "order-executor", "pnl-tracker")
WAY = ("signals.v1", "orders.v1", "executions.v1", "portfolios.v1")
INSTRUMENT = "BTC-USDT-PERP"
PARTS = 200
WARM_UP_SHARE = 0.2
D = Decimal


def now() -> datetime:
    return datetime.now(UTC)


class Producer:
    """Numbers and sends events as their services do."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer, self._sequences = producer, dict[str, int]()

    async def send(self, event: Event, topic: str | None = None, *, counted: bool = True) -> Any:
        out = encode(event, topic=topic)
        number = self._sequences[out.topic] = self._sequences.get(out.topic, 0) + counted
        headers = numbered(out.headers, f"bench/{out.topic}", number)
        return await self._producer.send(out.topic, out.value, out.key, headers=headers)


def season(starts_at: datetime) -> SeasonChanged:
    rules = SeasonRules(
        instruments=(INSTRUMENT,), capital=D(10_000), cadence_s=36_000, deadline_s=35_000, execution="as_decided",
        leverage_max=D(10), order_notional_max=D(10_000), position_notional_max=D(50_000), price_band=D("0.05"),
        price_stale_s=60,
    )  # fmt: skip
    return SeasonChanged(
        event_id=named_id("season", "bench"), at=starts_at, season_id="season-1", name="Bench", venue="bench",
        clock="live", starts_at=starts_at, rules=rules, rules_sha256="0" * 64,
    )  # fmt: skip


def listed(at: datetime) -> InstrumentListed:
    return InstrumentListed(
        event_id=named_id("listed"), at=at, instrument=INSTRUMENT, venue="bench", base="BTC", quote="USDT",
        tick_size=D("0.1"), lot_size=D("0.001"), quantity_min=D("0.001"), quantity_max=D(100), notional_min=D(1),
        contract_value=D(1), leverage_max=D(50), maker_fee_rate=D("0.0002"), taker_fee_rate=D("0.0005"),
        funding_interval_hours=8,
    )  # fmt: skip


async def feed(producer: Producer, apart_s: float) -> None:
    """A quiet market: a deep book, a mark and the time, again and again."""
    for tick in range(1, 1_000_000):
        at = now()
        price = D(1_000) + D(tick % 7) / 10
        book = BookUpdated(
            event_id=named_id("book", tick), at=at, instrument=INSTRUMENT, venue="bench", sequence=tick,
            bids=((price - D("0.1"), D(1_000)),), asks=((price + D("0.1"), D(1_000)),),
        )  # fmt: skip
        mark = MarkUpdated(
            event_id=named_id("mark", tick), at=at, instrument=INSTRUMENT, venue="bench", mark_price=price
        )
        await producer.send(book)
        await producer.send(mark)
        for topic in ("market.quotes.v1", "market.trades.v1", "market.marks.v1", "market.bars.v1"):
            event = TimeAdvanced(event_id=named_id("time", topic, tick), at=at, partition=0)
            await producer.send(event, topic, counted=False)
        await asyncio.sleep(apart_s)


def signal(n: int) -> SignalProposed:
    """The n-th: part after part of one competitor's decision, then the next one's; buys and sells by turns.

    Its order may execute from the moment of the answer on, as signal-runtime says where rules have no latency.
    """
    who, part, at = f"model-{n // PARTS}", n % PARTS + 1, now()
    return SignalProposed(
        event_id=named_id("signal", n), at=at, traceparent=f"00-{n + 1:032x}-{n + 1:016x}-01", season_id="season-1",
        competitor_id=who, round=1, decision_id=named_id("decision", who), part=part, parts=PARTS,
        deadline=at + timedelta(hours=1), effective_at=at, instrument=INSTRUMENT, quantity=D("0.02"),
        action="buy_to_enter" if part % 2 else "sell_to_enter", leverage=D(5),
        attempt=Attempt(model="bench", offline=True, latency_ms=0),
    )  # fmt: skip


@asynccontextmanager
async def arrivals(kafka: str, topic: str) -> AsyncIterator[dict[str, float]]:
    """Trace id to the moment at which its first record arrived here."""
    arrived: dict[str, float] = {}

    async def read(consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            traceparent = dict(record.headers).get("traceparent")
            if traceparent:
                arrived.setdefault(traceparent.decode().split("-")[1], time.perf_counter())

    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        task = asyncio.create_task(read(consumer))
        yield arrived
        task.cancel()


async def sent_at_a_rate(send: Callable[[int], Any], count: int, rate: float) -> dict[str, float]:
    """Trace id to the moment of sending."""
    sent, began = dict[str, float](), time.perf_counter()
    for n in range(count):
        await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
        sent[f"{n + 1:032x}"] = time.perf_counter()
        await send(n)
    return sent


async def latencies(made: Stack, send: Callable[[int], Any], answers: str, count: int, rate: float) -> dict[str, Any]:
    async with arrivals(made.kafka, answers) as arrived:
        sent = await sent_at_a_rate(send, count, rate)

        async def all_there() -> bool:
            return len(arrived) >= count

        with suppress(TimeoutError):  # what did not arrive is counted
            await eventually(all_there, 20)
    took = [arrived[trace] - at for trace, at in list(sent.items())[int(count * WARM_UP_SHARE) :] if trace in arrived]
    milliseconds = [seconds * 1000 for seconds in took]
    return {
        "sent": count, "arrived": len(arrived),
        "p50_ms": round(percentile(milliseconds, 0.5), 1), "p99_ms": round(percentile(milliseconds, 0.99), 1),
    }  # fmt: skip


async def relayed(made: Stack, producer: Producer, count: int, rate: float) -> dict[str, Any]:
    topics = [f"hop{n}.v1" for n in range(4)]
    for topic in topics:
        await made.topic(topic)
    async with AsyncExitStack() as running:
        for source, target in pairwise(topics):
            log = made.folder / f"{source}.log"
            await running.enter_async_context(process("benchmarks.relay", made.kafka, source, target, log=log))
        await asyncio.sleep(5)
        return await latencies(made, lambda n: producer.send(signal(n), topics[0]), topics[-1], count, rate)


async def staged(made: Stack, producer: Producer, count: int, rate: float, apart_s: float) -> dict[str, Any]:
    starts_at = now() - timedelta(seconds=5)
    competing: list[CompetitorRegistered] = [competitor(f"model-{n}") for n in range(count // PARTS + 1)]
    for event in (*competing, season(starts_at), listed(starts_at)):
        await producer.send(event)
    async with AsyncExitStack() as running:
        # market-data hands a turn's events over together: one request to the broker, whatever the number of topics
        batching = AIOKafkaProducer(bootstrap_servers=made.kafka, enable_idempotence=True, acks="all", linger_ms=5)
        market = asyncio.create_task(feed(Producer(await running.enter_async_context(batching)), apart_s))
        services = {name: await running.enter_async_context(service(made, name)) for name in SERVICES}

        async def shown() -> bool:
            await asyncio.sleep(0.5)
            return await made.ends("portfolios.v1") >= 2 * len(competing)

        await eventually(shown, 60)
        busy_s, began = {name: each.cpu_s() for name, each in services.items()}, time.perf_counter()
        figures = await latencies(made, lambda n: producer.send(signal(n)), "portfolios.v1", count, rate)
        wall_s = time.perf_counter() - began
        market.cancel()
        shares = {name: round((each.cpu_s() - busy_s[name]) / wall_s, 2) for name, each in services.items()}
    return figures | {"of_a_core": shares, "p50_ms_to": await hops(made)}


async def hops(made: Stack) -> dict[str, float]:
    """Median milliseconds from one topic to the next, by the records' own timestamps."""
    said: list[dict[str, int]] = []
    for topic in WAY:
        first: dict[str, int] = {}
        for record in await made.records(topic):
            if traceparent := dict(record.headers).get("traceparent"):
                first.setdefault(traceparent.decode().split("-")[1], record.timestamp)
        said.append(first)
    return {
        topic: percentile([after[trace] - at for trace, at in before.items() if trace in after], 0.5)
        for topic, (before, after) in zip(WAY[1:], pairwise(said), strict=True)
    }


async def main(seconds: float, rate: float, apart_ms: float) -> None:
    count = int(seconds * rate)
    async with (
        stack(*SERVICES) as made,
        AIOKafkaProducer(bootstrap_servers=made.kafka, enable_idempotence=True, acks="all") as producer,
    ):
        floor = await relayed(made, Producer(producer), count, rate)
        stages = await staged(made, Producer(producer), count, rate, apart_ms / 1000)
    ratio = stages["p50_ms"] / floor["p50_ms"]
    report(
        {
            "benchmark": "three_stages",
            "rate": rate,
            "watermarks_apart_ms": apart_ms,
            "relay": floor,
            "stages": stages,
            "p50_ratio": round(ratio, 2),
        },
        f"three stages: p50 {stages['p50_ms']} ms, {ratio:.1f} times the relay's {floor['p50_ms']}; "
        f"p99 {stages['p99_ms']} ms beside {floor['p99_ms']} (target: 3.5 times, 100 ms)",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=float, default=100, help="signals a second")
    parser.add_argument("--watermarks", type=float, default=100, help="milliseconds between two, as live")
    given = parser.parse_args()
    asyncio.run(main(given.seconds, given.rate, given.watermarks))
