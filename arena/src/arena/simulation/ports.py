"""Where the services meet the outside: every door of theirs leads into the simulation while it runs.

The services themselves are not changed; what stands here is the complete list of what is put in another's place.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import structlog
from chassis.health import Health
from chassis.publish import Publisher
from chassis.resources import Resources
from contracts.topics import TOPICS

from arena.simulation.consumer import Consumer
from arena.simulation.database import Connection
from arena.simulation.log import Producer
from arena.simulation.process import CURRENT
from arena.simulation.quiet import Quiet

PARSED_MAX = 20_000
BEAT = timedelta(seconds=20)
"""Live, watermarks between the steps of the feed: the real ones are a hundred times as many, to the same effect."""


class Simulated(Resources):
    """What a service's shell may use, here."""

    async def connect(self, *, for_life: bool = False) -> Any:  # noqa: ARG002  # here no connection breaks by itself
        process = CURRENT.get()
        return Connection(process, process.world.database(process.service))


async def _open_resources(service: str, settings: Any, stack: AsyncExitStack) -> Resources:
    process, telemetry = CURRENT.get(), Quiet()
    publisher = Publisher(Producer(process, process.world.log), telemetry)  # type: ignore[arg-type]
    objects = process.world.objects(process)
    return Simulated(service, settings, telemetry, Health(), publisher, objects, stack)  # type: ignore[arg-type]


async def _start_member(kafka: str, group: str, instance: str) -> Consumer:  # noqa: ARG001  # the real one's
    process = CURRENT.get()
    return Consumer(process, process.world.log, process.world.group(group))


async def _start_reader(kafka: str, *, of_one_partition: bool = False) -> Consumer:  # noqa: ARG001  # the real one's
    process = CURRENT.get()
    return Consumer(process, process.world.log)


async def _cluster_id(kafka: str) -> str:
    return kafka


async def _partition_count(kafka: str, topic: str) -> int:  # noqa: ARG001  # the real one's
    return CURRENT.get().world.log.counts[topic]


@asynccontextmanager
async def _nothing(resources: Resources) -> AsyncIterator[None]:  # noqa: ARG001  # the real one's
    """Evaluation is no money, and reads what others said."""
    yield


@asynccontextmanager
async def _opened_store(dsn: str) -> AsyncIterator[Any]:  # noqa: ARG001  # the real one's
    process = CURRENT.get()
    yield process.world.market_store(process)


async def _feed_ended(stopping: Any, turned: Any) -> None:  # noqa: ARG001  # the real one's
    """The feed is over; the process stays."""
    process = CURRENT.get()
    process.world.feed_ended = True
    await process.loop.create_future()


class _Datetime(datetime):
    """market-data reads the wall clock: here that of its process."""

    @classmethod
    def now(cls, tz: tzinfo | None = UTC) -> datetime:  # type: ignore[override]
        return CURRENT.get().now().astimezone(tz)


def _monotonic() -> float:
    return CURRENT.get().loop.time()


_TIME = SimpleNamespace(monotonic=_monotonic, perf_counter=_monotonic, time=_monotonic)
_DOORS: Mapping[str, Any] = {
    "chassis.service.open_resources": _open_resources,
    "chassis.service.start_member": _start_member,
    "chassis.service.start_reader": _start_reader,
    "chassis.service.cluster_id": _cluster_id,
    "chassis.latest.start_reader": _start_reader,
    "chassis.worker.time": _TIME,
    "chassis.timed_worker.time": _TIME,
    "chassis.health.time": _TIME,
    "market_data.app.cluster_id": _cluster_id,
    "market_data.app.opened": _opened_store,
    "market_data.app.open_venue": lambda _: CURRENT.get().world.venue,
    "market_data.app._stay": _feed_ended,
    "market_data.runner.BEAT": BEAT,
    "market_data.assembly.start_reader": _start_reader,
    "market_data.assembly.datetime": _Datetime,
    "market_data.assembly.time": _TIME,
    "signal_runtime.runtime.time": _TIME,
    "risk_gate.control_log.start_reader": _start_reader,
    "pnl_tracker.replaying.start_reader": _start_reader,
    "pnl_tracker.competition.partition_count": _partition_count,
    "pnl_tracker.app.evaluating": lambda *_: _nothing,
}


class _Parsed:
    """Every record is parsed once, however many read it: the same bytes are the same event."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter
        self._known: dict[bytes, Any] = {}

    def validate_json(self, value: bytes) -> Any:
        known = self._known.get(value)
        if known is None:
            if len(self._known) >= PARSED_MAX:
                self._known.clear()
            known = self._known[value] = self._adapter.validate_json(value)
        return known


@contextmanager
def simulated() -> Iterator[None]:
    """All doors lead inside. Not to be used by two at once."""
    with ExitStack() as doors:
        for name, inside in _DOORS.items():
            doors.enter_context(patch(name, inside))
        adapters = {name: topic.adapter for name, topic in TOPICS.items()}
        configured = structlog.get_config()
        structlog.configure(processors=[_dropped])
        try:
            for name, topic in TOPICS.items():
                topic.__dict__["adapter"] = _Parsed(adapters[name])
            yield
        finally:
            structlog.configure(**configured)
            for name, topic in TOPICS.items():
                topic.__dict__["adapter"] = adapters[name]


def _dropped(*_: Any) -> Any:
    raise structlog.DropEvent
