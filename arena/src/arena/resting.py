"""Has a run come to rest? The feed is over, the last round is closed, and no topic grows any more."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from contracts.topics import TOPICS
from contracts.wire import decode

from arena.exits import Exit, Stopped
from arena.reading import whole_topics
from arena.stack.processes import LOOPBACK

LOOK_S = 0.5
QUIET_S = 2.0
FEED_ENDED = "market_data_feed_ended 1.0"
"""As market-data's /metrics says it."""
STUCK_S = 120.0


@dataclass
class Rounds:
    """Which rounds began and which are over."""

    shown: int = 0
    closed: int = 0

    def add(self, event: Any) -> None:
        if event.type in ("market_snapshot", "round_opened"):
            self.shown = max(self.shown, event.round)
        elif event.type == "round_closed":
            self.closed = max(self.closed, event.round)

    @property
    def all_closed(self) -> bool:
        return self.closed > 0 and self.shown <= self.closed


@dataclass
class Rest:
    """Fed with the end of every partition, again and again."""

    rounds: Rounds = field(default_factory=Rounds)
    _ends: dict[TopicPartition, int] = field(default_factory=dict)
    _since: float = 0.0

    def look(self, now: float, ends: dict[TopicPartition, int], *, feed_over: bool) -> bool:
        """True: at rest. Raises Stopped where nothing moves any more and yet it is not over."""
        if ends != self._ends:
            self._ends, self._since = ends, now
        quiet = now - self._since
        over = feed_over and (self.rounds.all_closed or self.rounds.shown == 0)
        if quiet > STUCK_S and not over:
            raise Stopped(
                Exit.NOT_DRAINED,
                f"nothing has moved for {quiet:.0f} s: the last round shown is {self.rounds.shown}, the last closed "
                f"{self.rounds.closed}, the feed is {'over' if feed_over else 'not over'}",
            )
        return over and quiet >= QUIET_S


async def until_at_rest(kafka: str, feed_over: Callable[[], Awaitable[bool]]) -> None:
    clock = asyncio.get_running_loop()
    rest = Rest()
    rounds = whole_topics(kafka, ["rounds.v1", "market.snapshots.v1"])
    everything = whole_topics(kafka, list(TOPICS))
    async with rounds, everything:
        everything.pause(*everything.assignment())  # only the ends are wanted, no records
        while True:
            await _take(rounds, rest.rounds)
            ends = await everything.end_offsets(everything.assignment())
            if rest.look(clock.time(), ends, feed_over=await feed_over()):
                return
            await asyncio.sleep(LOOK_S)


async def feed_ended(http: httpx.AsyncClient, port: int) -> bool:
    """False too while market-data is being restarted."""
    try:
        return FEED_ENDED in (await http.get(f"http://{LOOPBACK}:{port}/metrics")).text
    except httpx.HTTPError:
        return False


async def _take(consumer: AIOKafkaConsumer, rounds: Rounds) -> None:
    for partition, records in (await consumer.getmany(timeout_ms=0)).items():
        for record in records:
            rounds.add(decode(partition.topic, record.value))
