"""One run: the processes and what befalls them, from the season's announcement until everything has come to rest."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from asyncpg import UniqueViolationError
from chassis.step import Fenced
from competition.registry import season_changed
from contracts.base import named_id
from contracts.control import FlattenRequested, HaltRequested, ResumeRequested
from contracts.topics import SERVICES, TOPICS, dead_letter_topic
from contracts.wire import encode, numbered
from order_executor.handlers import TermsMissing
from pnl_tracker.core.unit import UnknownSeason

from arena.simulation.clock import VirtualLoop
from arena.simulation.consumer import Group
from arena.simulation.database import Database
from arena.simulation.faults import Faults
from arena.simulation.log import EXECUTIONS, Log, Record
from arena.simulation.market import MarketStore
from arena.simulation.process import Process
from arena.simulation.season import INSTRUMENTS, Plan
from arena.simulation.services import SHARED, live

COMPETITOR_PARTITIONS, MARKET_PARTITIONS = 3, 2
RESTS_WITHIN_S = 900.0
"""After the feed's end everything is done within that, or something hangs."""
MEANT = (Fenced, TermsMissing, UnknownSeason)
"""What a process may end with by itself: it says so in its own words, and is started again."""
_SPREAD = {"single": 1, "market": MARKET_PARTITIONS, "competitor": COMPETITOR_PARTITIONS}


