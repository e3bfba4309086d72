"""How far each service is behind, as the broker knows it: end offsets less the offsets its group committed."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from chassis.bus import start_reader
from contracts.topics import SERVICES

from dashboard_api.fresh import Fresh

_FRESH_S = 2.0
_WITHIN_S = 3.0


class Stages:
    """Asked of the broker at most every two seconds, however many ask."""

    def __init__(self, kafka: str) -> None:
        self._kafka = kafka
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._last: Mapping[str, Mapping[str, int]] = {}
        self._fresh = Fresh(self._or_last, _FRESH_S)

    async def lag(self) -> Mapping[str, Mapping[str, int]]:
        """Records by service and topic; the last answer where the broker does not give one."""
        return await self._fresh.get()

    async def stop(self) -> None:
        if self._admin is not None:
            await self._admin.close()
        if self._reader is not None:
            await self._reader.stop()

    async def _or_last(self, _: str) -> Mapping[str, Mapping[str, int]]:
        with suppress(KafkaError, TimeoutError, OSError):
            self._last = await asyncio.wait_for(self._ask(), _WITHIN_S)
        return self._last

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
