"""The loop of a timed stage: polls its own topic and the market, moves every unit as far as time allows, commits."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from contracts.competition import Clock

from chassis.arrival import Arrival
from chassis.crash_points import crash_point
from chassis.health import Loop
from chassis.lockstep import Lockstep
from chassis.market_reader import MarketReader
from chassis.step import Partition, Step
from chassis.telemetry import Telemetry
from chassis.telling import Teller
from chassis.timed import TimedStage
from chassis.unit import Unit
from chassis.worker import Offsets, Onlookers

OWN_HELD_MAX = 5_000
IDLE_COMMIT_S = 1.0


class TimedWorker(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    def __init__(
        self,
        service: str,
        own: AIOKafkaConsumer,
        own_topic: str,
        market_consumer: AIOKafkaConsumer,
        market: MarketReader,
        offsets: Offsets,
        step: Step,
        stage: TimedStage,
        telemetry: Telemetry,
        onlookers: Onlookers,
        *,
        clock: Callable[[], Clock | None],
        hold_for_rounds: bool,
        max_records: int,
    ) -> None:
        """`clock` says by which the season goes; None until that is known: inputs are then read, and wait."""
        self._own, self._own_topic, self._max_records = own, own_topic, max_records
        self._market_consumer, self._market, self._clock = market_consumer, market, clock
        self._step, self._stage, self._telemetry, self._onlookers = step, stage, telemetry, onlookers
        tell = self._tell = Teller(service, step, stage, telemetry)
        self._orders: Mapping[Clock, Lockstep | Arrival] = {
            "lockstep": Lockstep(market, tell, offsets, hold_for_rounds=hold_for_rounds),
            "live": Arrival(market, tell),
        }
        self._units: dict[Partition, Unit] = {}
        self._rewind = False
        self._paused: set[TopicPartition] = set()
        self._committed_at = 0.0
        self._failure: BaseException | None = None

    async def run(self, stopping: asyncio.Event, loop: Loop) -> None:
        await self._market.start()
        self._own.subscribe([self._own_topic], listener=self)
        polls: dict[str, asyncio.Task[Any]] = {}
        try:
            while not stopping.is_set():
                own, market = await self._poll(polls)
                if self._failure is not None:
                    raise self._failure
                crash_point("timed.after_poll")
                async with self._step.lock:
                    await self._turn(own, market)
                await self._onlookers.tell()
                loop.turned()
                if self._own.assignment():
                    loop.ready()
        finally:
            for poll in polls.values():
                poll.cancel()
            await asyncio.gather(*polls.values(), return_exceptions=True)
        async with self._step.lock:
            await self._commit(at_once=True)
        await self._onlookers.tell(now=True)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        try:
            for where in sorted(assigned):
                crash_point("timed.assigned")
                async with self._step.lock:
                    unit = await self._take_over(Partition(*where))
                self._own.seek(where, unit.read_offset)
        except BaseException as error:
            self._failure = error  # aiokafka would log it and go on
            raise

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        try:
            async with self._step.lock:
                await self._commit(at_once=True)  # or the next commit would save state without its position
                for where in revoked:
                    crash_point("timed.revoked")
                    self._units.pop(Partition(*where), None)
                    self._step.let_go(Partition(*where))
        except BaseException as error:
            self._failure = error
            raise

    async def _take_over(self, partition: Partition) -> Unit:
        position = await self._step.take_over(partition, lambda db: self._stage.load(db, partition.number))
        unit = self._units[partition] = Unit.resumed(position)
        self._rewind = True
        return unit

    async def _poll(self, polls: dict[str, "asyncio.Task[Any]"]) -> tuple[Any, Any]:
        """What came from either side, as soon as something did."""
        if "own" not in polls:
            polls["own"] = self._ask(self._own)
        if "market" not in polls:
            polls["market"] = self._ask(self._market_consumer)
        await asyncio.wait(polls.values(), return_when=asyncio.FIRST_COMPLETED)
        done = {side: polls.pop(side).result() for side in list(polls) if polls[side].done()}
        return done.get("own", {}), done.get("market", {})

    def _ask(self, consumer: AIOKafkaConsumer) -> "asyncio.Task[Any]":
        return asyncio.create_task(consumer.getmany(timeout_ms=200, max_records=self._max_records))

    async def _turn(self, own: Mapping[TopicPartition, Any], market: Mapping[TopicPartition, Any]) -> None:
        began = time.perf_counter()
        if self._rewind:
            await self._rewind_market()
        for where, records in own.items():
            self._hold(where, records)
        clock = self._clock()
        await self._market.take(market, live=clock == "live")
        if clock is not None:  # else nobody knows yet in which order
            await self._orders[clock].turn(self._units.values())
        self._market.forget([unit.place for unit in self._units.values()])
        self._balance()
        heard = [self._tell.heard(unit) for unit in self._units.values()]
        crash_point("timed.after_decide")
        await self._commit(at_once=any(heard))
        taken = sum(map(len, own.values())) + sum(map(len, market.values()))
        if taken:
            self._telemetry.batch(taken, time.perf_counter() - began)

    async def _rewind_market(self) -> None:
        """Read the market from the least offset that any unit needs; units pass over what they have had."""
        crash_point("timed.before_rewind")
        self._rewind = False
        if not self._units:  # all of them went to others before the first turn
            return
        starts = [unit.read_from() for unit in self._units.values()]
        everywhere = [where for where in self._market.offsets if all(where in start for start in starts)]
        needed = [unit.offsets for unit in self._units.values()]
        await self._market.rewind(
            {where: min(start[where] for start in starts) for where in everywhere},
            {where: min(some[where] for some in needed) for where in everywhere},
        )
        for unit in self._units.values():
            unit.rewound()

    def _hold(self, where: TopicPartition, records: Sequence[Any]) -> None:
        unit = self._units.get(Partition(*where))
        if unit is None:
            return
        if records[0].offset > unit.read_offset:  # polled while take_over was at work
            if where in self._own.assignment():
                self._own.seek(where, unit.read_offset)
            return
        for record in records:
            if record.offset >= unit.read_offset:
                unit.hold(record)

    def _balance(self) -> None:
        """A partition of the own topic that waits for the market stops reading while too much of it is held."""
        self._telemetry.state_size.labels("market_held").set(self._market.balance())
        wanted = {
            TopicPartition(*partition)
            for partition, unit in self._units.items()
            if len(unit.held) > OWN_HELD_MAX and not self._waits_for_own(unit)
        }
        assigned = self._own.assignment()
        if stopped := (wanted - self._paused) & assigned:
            self._own.pause(*stopped)
        if resumed := (self._paused - wanted) & assigned:
            self._own.resume(*resumed)
        self._paused = wanted & assigned

    def _waits_for_own(self, unit: Unit) -> bool:
        market, own = self._market.watermark, unit.own_watermark
        return self._stage.merged and market is not None and (own is None or own < market)

    async def _commit(self, *, at_once: bool = False) -> None:
        """All units that moved, together: `save` writes the state of all. Time alone is written once a second."""
        moved = [unit for unit in self._units.values() if unit.moved]
        now = time.monotonic()  # a pace, no time of the arena
        if not moved or not (at_once or now - self._committed_at >= IDLE_COMMIT_S or any(map(_says, moved))):
            return
        self._committed_at = now
        for unit in moved:
            unit.position.cursor, unit.moved = unit.cursor(), False
        await self._step.commit([unit.position for unit in moved])


def _says(unit: Unit) -> bool:
    """Whether others wait for its commit."""
    return bool(unit.position.outs)
