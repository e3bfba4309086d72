"""Follows the public topics into the feed, without a group: every replica tells its own clients.

It begins where the read model stands: Postgres as of each partition's next_offset, folded on with the same code. So a
page sees the same history after a restart, and nothing is missing or doubled where the two meet.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from chassis.bus import all_partitions, start_reader
from chassis.service import Resources
from chassis.step import Connection, Partition

from dashboard_api.core.changes import Change
from dashboard_api.handlers import DURABLE, LATEST, MARKS, STANDING
from dashboard_api.hub import Hub
from dashboard_api.intake import PORTFOLIOS, Intake, Standing
from dashboard_api.queries import History, equity_positions, history, standing
from dashboard_api.store import save_equity

_MARKS_BACK = 1_000
"""Records of a partition in which every instrument's latest mark is found."""
_WRITE_EVERY_S = 1.0
_TURNS_WITHIN_S = 60.0


class Live:
    def __init__(self, resources: Resources, hub: Hub, equity_step: timedelta) -> None:
        self._resources, self.hub, self._feed, self._step = resources, hub, hub.feed, equity_step
        self._loop = resources.health.loop("stream", turns_within_s=_TURNS_WITHIN_S)
        self._offsets: dict[Partition, int] = {}
        self.intake = Intake(self._feed, equity_step, Standing(), {})
        self.lag = 0

    def catch_up(self) -> None:
        self.intake.catch_up()

    async def run(self) -> None:
        consumer = await start_reader(self._resources.settings.kafka)
        try:
            await self._remember(consumer)
            await self._follow(consumer)
        finally:
            await consumer.stop()

    async def _remember(self, consumer: AIOKafkaConsumer) -> None:
        """Seasons first, then what the read model knows of the season, then the topics up to their ends."""
        first = await all_partitions(consumer, STANDING)
        consumer.assign(first)
        await consumer.seek_to_beginning(*first)
        await self._read_to_end(consumer, first)
        at = {where: await consumer.position(where) for where in first}
        await self._load()
        others = await all_partitions(consumer, (*DURABLE, *LATEST, MARKS))
        consumer.assign([*first, *others])
        begin, end = await consumer.beginning_offsets(others), await consumer.end_offsets(others)
        for where in others:
            at[where] = self._first(where, begin[where], end[where])
        for where, offset in at.items():
            consumer.seek(where, offset)
        await self._read_to_end(consumer, list(at))
        self.hub.ready.set()
        self._loop.ready()

    def _first(self, where: TopicPartition, begin: int, end: int) -> int:
        if where.topic == MARKS:
            return max(begin, end - _MARKS_BACK)
        return max(begin, self._offsets.get(Partition(*where), 0))

    async def _load(self) -> None:
        db, season = await self._resources.connect(), self._feed.board.season
        try:
            async with db.transaction(isolation="repeatable_read", readonly=True):
                stands = await standing(db, DURABLE)
                equity_from = await equity_positions(db)
                past = await history(db, season.season_id, self._feed.board.shows) if season else None
        finally:
            await db.close()
        self._offsets = dict(stands.offsets)
        self.intake = Intake(self._feed, self._step, stands, equity_from)
        if past is not None:
            self._show(past)

    def _show(self, past: History) -> None:
        board, rounds = self._feed.board, self.intake.rounds
        for fact in past.rounds:
            board.put(Change("round", rounds.add(fact)))
        for decision in past.decisions:
            board.put(Change("decision", decision))
        for fill in past.fills:
            board.put(Change("fill", fill))
        for trade in past.trades:
            board.put(Change("trade", trade))
        for point in past.equity:
            board.draw(point)

    async def _read_to_end(self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> None:
        ends = await consumer.end_offsets(partitions)
        while await self._is_behind(consumer, ends):
            await self._poll(consumer)
            self._feed.absorb()
        self.intake.catch_up()
        self._feed.absorb()

    @staticmethod
    async def _is_behind(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
        for where, end in ends.items():
            if await consumer.position(where) < end:
                return True
        return False

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while not self._resources.stopping.is_set():
            if await self._poll(consumer):
                self.hub.tell()
            self.lag = sum(
                max(0, (consumer.highwater(TopicPartition(*where)) or 0) - offset)
                for where, offset in self._offsets.items()
            )

    async def _poll(self, consumer: AIOKafkaConsumer) -> bool:
        """Whether there is something to tell."""
        polled = await consumer.getmany(timeout_ms=500)
        self._loop.turned()
        told = False
        for where, records in polled.items():
            for record in records:
                told |= self.intake.take(record)
            self._offsets[Partition(*where)] = records[-1].offset + 1
        return told

    async def write_equity(self) -> None:
        """Once a second, what was drawn since; the rest of it would be drawn again from the topic."""
        db = await self._resources.connect()
        while not self._resources.stopping.is_set():
            await asyncio.sleep(_WRITE_EVERY_S)
            await self._write(db)

    async def _write(self, db: Connection) -> None:
        self.intake.catch_up()
        points = list(self.intake.points.values())
        if not points:
            return
        self.intake.points.clear()
        offsets = {where: offset for where, offset in self._offsets.items() if where.topic == PORTFOLIOS}
        await save_equity(db, points, offsets)
