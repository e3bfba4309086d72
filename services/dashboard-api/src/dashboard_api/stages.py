"""How far each service is behind, as the broker knows it: end offsets less the offsets its group committed."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from chassis.bus import start_reader
from contracts.topics import SERVICES

_FRESH_S = 2.0
_WITHIN_S = 3.0


class Stages:
    """Asked of the broker at most every two seconds, however many ask."""

    def __init__(self, kafka: str) -> None:
        self._kafka = kafka
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()
        self._known: Mapping[str, Mapping[str, int]] = {}
        self._known_at = -_FRESH_S

    async def lag(self) -> Mapping[str, Mapping[str, int]]:
        """Records by service and topic; the last answer where the broker does not give one."""
        async with self._lock:
            if time.monotonic() - self._known_at >= _FRESH_S:
                self._known_at = time.monotonic()
                try:
                    self._known = await asyncio.wait_for(self._ask(), _WITHIN_S)
                except (KafkaError, TimeoutError, OSError):
                    return self._known
            return self._known

    async def stop(self) -> None:
        if self._admin is not None:
            await self._admin.close()
        if self._reader is not None:
            await self._reader.stop()

    async def _ask(self) -> Mapping[str, Mapping[str, int]]:
        if self._admin is None or self._reader is None:
            self._admin, self._reader = (
                AIOKafkaAdminClient(bootstrap_servers=self._kafka),
                await start_reader(self._kafka),
            )
            await self._admin.start()
        lag: dict[str, dict[str, int]] = {}
        for service in SERVICES:
            committed = await self._admin.list_consumer_group_offsets(service)
            ends = await self._reader.end_offsets(list(committed)) if committed else {}
            behind: dict[str, int] = defaultdict(int)
            for where, stands in committed.items():
                behind[where.topic] += max(0, ends[where] - stands.offset)
            if behind:
                lag[service] = dict(behind)
        return lag
