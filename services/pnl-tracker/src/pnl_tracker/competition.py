"""What the competition has announced, and who of it belongs to which partition."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.partitioner import murmur2
from chassis.latest import LatestValues
from chassis.season_clock import SeasonClock
from chassis.service import Resources
from chassis.topics import partition_count
from contracts.base import Event
from contracts.competition import CompetitorRegistered, SeasonChanged
from contracts.executions import OrderFilled

from pnl_tracker.core.roster import Roster

TOPIC = SeasonChanged.topic
OWN_TOPIC = OrderFilled.topic


class Competition:
    def __init__(self, partitions: int = 1) -> None:
        self.clock = SeasonClock()
        self.version = 0
        """Rises with every change: units look at it before they look at anything else."""
        self.partitions = partitions
        self._seasons: dict[str, SeasonChanged] = {}
        self._competitors: dict[tuple[str, str], CompetitorRegistered] = {}

    def learn(self, event: Event) -> None:
        self.clock.learn(event)
        match event:
            case SeasonChanged():
                self._seasons[event.season_id] = event
            case CompetitorRegistered():
                self._competitors[event.season_id, event.competitor_id] = event
            case _:
                return
        self.version += 1

    def roster(self, partition: int) -> Roster:
        active: dict[str, tuple[str, ...]] = dict.fromkeys(sorted(self._seasons), ())
        for (season_id, competitor_id), competitor in sorted(self._competitors.items()):
            mine = partition_of(competitor_id, self.partitions) == partition
            if competitor.active and mine and season_id in active:
                active[season_id] = (*active[season_id], competitor_id)
        return Roster({season_id: self._seasons[season_id] for season_id in active}, active)

    @asynccontextmanager
    async def read(self, resources: Resources) -> AsyncIterator[LatestValues[Event]]:
        kafka = resources.settings.kafka
        self.partitions = await partition_count(kafka, OWN_TOPIC)
        async with LatestValues[Event](kafka, TOPIC, on_event=self.learn) as latest:
            yield latest


def partition_of(key: str, partitions: int) -> int:
    """Where Kafka's default partitioner puts the key."""
    hashed: int = murmur2(key.encode())
    return (hashed & 0x7FFFFFFF) % partitions
