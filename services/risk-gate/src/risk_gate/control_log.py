"""What operators have ordered, as every replica judges by it: read to the end of `control.v1` before it judges a batch.

It begins with what the owner of the control partition has committed, so that a halt outlives the topic's retention, and
goes on with the log from there. Whatever the broker had acknowledged by then is known to the batch's verdicts.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from chassis.bus import all_partitions, start_reader
from chassis.resources import Resources
from chassis.step import Connection
from contracts.control import HaltRequested
from contracts.wire import BadRecord, decode, header
from pydantic import TypeAdapter

from risk_gate.core import ControlState

TOPIC = HaltRequested.topic
log = structlog.get_logger(__name__)
_codec = TypeAdapter(ControlState)


class ControlLog:
    def __init__(self, kafka: str) -> None:
        self._kafka = kafka
        self._states: dict[str, ControlState] = {}
        self._seen: dict[str, int] = {}

    def state(self, season_id: str) -> ControlState:
        return self._states.get(season_id) or ControlState()

    @asynccontextmanager
    async def opened(self, resources: Resources) -> AsyncIterator["ControlLog"]:
        """Known to its end before anything is judged."""
        next_offset = await self._load(await resources.connect())
        self._reader = await start_reader(self._kafka, of_one_partition=True)
        self._asker = await start_reader(self._kafka)
        try:
            (self._where,) = await all_partitions(self._reader, [TOPIC])
            await all_partitions(self._asker, [TOPIC])
            self._reader.assign([self._where])
            begins = (await self._asker.beginning_offsets([self._where]))[self._where]
            self._next = max(next_offset, begins)
            self._reader.seek(self._where, self._next)
            await self.catch_up()
            yield self
        finally:
            await self._reader.stop()
            await self._asker.stop()

    async def catch_up(self) -> None:
        """To the end as the broker says it now. The asker fetches nothing, so that its question waits for no poll."""
        end = (await self._asker.end_offsets([self._where]))[self._where]
        while self._next < end:
            for records in (await self._reader.getmany(timeout_ms=100)).values():
                for record in records:
                    self._take(record)
                    self._next = record.offset + 1

    async def _load(self, db: Connection) -> int:
        """The offset from which the log goes on."""
        async with db.transaction(isolation="repeatable_read", readonly=True):
            where = TOPIC, 0
            rows = await db.fetch("select key, body from state where (topic, partition) = ($1, $2)", *where)
            seen = await db.fetch("select source, sequence from step_seen where (topic, partition) = ($1, $2)", *where)
            offset: int | None = await db.fetchval(
                "select next_offset from step_position where (topic, partition) = ($1, $2)", *where
            )
        self._states = {row["key"]: _codec.validate_json(row["body"]) for row in rows}
        self._seen = dict(list(seen))
        return offset or 0

    def _take(self, record: Any) -> None:
        """As the step admits it: once, and only what keeps its contract."""
        try:
            source, sequence = header(record.headers, "ce_source"), header(record.headers, "ce_sequence")
            if source is None or sequence is None or int(sequence) <= self._seen.get(source, -1):
                return
            self._seen[source] = int(sequence)
            event = decode(record.topic, record.value, record.headers)
        except (BadRecord, ValueError) as error:
            log.warning("passed over", topic=record.topic, offset=record.offset, reason=str(error))
            return
        self._states.setdefault(event.season_id, ControlState()).fold(event)
