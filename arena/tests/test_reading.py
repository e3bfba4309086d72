from datetime import UTC, datetime

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from arena.reading import read_latest, read_topics
from arena.testing import Stack
from contracts.base import Event, named_id
from contracts.competition import PhaseChanged, RoundClosed
from contracts.market import TimeAdvanced
from contracts.topics import SERVICES
from contracts.wire import encode

T0 = datetime(2026, 1, 5, tzinfo=UTC)


def closed(number: int) -> RoundClosed:
    return RoundClosed(
        event_id=named_id("reading", number), at=T0, season_id="reading", round=number, answered=1, missed=0, judged=1
    )


async def send(kafka: str, *events: Event, topic: str | None = None) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for event in events:
            record = encode(event, topic=topic)
            await producer.send_and_wait(record.topic, record.value, key=record.key, headers=record.headers)


async def test_whole_topics_are_read_once_without_repeats_and_watermarks(stack: Stack) -> None:
    watermark = TimeAdvanced(event_id=named_id("reading", "t"), at=T0, partition=0)
    await send(stack.kafka, closed(1), closed(1), closed(2))
    await send(stack.kafka, watermark, topic="market.bars.v1")

    found = [read async for read in read_topics(stack.kafka, ["rounds.v1", "market.bars.v1"])]

    ours = [read.event.round for read in found if getattr(read.event, "season_id", None) == "reading"]
    assert ours == [1, 2]
    assert not any(isinstance(read.event, TimeAdvanced) for read in found)
    assert all(read.published_ms > 1_700_000_000_000 for read in found)


async def test_the_latest_value_of_a_key_is_its_last(stack: Stack) -> None:
    phases = [
        PhaseChanged(event_id=named_id("reading", phase), at=T0, season_id="reading", phase=phase)
        for phase in ("warm_up", "official")
    ]
    await send(stack.kafka, *phases)

    latest = await read_latest(stack.kafka, ["competition.v1"])

    assert [event.phase for event in latest if event.key == "phase/reading"] == ["official"]


async def test_each_service_has_a_login_of_its_own(stack: Stack) -> None:
    assert list(stack.dsns) == list(SERVICES)
    gate = await asyncpg.connect(stack.dsns["risk-gate"])
    try:
        assert await gate.fetchval("select current_user") == "risk_gate"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await gate.execute("select * from pnl_tracker.step_position")
    finally:
        await gate.close()
