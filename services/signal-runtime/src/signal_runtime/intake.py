"""Requests at work: each competitor's in their order, all competitors at once; what is done counts as read.

A batch is not waited for as a whole: one slow model in it would delay the requests of the next, other competitors' too.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiokafka import TopicPartition
from contracts.competition import DecisionRequested

Handle = Callable[[DecisionRequested], Awaitable[None]]


class Intake:
    def __init__(self, handle: Handle, at_work_max: int) -> None:
        self._handle, self._room = handle, asyncio.Semaphore(at_work_max)
        self._tasks: set[asyncio.Task[None]] = set()
        self._latest: dict[str, asyncio.Task[None]] = {}
        self._at_work: dict[TopicPartition, set[int]] = {}
        self._read: dict[TopicPartition, int] = {}
        self.failure: BaseException | None = None

    async def take(self, where: TopicPartition, offset: int, request: DecisionRequested) -> None:
        """Begin, or wait for room to begin."""
        await self._room.acquire()
        self._at_work.setdefault(where, set()).add(offset)
        self._read[where] = max(self._read.get(where, 0), offset + 1)
        before = self._latest.get(request.competitor_id)
        task = asyncio.create_task(self._work(before, request))
        self._latest[request.competitor_id] = task
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(done, where, offset, request.competitor_id))

    def passed_over(self, where: TopicPartition, offset: int) -> None:
        """A record that is no request is done with."""
        self._read[where] = max(self._read.get(where, 0), offset + 1)

    def done_through(self) -> dict[TopicPartition, int]:
        """Of each partition the offset from which a successor has to read."""
        return {where: min(self._at_work.get(where) or {read}) for where, read in self._read.items()}

    async def finish(self, within_s: float) -> None:
        """Wait for what is at work; what is not done by then is asked for again by a successor."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)
        for task in self._tasks:
            task.cancel()

    async def _work(self, before: asyncio.Task[None] | None, request: DecisionRequested) -> None:
        if before is not None and not before.done():
            await asyncio.wait({before})
        await self._handle(request)

    def _ended(self, task: asyncio.Task[None], where: TopicPartition, offset: int, competitor: str) -> None:
        self._room.release()
        self._tasks.discard(task)
        if self._latest.get(competitor) is task:
            del self._latest[competitor]
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            self.failure = self.failure or error
        else:
            self._at_work[where].discard(offset)
