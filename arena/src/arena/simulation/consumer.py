"""What the services use of aiokafka's consumer, on the simulated log; and the group that shares partitions out."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextvars import Context
from typing import Any

from aiokafka import TopicPartition

from arena.simulation.faults import VENUE
from arena.simulation.log import EXECUTIONS, Log, Record
from arena.simulation.process import Process

IDLE_S = 20.0
"""A poll without news returns after that; the real ones return sooner, to as little effect."""
RECORDS_MAX = 2_000
BACK_MAX = 30


class Consumer:
    def __init__(self, process: Process, log: Log, group: "Group | None" = None) -> None:
        self._process, self._log, self._group, self._faults = process, log, group, process.faults
        self._client = self  # `chassis.bus.all_partitions` asks it for a topic's partitions
        self._assigned: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._held_until: dict[TopicPartition, float] = {}
        self._news: asyncio.Future[None] | None = None
        self.listener: Any = None
        self.topics: Sequence[str] = ()

    # What aiokafka's has

    async def stop(self) -> None:
        self.assign(())

    async def _wait_on_metadata(self, topic: str) -> list[int]:
        return list(range(self._log.counts[topic]))

    def subscribe(self, topics: Sequence[str], listener: Any = None) -> None:
        assert self._group is not None
        self.topics, self.listener = topics, listener
        self._group.join(self._process, self)

    def assign(self, partitions: Collection[TopicPartition]) -> None:
        for where in self._assigned:
            self._log.readers[where].pop(self, None)
        self._assigned = dict.fromkeys(sorted(partitions), 0)
        self._paused.clear()
        for where in self._assigned:
            self._log.readers[where][self] = None
        self.wake()

    def assignment(self) -> set[TopicPartition]:
        return set(self._assigned)

    def seek(self, where: TopicPartition, offset: int) -> None:
        self._assigned[where] = offset
        self.wake()

    async def position(self, where: TopicPartition) -> int:
        return self._assigned[where]

    def highwater(self, where: TopicPartition) -> int:
        return len(self._log.records[where])

    def pause(self, *partitions: TopicPartition) -> None:
        self._paused.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self._paused.difference_update(partitions)
        self.wake()

    async def beginning_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        await self._process.passes()
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        await self._process.passes()
        return {where: len(self._log.records[where]) for where in partitions}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        await self._process.effect()
        if self._group is not None:
            self._group.committed.update(offsets)

    async def getmany(
        self, *only: TopicPartition, timeout_ms: int = 0, max_records: int = RECORDS_MAX
    ) -> dict[TopicPartition, list[Record]]:
        await self._process.effect()
        until = self._process.loop.time() + (IDLE_S if timeout_ms else 0)
        while not (found := self._fetched(only or tuple(self._assigned), max_records)):
            if self._process.loop.time() >= until:
                break
            await self._wait(until)
            self._process.ensure_alive()
        return found

    # What happens behind it

    def wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def _wait(self, until: float) -> None:
        loop = self._process.loop
        news = self._news = loop.create_future()
        held = [at for where, at in self._held_until.items() if where in self._assigned and at > loop.time()]
        timer = loop.call_at(min([until, *held]), self.wake)
        try:
            await news
        finally:
            timer.cancel()
            self._news = None

    def _fetched(self, partitions: Sequence[TopicPartition], room: int) -> dict[TopicPartition, list[Record]]:
        """As much as there is room for, of the partitions that let something through."""
        found: dict[TopicPartition, list[Record]] = {}
        for where in partitions:
            start, records = self._assigned.get(where), self._log.records[where]
            if start is None or where in self._paused or not room or start >= len(records) or self._is_held(where):
                continue
            start = self._misplaced(where, start, len(records))
            found[where] = records[start : start + room]
            self._assigned[where] = start + len(found[where])
            room -= len(found[where])
        return found

    def _is_held(self, where: TopicPartition) -> bool:
        now = self._process.loop.time()
        if self._held_until.get(where, 0.0) > now:
            return True
        if self._faults.happens(_named("delayed", where)):
            self._held_until[where] = now + self._faults.seconds(3, 25)
        elif self._faults.happens(_named("reordered", where)):
            self._held_until[where] = now + self._faults.seconds(0.1, 1)
        return self._held_until.get(where, 0.0) > now

    def _misplaced(self, where: TopicPartition, start: int, end: int) -> int:
        """Members of a group may be handed what they had, or what lies beyond: wherever the group stood."""
        if start and self._faults.happens(_named("redelivered", where)):
            return max(0, start - self._faults.random.randint(1, BACK_MAX))
        if self.listener is not None and end - start > 1 and self._faults.happens("gap"):
            return self._faults.random.randint(start + 1, end - 1)
        return start


def _named(fault: str, where: TopicPartition) -> str:
    return VENUE[fault] if where.topic == EXECUTIONS and fault in VENUE else fault


class Group:
    """Consumers under one name: everybody lets go before anybody takes over, but for who stands still."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._members: dict[str, tuple[Process, Consumer]] = {}
        self.committed: dict[TopicPartition, int] = {}
        self._again = False
        self._running: asyncio.Task[None] | None = None

    def join(self, process: Process, consumer: Consumer) -> None:
        self._members[process.name] = process, consumer
        process.on_death.append(lambda: self.leave(process))
        self.rebalance()

    def leave(self, process: Process) -> None:
        known = self._members.get(process.name)
        if known is not None and known[0] is process:
            del self._members[process.name]
            self.rebalance()

    def rebalance(self) -> None:
        self._again = True
        if self._running is None or self._running.done():
            # the coordinator's own: a member that dies meanwhile must not take it along
            self._running = Context().run(self._log.loop.create_task, self._rebalance())

    async def _rebalance(self) -> None:
        while self._again:
            self._again = False
            members = list(self._members.values())
            await self._each(members, [_let_go(consumer) for _, consumer in members])
            members = [member for member in members if member in self._members.values()]
            shares = self._shares(members)
            await self._each(members, [self._take(*member, shares[member[0].name]) for member in members])

    async def _each(self, members: Sequence[tuple[Process, Consumer]], works: Sequence[Any]) -> None:
        tasks = [process.spawn(work) for (process, _), work in zip(members, works, strict=True)]
        if tasks:
            await asyncio.wait(tasks)

    def _shares(self, members: Sequence[tuple[Process, Consumer]]) -> dict[str, list[TopicPartition]]:
        """Each topic's partitions in ranges, by the names of the members."""
        names = sorted(process.name for process, _ in members)
        shares: dict[str, list[TopicPartition]] = {name: [] for name in names}
        for topic in members[0][1].topics if members else ():
            partitions = self._log.of(topic)
            least, over = divmod(len(partitions), len(names))
            for place, name in enumerate(names):
                first = place * least + min(place, over)
                shares[name] += partitions[first : first + least + (place < over)]
        return shares

    async def _take(self, process: Process, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign(partitions)
        for where in partitions:
            consumer.seek(where, self.committed.get(where, 0))
        await process.passes()
        if consumer.listener is not None:
            await consumer.listener.on_partitions_assigned(set(partitions))


async def _let_go(consumer: Consumer) -> None:
    held = consumer.assignment()
    if held and consumer.listener is not None:
        await consumer.listener.on_partitions_revoked(held)
    consumer.assign(())
