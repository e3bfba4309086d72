"""The latest event of each key of a topic, read by every instance without a group."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

import structlog
from aiokafka import TopicPartition
from contracts.base import Event
from contracts.topics import TOPICS
from contracts.wire import BadRecord, decode

from chassis.bus import all_partitions, start_reader

E = TypeVar("E", bound=Event)
T = TypeVar("T")

TAIL_RECORDS = 5_000
"""How far back a topic that is not compacted is read, in each partition."""
QUEUED_MAX = 10_000
LOOKS_APART_S = 0.1
"""While nobody waits or listens: a poll costs its request to the broker, whatever it brings."""
WATERMARK = b"arena.time_advanced"

log = structlog.get_logger(__name__)


class LatestValues(Generic[E]):
    """Compacted topics are read from the beginning, others from the last 5,000 records of each partition.

    After `start` (or `async with`) everything that was in the topic is known. `keep` chooses the events to remember.
    Without `key`, `keep` and `on_event` a record is parsed when it is asked for, and only then.
    """

    def __init__(
        self,
        kafka: str,
        topic: str,
        key: Callable[[E], Hashable] | None = None,
        *,
        keep: Callable[[E], bool] | None = None,
        on_event: Callable[[E], None] | None = None,
    ) -> None:
        self._kafka, self.topic, self._key, self._keep, self._on_event = kafka, topic, key, keep, on_event
        self._latest: dict[Hashable, Any] = {}
        self._seen: dict[tuple[int, bytes], int] = {}
        self._watermarks: dict[int, datetime | None] = {}
        self._queues: list[asyncio.Queue[Any]] = []
        self._news = asyncio.Event()
        self._waiting = 0
        self._wanted = asyncio.Event()
        """Set while somebody waits."""
        self.running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "LatestValues[E]":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        consumer = await start_reader(self._kafka, of_one_partition=TOPICS[self.topic].spread == "single")
        try:
            partitions = await all_partitions(consumer, [self.topic])
            self._watermarks = dict.fromkeys((where.partition for where in partitions), None)
            consumer.assign(partitions)
            ends = await self._seek(consumer, partitions)
        except BaseException:
            await consumer.stop()
            raise
        caught_up = asyncio.Event()
        self.running = asyncio.create_task(self._read(consumer, ends, caught_up))
        self.running.add_done_callback(lambda _: self._tell())
        first = asyncio.create_task(caught_up.wait())
        await asyncio.wait({self.running, first}, return_when=asyncio.FIRST_COMPLETED)
        if self.running.done():
            first.cancel()
            self.running.result()

    async def stop(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.wait({self.running})

    def get(self, key: Hashable) -> E | None:
        found = self._latest.get(key)
        if found is not None and not isinstance(found, Event):
            found = self._latest[key] = self._decoded(found)
        return cast(E | None, found)

    def values(self) -> Iterator[E]:
        for key in list(self._latest):
            if (value := self.get(key)) is not None:
                yield value

    def watermark(self) -> datetime | None:
        """The least of the partitions' latest TimeAdvanced; None until each has had one."""
        least: datetime | None = None
        for at in self._watermarks.values():
            if at is None:
                return None
            least = at if least is None or at < least else least
        return least

    async def wait(self, predicate: Callable[[], T | None], timeout_s: float) -> T:
        """The predicate's first result that is neither None nor False; asked again whenever something came.

        Raises TimeoutError, and whatever ended the reader.
        """
        self._waiting += 1
        self._wanted.set()
        try:
            async with asyncio.timeout(timeout_s):
                return await self._until(predicate)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._wanted.clear()

    async def _until(self, predicate: Callable[[], T | None]) -> T:
        while True:
            news = self._news
            result = predicate()
            if result is not None and result is not False:
                return result
            if self.running is not None and self.running.done():
                self.running.result()
                raise RuntimeError(f"{self.topic}: the reader has ended")
            await news.wait()

    def changes(self) -> AsyncIterator[Any]:
        """Every event from this call on (TimeAdvanced too), in order within a partition.

        Whoever stops listening closes the iterator (`aclose`): the reader waits for a listener that is 10,000 behind.
        """
        queue: asyncio.Queue[Any] = asyncio.Queue(QUEUED_MAX)
        self._queues.append(queue)
        return self._listen(queue)

    async def _listen(self, queue: "asyncio.Queue[Any]") -> AsyncIterator[Any]:
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues.remove(queue)

    async def _seek(self, consumer: Any, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        back = None if TOPICS[self.topic].compacted else TAIL_RECORDS
        for where in partitions:
            consumer.seek(where, begins[where] if back is None else max(begins[where], ends[where] - back))
        return {where: end for where, end in ends.items() if end > begins[where]}

    async def _read(self, consumer: Any, behind: dict[TopicPartition, int], caught_up: asyncio.Event) -> None:
        try:
            while True:
                behind = {where: end for where, end in behind.items() if await consumer.position(where) < end}
                if not behind:
                    caught_up.set()
                polled = await consumer.getmany(timeout_ms=500 if not behind else 50)
                for records in polled.values():
                    for record in records:
                        await self._take(record)
                if polled:
                    self._tell()
                    if not behind and not self._queues:
                        await self._pause()
        finally:
            await consumer.stop()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOKS_APART_S):
                await self._wanted.wait()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _take(self, record: Any) -> None:
        headers = dict(record.headers)
        if headers.get("ce_type") == WATERMARK:
            self._advance(record.partition, headers)
            if not self._queues and self._on_event is None:
                return
        elif self._is_repeat(record.partition, headers):
            return
        elif self._key is None and self._keep is None and self._on_event is None and not self._queues:
            self._latest[(record.key or b"").decode("utf-8", "replace")] = record
            return
        event = self._decoded(record)
        if event is not None:
            await self._tell_of(event)

    async def _tell_of(self, event: Any) -> None:
        if event.type != "time_advanced" and (self._keep is None or self._keep(event)):
            self._latest[event.key if self._key is None else self._key(event)] = event
        if self._on_event is not None:
            self._on_event(event)
        for queue in self._queues:
            await queue.put(event)

    def _advance(self, partition: int, headers: dict[str, bytes]) -> None:
        try:
            at = datetime.fromisoformat(headers["ce_time"].decode())
        except (KeyError, ValueError):
            return
        known = self._watermarks.get(partition)
        if known is None or at > known:
            self._watermarks[partition] = at

    def _is_repeat(self, partition: int, headers: dict[str, bytes]) -> bool:
        try:
            source, sequence = headers["ce_source"], int(headers["ce_sequence"])
        except (KeyError, ValueError):
            return False
        if sequence <= self._seen.get((partition, source), -1):
            return True
        self._seen[partition, source] = sequence
        return False

    def _decoded(self, record: Any) -> Any:
        """None where the record breaks its contract: a stage sets it aside, a reader passes over it."""
        try:
            return decode(record.topic, record.value, record.headers)
        except BadRecord as error:
            log.warning("passed over", topic=record.topic, offset=record.offset, reason=str(error))
            return None
