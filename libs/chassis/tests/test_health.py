"""Readiness by a clock that jumps, and the lag of a slow reader; times are worked out by hand."""

import time
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from chassis.health import Health, WallClock
from chassis.settings import ServiceSettings
from chassis.step import Partition, Position
from chassis.telemetry import Telemetry
from chassis.worker import Onlookers


class Clocks:
    wall, steady = 1_000.0, 50.0

    def health(self) -> Health:
        health = Health(WallClock(lambda: self.wall, lambda: self.steady))
        health.loop("loop").ready()
        return health

    def pass_by(self, seconds: float, *, jump: float = 0) -> None:
        self.wall, self.steady = self.wall + seconds + jump, self.steady + seconds


def test_a_clock_that_runs_evenly_or_is_slewed_by_less_than_a_second_is_no_reason() -> None:
    clocks = Clocks()
    health = clocks.health()
    clocks.pass_by(3_600, jump=0.9)

    assert health.ready()
    assert health.report()["clock_jumped_s"] == 0


def test_a_jump_forward_or_back_makes_a_service_unready_for_a_minute() -> None:
    for jump in (5.0, -3.0):
        clocks = Clocks()
        health = clocks.health()
        clocks.pass_by(10, jump=jump)

        assert not health.ready()
        assert health.report()["clock_jumped_s"] == jump
        assert health.alive(), "it goes on: no core reads the clock"
        clocks.pass_by(59)
        assert not health.ready()
        clocks.pass_by(1)
        assert health.ready()


async def test_a_reader_that_is_behind_says_by_how_many_records_and_seconds() -> None:
    where = TopicPartition("signals.v1", 0)
    position = Position(Partition(*where), next_offset=6, sequence=0, version=1, cursor=b"", seen={})
    position.taken_ms = int((time.time() - 42) * 1_000)
    told: list[Any] = []
    telemetry = Telemetry("test", ServiceSettings())
    consumer = FakeConsumer(where, end=10, told=told)
    onlookers = Onlookers(consumer, SimpleNamespace(positions={position.partition: position}), telemetry, object())  # type: ignore[arg-type]

    await onlookers.tell(now=True)
    assert _lag(telemetry, "arena_consumer_lag") == 4  # 10 - 6
    assert 42 <= _lag(telemetry, "arena_consumer_lag_seconds") < 47
    position.next_offset = 10
    await onlookers.tell(now=True)
    assert _lag(telemetry, "arena_consumer_lag_seconds") == 0
    assert told == [{where: 6}, {where: 10}]


class FakeConsumer:
    def __init__(self, where: TopicPartition, end: int, told: list[Any]) -> None:
        self._where, self._end, self._told = where, end, told

    def assignment(self) -> set[TopicPartition]:
        return {self._where}

    def highwater(self, where: TopicPartition) -> int:
        assert where == self._where
        return self._end

    async def commit(self, offsets: Any) -> None:
        self._told.append(offsets)


def _lag(telemetry: Telemetry, name: str) -> float:
    value = telemetry.registry.get_sample_value(name, {"topic": "signals.v1", "partition": "0"})
    assert value is not None
    return value
