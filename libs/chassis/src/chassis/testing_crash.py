"""For tests that kill a stage at a point or at a line: two stages that sum up everything in order, and their lives.

A life is a process forked from one that has imported everything.
"""

import asyncio
import hashlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing.synchronize import Event as Event_
from types import FrameType
from typing import Any, Literal

from contracts.base import Event
from starlette.applications import Starlette

import chassis.step
from chassis import crash_points
from chassis.keyed_stage import KeyedStage
from chassis.publish import Out
from chassis.service import serve, stage_app, timed_app
from chassis.settings import ServiceSettings
from chassis.step import Connection, Partition, Position, Step, Writing
from chassis.testing import contract, halted
from chassis.timed import MarketRecord

Kind = Literal["plain", "timed"]

SAVE = """
insert into state values ($1, $2, 'all', jsonb_build_object('count', $3::int, 'digest', $4::text))
on conflict (topic, partition, key) do update set body = excluded.body
"""
PARTITIONS = 2
"""Of what a stage reads."""
RECORDS_A_TURN = 4
"""Few, so that one life passes each point of the loop more than once."""


@dataclass(frozen=True)
class Stand:
    """One stage that is killed and started again."""

    kind: Kind
    service: str
    kafka: str
    postgres: str
    reads: str
    market: str
    says: str
    point: str = ""
    """Armed in its next life; see crash_points."""
    line: int = 0
    """It dies before the so many-th line of step.py that its next life executes; 0: no such line."""
    lines_into: str = ""
    """A file that is told, at its end, how many lines of step.py its life has executed."""

    def then(self) -> "Stand":
        """The life after."""
        return replace(self, point="", line=0)


@dataclass
class Sum:
    """`digest` covers every input so far in its order: equal digests, equal histories."""

    count: int = 0
    digest: str = ""

    def add(self, what: str) -> None:
        self.count, self.digest = self.count + 1, hashlib.sha256(f"{self.digest}{what}".encode()).hexdigest()


def two_of_three(competitor: str, number: int, says: str) -> list[Out]:
    """None, one or two outputs, which spread over the partitions of `says`."""
    return [Out(halted(10 * number + n, f"{competitor}-{n}"), says) for n in range(number % 3)]


class Timed:
    """Merged: every own event and every market record counts, in order of event time."""

    merged = True
    watermark_topic: str | None = None

    def __init__(self, topic: str, says: str) -> None:
        self._topic, self._says = topic, says
        self._sums: dict[int, Sum] = {}

    def moment(self, partition: int) -> datetime | None:  # noqa: ARG002  # the protocol's
        return None

    async def load(self, db: Connection, partition: int) -> None:
        query = "select body->>'count', body->>'digest' from state where topic = $1 and partition = $2"
        row = await db.fetchrow(query, self._topic, partition)
        self._sums[partition] = Sum(int(row[0]), row[1]) if row else Sum()

    def own(self, partition: int, event: Any) -> Sequence[Event | Out]:
        self._sums[partition].add(f"own {event.detail}")
        return two_of_three(event.competitor_id, int(event.detail), self._says)

    def market(self, partition: int, record: MarketRecord) -> Sequence[Event | Out]:
        self._sums[partition].add(f"{record.instrument} {record.at}")
        return [Out(halted(self._sums[partition].count, record.instrument.lower()), self._says)]

    def recall(self, partition: int, record: MarketRecord) -> None: ...

    def passed(self, partition: int, through: datetime) -> Sequence[Event | Out]:  # noqa: ARG002  # the protocol's
        return ()

    def watermark(self, partition: int) -> bool:  # noqa: ARG002  # the protocol's
        return False

    async def save(self, out: Writing) -> None:
        db = await out.connection()
        rows = [(self._topic, number, one.count, one.digest) for number, one in self._sums.items()]
        await db.executemany(SAVE, rows)


def app_of(stand: Stand) -> Starlette:
    settings = ServiceSettings(kafka=stand.kafka, postgres=stand.postgres, log_level="error")
    if stand.kind == "timed":
        return timed_app(
            stand.service, settings, own_topic=stand.reads, market_topics=[stand.market],
            stage=Timed(stand.reads, stand.says), clock=lambda: "lockstep", max_records=RECORDS_A_TURN,
        )  # fmt: skip

    def decide(state: Sum, event: Any) -> Sequence[Event | Out]:
        state.add(event.reason)
        return two_of_three(event.competitor_id, int(event.reason), stand.says)

    stage = KeyedStage(Sum, decide)
    return stage_app(stand.service, settings, topics=[stand.reads], stage=stage, max_records=RECORDS_A_TURN)


def live(stand: Stand, up: Event_) -> None:
    """One life, to its kill or to SIGTERM; `up` when it has taken over every partition."""
    contract(stand.reads, "executions.v1" if stand.kind == "timed" else "orders.v1")
    contract(stand.market, "market.marks.v1")
    contract(stand.says, "orders.v1")
    crash_points.arm(stand.point)
    tell_taken_over(up)
    if stand.line or stand.lines_into:
        count = Lines(stand.line)
        sys.settrace(count.frame)
    try:
        serve(lambda: app_of(stand))
    finally:
        if stand.lines_into:
            with open(stand.lines_into, "w") as file:
                file.write(str(count.passed))


def tell_taken_over(up: Event_) -> None:
    take_over, taken = Step.take_over, set()

    async def telling(step: Step, partition: Partition, load: Any) -> Position:
        position = await take_over(step, partition, load)
        taken.add(partition)
        if len(taken) == PARTITIONS:
            up.set()
        return position

    Step.take_over = telling  # type: ignore[method-assign, assignment]  # this process does nothing else


class Lines:
    """Counts the executed lines of step.py; SIGKILL instead of the `deadly`-th."""

    def __init__(self, deadly: int) -> None:
        self._deadly, self._file, self.passed = deadly, chassis.step.__file__, 0

    def frame(self, frame: FrameType, event: str, argument: object) -> "Callable[..., Any] | None":  # noqa: ARG002
        return self.line if frame.f_code.co_filename == self._file else None

    def line(self, frame: FrameType, event: str, argument: object) -> "Callable[..., Any]":  # noqa: ARG002
        if event == "line":
            self.passed += 1
            if self.passed == self._deadly:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.line


class Life:
    def __init__(self, stand: Stand) -> None:
        fork = multiprocessing.get_context("forkserver")
        fork.set_forkserver_preload([__name__])
        self.up = fork.Event()
        self._process = fork.Process(target=live, args=(stand, self.up), daemon=True)
        self._process.start()

    @property
    def over(self) -> bool:
        return not self._process.is_alive()

    async def ended(self, within_s: float) -> int:
        """Its exit code, negative where a signal ended it. One that does not end is killed: TimeoutError."""
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._process.sentinel, over.set)
        try:
            async with asyncio.timeout(within_s):
                await over.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
            self._process.kill()
        self._process.join()
        assert self._process.exitcode is not None
        return self._process.exitcode

    async def drained(self, within_s: float) -> int:
        self._process.terminate()
        return await self.ended(within_s)

    def kill(self) -> None:
        self._process.kill()
