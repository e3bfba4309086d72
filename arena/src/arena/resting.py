"""Has a run come to rest? The feed is over, the last round is closed, and no topic grows any more."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from contracts.topics import TOPICS
from contracts.wire import decode

from arena.exits import Exit, Stopped
from arena.reading import whole_topics

LOOK_S = 0.5
QUIET_S = 3.0
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

    def look(self, now: float, ends: dict[TopicPartition, int], quiet_s: float, feed_over: bool) -> bool:
        """True: at rest. Raises Stopped where nothing moves, but a round is open."""
        if ends != self._ends:
            self._ends, self._since = ends, now
        quiet = now - self._since
        if quiet > STUCK_S + quiet_s and not self.rounds.all_closed:
            raise Stopped(
                Exit.NOT_DRAINED,
                f"nothing has moved for {quiet:.0f} s: round {self.rounds.shown} is open, the last closed is "
                f"{self.rounds.closed}",
            )
        over = self.rounds.all_closed or (feed_over and self.rounds.shown == 0)
        return quiet >= quiet_s and over


async def until_at_rest(kafka: str, quiet_s: float, feed_over: asyncio.Event) -> None:
    clock = asyncio.get_running_loop()
    rest = Rest()
    rounds = whole_topics(kafka, ["rounds.v1", "market.snapshots.v1"])
    everything = whole_topics(kafka, list(TOPICS))
    async with rounds, everything:
        everything.pause(*everything.assignment())  # only the ends are wanted, no records
        while True:
            await _take(rounds, rest.rounds)
            ends = await everything.end_offsets(everything.assignment())
            if rest.look(clock.time(), ends, quiet_s, feed_over.is_set()):
                return
            await asyncio.sleep(LOOK_S)


async def _take(consumer: AIOKafkaConsumer, rounds: Rounds) -> None:
    for partition, records in (await consumer.getmany(timeout_ms=0)).items():
        for record in records:
            rounds.add(decode(partition.topic, record.value))