class World:
    def __init__(self, loop: VirtualLoop, plan: Plan, faults: Faults, venue: Any) -> None:
        self.loop, self.plan, self.faults, self.venue = loop, plan, faults, venue
        counts = {name: _SPREAD[topic.spread] for name, topic in TOPICS.items()}
        counts |= {dead_letter_topic(service): 1 for service in SERVICES}
        self.log = Log(loop, faults, counts)
        self._databases = {service: Database(service) for service in SERVICES}
        self._groups: dict[str, Group] = {}
        self._objects: dict[str, bytes] = {}
        self._market: dict[str, Any] = {"bars": {}}
        self._keepers: list[asyncio.Task[None]] = []
        self._controls = 0
        self.failures: list[tuple[str, BaseException]] = []
        """Exceptions that no fault explains: they are bugs."""
        self.over = loop.create_future()
        """Set where the run need not go on."""
        self.processes: dict[str, Process] = {}
        self.feed_ended = False
        self.born = 0
        """Processes so far."""
        self.season = season_changed(plan.file, plan.starts_at)

    # What a process finds outside itself

    def database(self, service: str) -> Database:
        return self._databases[service]

    def group(self, name: str) -> Group:
        return self._groups.setdefault(name, Group(self.log))

    def objects(self, process: Process) -> "Objects":
        return Objects(process, self._objects)

    def market_store(self, process: Process) -> MarketStore:
        return MarketStore(process, self._market)

    @property
    def databases(self) -> Sequence[Database]:
        return list(self._databases.values())

    def market_time(self) -> datetime:
        """What the venue says of the time that has passed everywhere."""
        times = [
            max(
                (dict(r.headers)["ce_time"] for r in self.log.records[where] if _is_watermark(r)),
                default=b"1970-01-01T00:00:00Z",
            )
            for where in self.log.of(EXECUTIONS)
        ]
        return datetime.fromisoformat(min(times).decode())

    # What befalls it

    async def run(self) -> None:
        """Until the feed has ended and everything is at rest; or until `over` is set."""
        for service in SERVICES:
            self._keep(service, "0")
        befalls = [self.loop.create_task(work) for work in (self._rebalances(), self._operators())]
        played = self.loop.create_task(self._played())
        await asyncio.wait({played, self.over}, return_when=asyncio.FIRST_COMPLETED)
        for task in befalls:
            task.cancel()
        if not self.over.done():
            played.result()
            self._calm_down()
            await asyncio.wait({self.loop.create_task(self._rest()), self.over}, return_when=asyncio.FIRST_COMPLETED)
        for keeper in self._keepers:
            keeper.cancel()
        for process in self.processes.values():
            process.kill()
        await asyncio.sleep(0)

    def behind(self) -> list[str]:
        """Who has still something to read."""
        found = []
        for service, database in self._databases.items():
            for row in database.rows("step_position"):
                end = len(self.log.records[row["topic"], row["partition"]])
                if row["next_offset"] < end:
                    found.append(f"{service} {row['topic']}[{row['partition']}] {row['next_offset']}/{end}")
        return found

    def _keep(self, service: str, instance: str) -> None:
        self._keepers.append(self.loop.create_task(self._kept(service, instance)))

    async def _kept(self, service: str, instance: str) -> None:
        """The supervisor: started again whenever it ends."""
        while True:
            process = self._born(service, instance)
            life = process.spawn(live(self.plan, process))
            try:
                await asyncio.wait({life})
            except asyncio.CancelledError:
                process.kill()
                raise
            self._note(process, life)
            process.kill()
            await asyncio.sleep(self.faults.random.uniform(0.2, 3))

    def _born(self, service: str, instance: str) -> Process:
        process = Process(self, service, instance)
        self.born += 1
        self.processes[process.name] = process
        if self.plan.clock == "live" and service in ("market-data", "signal-runtime") and self.faults.happens("skewed"):
            process.skew = timedelta(seconds=self.faults.random.uniform(-3, 3))
        return process

    def _note(self, process: Process, life: "asyncio.Task[None]") -> None:
        if process.dead or life.cancelled():
            return
        error = life.exception()
        # a worker that was put out may meet the rows of its successor before it meets the fence: nothing of it stays
        if process.put_out and isinstance(error, UniqueViolationError):
            return
        if error is None or not isinstance(error, MEANT):
            self.fail(process.name, error or RuntimeError("ended by itself"))

    def fail(self, who: str, error: BaseException) -> None:
        self.failures.append((who, error))
        self.stop()

    def stop(self) -> None:
        if not self.over.done():
            self.over.set_result(None)

    async def _played(self) -> None:
        """The feed is over, and every round that was opened is closed."""
        while True:
            await asyncio.sleep(5)
            if self.feed_ended:
                return
            if self.loop.time() > (
                self.plan.seconds + RESTS_WITHIN_S if self.plan.clock == "live" else 2 * RESTS_WITHIN_S
            ):
                self.fail("market-data-0", TimeoutError("the feed has not ended"))
                return

    def _calm_down(self) -> None:
        self.faults.stop()

    async def _rest(self) -> None:
        """Nothing lands any more, and nobody has anything left to read."""
        before, since = -1, self.loop.time()
        while True:
            await asyncio.sleep(30)
            size = sum(map(len, self.log.records.values()))
            if size == before and not self.behind():
                return
            before = size
            if self.loop.time() - since > RESTS_WITHIN_S:
                self.fail("arena", TimeoutError(f"not at rest: {', '.join(self.behind()) or 'records still come'}"))
                return

    async def _rebalances(self) -> None:
        """Second workers come and go; some workers stand still and wake when their partitions are another's."""
        while True:
            await asyncio.sleep(self.faults.seconds(self._span() / 6, self._span()))
            service = self.faults.random.choice(SHARED)
            if self.faults.happens("zombie"):
                await self._zombie(service)
            elif self.faults.happens("rebalanced"):
                await self._second(service, self.faults.seconds(self._span() / 20, 300))

    def _span(self) -> float:
        """How long a run lasts, roughly: in lockstep the feed waits for nobody but the rounds."""
        return float(self.plan.seconds) if self.plan.clock == "live" else self.plan.seconds / 60

    async def _zombie(self, service: str) -> None:
        process = self.processes[f"{service}-0"]
        if process.dead:
            return
        process.put_out = True
        process.stand_still(self.faults.random.uniform(5, 40))
        self.group(service).leave(process)
        await self._second(service, self.faults.random.uniform(5, 60))
        process.kill()  # a member that was put out comes back as a new one

    async def _second(self, service: str, seconds: float) -> None:
        self._keep(service, "1")
        keeper = self._keepers[-1]
        await asyncio.sleep(seconds)
        keeper.cancel()

    async def _operators(self) -> None:
        while True:
            await asyncio.sleep(self.faults.seconds(self._span() / 4, self._span()))
            if self.faults.happens("operator"):
                self.order(self.faults.random.choice((HaltRequested, HaltRequested, FlattenRequested)))
                await asyncio.sleep(self.faults.seconds(self._span() / 10, self._span()))
                self.order(ResumeRequested)

    def order(self, kind: Callable[..., Any]) -> None:
        """An operator's order, as the site would send it."""
        self._controls += 1
        competitors = [entry.competitor_id for entry in self.plan.file.competitors]
        event = kind(
            event_id=named_id("simulated operator", self.plan.seed, self._controls),
            at=self.loop.now(), season_id=self.plan.file.season_id, operator="simulation", reason="simulated",
            competitor_id=self.faults.random.choice((None, *competitors)) if kind is not ResumeRequested else None,
            instrument=self.faults.random.choice((None, None, *INSTRUMENTS)) if kind is not ResumeRequested else None,
        )  # fmt: skip
        record = encode(event)
        where = self.log.of(event.topic)[0]
        self.log.append(where, record.key, record.value, numbered(record.headers, "simulation", self._controls))


def _is_watermark(record: Record) -> bool:
    return dict(record.headers)["ce_type"] == b"arena.time_advanced"


class Objects:
    """The object store: whole or not at all."""

    def __init__(self, process: Process, kept: dict[str, bytes]) -> None:
        self._process, self._kept = process, kept

    async def put(self, path: str, data: bytes) -> None:
        await self._process.effect()
        self._kept[path] = data
        await self._process.effect()

    async def put_new(self, path: str, data: bytes) -> bool:
        await self._process.effect()
        is_first = self._kept.setdefault(path, data) is data
        await self._process.effect()
        return is_first

    async def get(self, path: str) -> bytes | None:
        await self._process.passes()
        return self._kept.get(path)
