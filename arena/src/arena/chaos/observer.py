"""What the broker knows of every stage, asked past the proxies: once for all who wait."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from contracts.topics import SERVICES, TOPICS

from arena.reading import whole_topics

WITHIN_S = 3.0
APART_S = 0.4
Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True)
class Seen:
    asked_at: float
    """By the loop's clock, before the broker was asked."""
    ends: Offsets
    read: Mapping[str, Offsets]
    """Up to where each service's group says it has read."""

    def inputs(self, service: str) -> Offsets:
        return {where: self.ends[where] for where in self.read[service] if where in self.ends}

    def has_read(self, service: str, targets: Offsets) -> bool:
        return all(self.read[service].get(where, 0) >= offset for where, offset in targets.items())


class Observer:
    def __init__(self, kafka: str) -> None:
        self._kafka = kafka
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._latest: Seen | None = None
        self._news = asyncio.Condition()
        self.records: list[tuple[float, int]] = []
        """(when, records in all topics), a point a look."""

    async def run(self) -> None:
        while True:
            if (seen := await self._look()) is not None:
                self.records.append((seen.asked_at, sum(seen.ends.values())))
                async with self._news:
                    self._latest = seen
                    self._news.notify_all()
            await asyncio.sleep(APART_S)

    async def next(self) -> Seen:
        """Of a moment from now on; it waits while the broker does not answer."""
        since = asyncio.get_running_loop().time()
        async with self._news:
            await self._news.wait_for(lambda: self._latest is not None and self._latest.asked_at >= since)
            assert self._latest is not None
            return self._latest

    def rate(self, begin: float, end: float) -> float | None:
        """Records a second between the two moments."""
        within = [point for point in self.records if begin <= point[0] <= end]
        if len(within) < 2:
            return None
        (first_at, first), (last_at, last) = within[0], within[-1]
        return round((last - first) / (last_at - first_at), 1)

    async def stop(self) -> None:
        admin, reader, self._admin, self._reader = self._admin, self._reader, None, None
        for client in (admin and admin.close(), reader and reader.stop()):
            if client is not None:
                with suppress(KafkaError, OSError, TimeoutError):
                    await asyncio.wait_for(client, WITHIN_S)

    async def _look(self) -> Seen | None:
        asked_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(WITHIN_S):
                admin, reader = await self._connected()
                read = {service: _offsets(await admin.list_consumer_group_offsets(service)) for service in SERVICES}
                return Seen(asked_at, await reader.end_offsets(reader.assignment()), read)
        except (KafkaError, OSError, TimeoutError):
            await self.stop()  # whatever it still knows may be of a broker that is gone
            return None

    async def _connected(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        if self._admin is None:
            self._admin = AIOKafkaAdminClient(bootstrap_servers=self._kafka)
            await self._admin.start()
        if self._reader is None:
            self._reader = whole_topics(self._kafka, list(TOPICS))
            await self._reader.start()
            self._reader.pause(*self._reader.assignment())  # only the ends are wanted, no records
        return self._admin, self._reader


def _offsets(found: Mapping[TopicPartition, Any]) -> Offsets:
    return {where: stands.offset for where, stands in found.items()}
