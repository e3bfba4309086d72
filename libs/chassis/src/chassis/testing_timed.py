"""For tests of timed stages: one that writes down what it is told, and a market fed by hand."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contracts.base import Event
from contracts.competition import Clock
from starlette.applications import Starlette

from chassis.publish import Out
from chassis.service import timed_app
from chassis.step import Connection, Writing
from chassis.testing import World, at, watermark
from chassis.timed import MarketRecord

ZERO: datetime = at(0)


def seconds(time: datetime) -> float:
    return (time - ZERO).total_seconds()


class Recorder:
    """Writes down what it is told; says what it is told to say."""

    merged = True
    watermark_topic: str | None = None

    def __init__(self, out: str | None = None) -> None:
        self.out = out
        self.told: list[tuple[Any, ...]] = []
        self._news = asyncio.Event()

    def moment(self, partition: int) -> datetime | None:  # noqa: ARG002  # the protocol's
        return None

    async def load(self, db: Connection, partition: int) -> None:  # noqa: ARG002  # the protocol's
        self.tell(partition, "load")

    def own(self, partition: int, event: Event) -> Sequence[Event | Out]:
        said: Any = event
        self.tell(partition, "own", seconds(event.at), int(said.detail if self.merged else said.reason))
        return [Out(event, self.out)] if self.out else ()

    def market(self, partition: int, record: MarketRecord) -> Sequence[Event | Out]:
        assert record.event.instrument == record.instrument
        self.tell(partition, record.kind, seconds(record.at), record.instrument)
        return ()

    def recall(self, partition: int, record: MarketRecord) -> None:
        self.tell(partition, "recall", record.kind, seconds(record.at), record.instrument)

    def passed(self, partition: int, through: datetime) -> Sequence[Event | Out]:
        self.tell(partition, "passed", seconds(through))
        return ()

    def watermark(self, partition: int) -> bool:  # noqa: ARG002  # the protocol's
        return self.watermark_topic is not None

    async def save(self, out: Writing) -> None:
        pass

    def tell(self, partition: int, *what: Any) -> None:
        self.told.append((partition, *what))
        self._news.set()

    def of(self, partition: int = 0, *, times: bool = False) -> list[tuple[Any, ...]]:
        """What a unit was told, without the moments at which batches happened to end."""
        left_out = set() if times else {"passed", "load"}
        return [tuple(what) for number, *what in self.told if number == partition and what[0] not in left_out]

    async def until(self, *what: Any, within_s: float = 30) -> None:
        async with asyncio.timeout(within_s):
            while what not in self.told:
                self._news.clear()
                await self._news.wait()


class Unmerged(Recorder):
    merged = False


class Market:
    """Two topics of two partitions, fed by hand."""

    def __init__(self, world: World, quotes: str, marks: str) -> None:
        self.world, self.topics = world, [quotes, marks]

    @classmethod
    async def of(cls, world: World) -> "Market":
        return cls(world, await world.topic("market.quotes.v1", 2), await world.topic("market.marks.v1", 2))

    async def quote(self, partition: int, *events: Event) -> None:
        await self.world.send(self.topics[0], *events, partition=partition)

    async def mark(self, partition: int, *events: Event) -> None:
        await self.world.send(self.topics[1], *events, partition=partition)

    async def time(self, second: float, closed_round: int = 0) -> None:
        for topic in self.topics:
            for partition in (0, 1):
                await self.world.send(topic, watermark(second, partition, closed_round), partition=partition)


def app_of(
    world: World, own: str, market: Market, stage: Recorder, *, hold: bool = False, clock: Clock | None = "lockstep",
    instance: str = "0",
) -> Starlette:  # fmt: skip
    settings = world.settings.model_copy(update={"instance": instance})
    return timed_app(
        world.service, settings, own_topic=own, market_topics=market.topics, stage=stage, clock=lambda: clock,
        hold_for_rounds=hold,
    )  # fmt: skip
