"""On Apache Kafka and PostgreSQL: what is evaluated comes from public topics, and is told once whatever happens."""

import signal
from decimal import Decimal
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer
from arena.stack.processes import end
from contracts.base import named_id
from contracts.competition import RoundClosed
from contracts.evaluation import SignalsEvaluated
from contracts.market import IndicatorSeries, InstrumentSnapshot, MarketSnapshot
from contracts.signals import Attempt, SignalProposed
from contracts.wire import decode, header
from pnl_tracker.testing import BTC, HASH, at, competitor, season
from tracker_parts import Parts

ROUNDS = 21
ROUND_S = 180


def opened(round: int) -> float:
    return (round - 1) * ROUND_S


def snapshot(round: int) -> MarketSnapshot:
    """The mark rises by 1 a round."""
    names = ("closes_at", "close", "volume", "ema20", "ema50", "macd", "rsi7", "rsi14", "atr3", "atr14")
    nothing: dict[str, Any] = dict.fromkeys(names, ())
    unknown: dict[str, Any] = dict.fromkeys(InstrumentSnapshot.model_fields)
    shown = unknown | {
        "instrument": BTC,
        "mark_price": Decimal(100 + round),
        "intraday": IndicatorSeries(interval="3m", **nothing),
        "context": IndicatorSeries(interval="4h", **nothing),
    }
    return MarketSnapshot(
        event_id=named_id("snapshot", str(round)), at=at(opened(round)), season_id="season-1", round=round,
        venue="synthetic", instruments=(InstrumentSnapshot(**shown),), sha256=HASH,
    )  # fmt: skip


def bought(round: int) -> SignalProposed:
    common: dict[str, Any] = {"season_id": "season-1", "competitor_id": "ann", "round": round}
    return SignalProposed(
        **common, event_id=named_id("signal", str(round)), at=at(opened(round) + 1),
        decision_id=named_id("decision", str(round)), part=1, parts=1, deadline=at(opened(round) + 60),
        effective_at=at(opened(round) + 60), action="buy_to_enter", instrument=BTC, quantity=Decimal(1),
        confidence=Decimal("0.8"), attempt=Attempt(model="trend", offline=True, latency_ms=7),
    )  # fmt: skip


def closed(round: int) -> RoundClosed:
    return RoundClosed(
        event_id=named_id("closed", str(round)), at=at(opened(round) + 60), season_id="season-1", round=round,
        answered=1, missed=0, judged=1,
    )  # fmt: skip


async def say_rounds(parts: Parts, first: int, last: int) -> None:
    for round in range(first, last + 1):
        await parts.say(snapshot(round), "market.snapshots.v1")
        await parts.say(bought(round), partition=0)
        await parts.say(closed(round), "rounds.v1")
    await parts.time(opened(last) + 1)


async def told(parts: Parts, until_round: int) -> list[tuple[str, str, SignalsEvaluated]]:
    consumer = AIOKafkaConsumer("statements.v1", bootstrap_servers=parts.kafka, auto_offset_reset="earliest")
    found = []
    async with consumer:
        async for record in consumer:
            event = decode(record.topic, record.value)
            if isinstance(event, SignalsEvaluated):
                numbers = header(record.headers, "ce_source"), header(record.headers, "ce_sequence")
                found.append((str(numbers[0]), str(numbers[1]), event))
                if event.round == until_round:
                    return found
    raise AssertionError("the topic never ends")


async def test_a_season_is_evaluated_every_ten_rounds_also_across_a_kill(parts: Parts) -> None:
    await parts.say(season(), "competition.v1")
    await parts.say(competitor("ann"), "competition.v1")
    process = parts.start()
    try:
        await say_rounds(parts, 1, 11)
        first = await told(parts, 11)
        process.send_signal(signal.SIGKILL)
        process.wait()
        db = await asyncpg.connect(parts.postgres)  # as if it had died before it noted what it told
        await db.execute("update evaluated set round = 1")
        await db.close()
        process = parts.start()
        await say_rounds(parts, 12, ROUNDS)
        found = await told(parts, ROUNDS)
    finally:
        await end(process, [(signal.SIGTERM, 10)])
    assert [(source, number) for source, number, _ in found] == [
        ("pnl-tracker/evaluation/season-1/ann", number) for number in ("11", "11", "21")
    ]
    assert found[0][2] == found[1][2] == first[0][2]
    quarter = found[-1][2].horizons[0]
    # rounds 1 to 16 have a mark 15 minutes later by the opening of round 21, and it only ever rose
    assert (quarter.horizon_s, quarter.scored, quarter.hit_rate) == (900, 16, Decimal(1))
    assert (found[-1][2].decisions, found[-1][2].entries, found[-1][2].offline) == (20, 20, 20)
