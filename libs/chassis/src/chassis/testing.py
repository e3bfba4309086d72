"""For tests on a shared broker and database: a world has its own topics, its own service and schema."""

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka.admin import NewTopic
from contracts.base import Event, named_id
from contracts.executions import OrderUnknown
from contracts.market import BookUpdated, MarkUpdated, TimeAdvanced
from contracts.orders import TradingHalted
from contracts.topics import TOPICS, dead_letter_topic
from contracts.types import EPOCH
from starlette.applications import Starlette

from chassis.bus import all_partitions, start_admin, start_producer, start_reader
from chassis.migrate import migrate
from chassis.publish import Out, Publisher
from chassis.resources import Resources
from chassis.settings import ServiceSettings
from chassis.telemetry import Telemetry

_worlds = count(1)


def contract(name: str, like: str) -> None:
    """Events of the topic `name` are read as those of `like`."""
    TOPICS[name] = replace(TOPICS[like], name=name)


@asynccontextmanager
async def running(app: Starlette) -> AsyncIterator[Resources]:
    """The service in this process: its loop begins at once, and drains at the end."""
    async with app.router.lifespan_context(app):
        yield app.state.resources


class World:
    def __init__(self, kafka: str, postgres: str, folder: Path) -> None:
        self.kafka, self.admin_dsn, self.folder = kafka, postgres, folder
        self.service = f"stage-{os.getpid()}-{next(_worlds)}"
        self.dsn = ""
        self.sequences: defaultdict[str, int] = defaultdict(int)
        self._contracts: list[str] = []

    @property
    def spans(self) -> Path:
        return self.folder / "spans.jsonl"

    @property
    def settings(self) -> ServiceSettings:
        return ServiceSettings(kafka=self.kafka, postgres=self.dsn, traces_file=self.spans)

    async def start(self) -> None:
        self.dsn = await asyncio.to_thread(migrate, self.admin_dsn, self.service, password="of-no-value")  # noqa: S106  # a test
        self.telemetry = Telemetry("test", self.settings)
        self.producer = await start_producer(self.kafka)
        self.publisher = Publisher(self.producer, self.telemetry)
        self.admin = await start_admin(self.kafka)
        await self.create(dead_letter_topic(self.service), 1)

    async def stop(self) -> None:
        await self.producer.stop()
        await self.admin.close()
        self.telemetry.shutdown()
        for name in self._contracts:
            del TOPICS[name]

    async def topic(self, like: str, partitions: int = 1, tag: str = "") -> str:
        """A topic of this world with the contract of another."""
        name = f"{self.service}{tag}.{like}"
        contract(name, like)
        self._contracts.append(name)
        await self.create(name, partitions)
        return name

    async def create(self, name: str, partitions: int) -> None:
        response = await self.admin.create_topics([NewTopic(name, partitions, 1)])
        assert response.topic_errors[0][1] == 0, response

    async def send(self, topic: str, *events: Event, source: str = "", partition: int | None = None) -> None:
        """Data events are numbered by source; a watermark repeats the last number."""
        source = source or f"test/{topic}/{partition}"
        numbered = []
        for event in events:
            self.sequences[source] += not isinstance(event, TimeAdvanced)
            numbered.append((Out(event, topic, partition), source, self.sequences[source]))
        await self.publisher.send_numbered(numbered)

    async def raw(self, topic: str, value: bytes, headers: Sequence[tuple[str, bytes]], key: bytes = b"k") -> None:
        await self.producer.send_and_wait(topic, value, key, headers=list(headers))

    async def records(self, topic: str, wanted: int, *, within_s: float = 30, repeats: bool = False) -> list[Any]:
        """At least so many records of the topic, each number of a source once; fails when they do not come."""
        reader = await start_reader(self.kafka)
        found: dict[object, Any] = {}
        try:
            reader.assign(await all_partitions(reader, [topic]))
            await reader.seek_to_beginning()
            async with asyncio.timeout(within_s):
                while len(found) < wanted:
                    for records in (await reader.getmany(timeout_ms=100)).values():
                        for record in records:
                            found.setdefault(_place(record) if repeats else _number(record), record)
        finally:
            await reader.stop()
        return list(found.values())

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        db = await asyncpg.connect(self.dsn)
        try:
            return list(await db.fetch(query, *arguments))
        finally:
            await db.close()


def _place(record: Any) -> object:
    return record.partition, record.offset


def _number(record: Any) -> object:
    headers = dict(record.headers)
    return record.partition, headers["ce_source"], headers["ce_sequence"]


def at(seconds: float) -> Any:
    return EPOCH + timedelta(days=20_000, seconds=seconds)


def halted(number: int, competitor: str = "a", *, seconds: float = 0, traceparent: str = "") -> TradingHalted:
    """The input of most tests: one number about one competitor."""
    return TradingHalted(
        event_id=named_id("halted", competitor, number), at=at(seconds), season_id="s", competitor_id=competitor,
        reason=str(number), traceparent=traceparent,
    )  # fmt: skip


def executed(number: int, competitor: str = "a", *, seconds: float = 0) -> OrderUnknown:
    """The same of a topic that carries watermarks."""
    return OrderUnknown(
        event_id=named_id("executed", competitor, number), at=at(seconds), season_id="s", competitor_id=competitor,
        order_id=named_id("order", number), instrument="BTC-USDT-PERP", detail=str(number),
    )  # fmt: skip


def mark(seconds: float, instrument: str = "BTC-USDT-PERP", price: int = 100) -> MarkUpdated:
    return MarkUpdated(
        event_id=named_id("mark", instrument, seconds), at=at(seconds), instrument=instrument, venue="test",
        mark_price=Decimal(price),
    )  # fmt: skip


def book(seconds: float, instrument: str = "BTC-USDT-PERP") -> BookUpdated:
    return BookUpdated(
        event_id=named_id("book", instrument, seconds), at=at(seconds), instrument=instrument, venue="test",
        sequence=int(seconds), bids=(), asks=(),
    )  # fmt: skip


def watermark(seconds: float, partition: int = 0, closed_round: int = 0) -> TimeAdvanced:
    return TimeAdvanced(
        event_id=named_id("time", partition, seconds), at=at(seconds), partition=partition, closed_round=closed_round
    )
