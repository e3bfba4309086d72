"""What a service's shell may use."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chassis.bus import connect, connect_pool, start_producer
from chassis.health import Health, Loop
from chassis.objects import ObjectStore
from chassis.publish import Publisher
from chassis.settings import ServiceSettings
from chassis.step import Connection
from chassis.telemetry import Telemetry

if TYPE_CHECKING:
    import asyncpg


@dataclass
class Resources:
    """Routes find it in `request.app.state.resources`."""

    service: str
    settings: ServiceSettings
    telemetry: Telemetry
    health: Health
    publisher: Publisher
    objects: ObjectStore
    stack: AsyncExitStack
    """Closed when the process drains, after its loop has ended."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is asked to end: own loops finish what they have and return."""
    failure: BaseException | None = None
    """What ended a loop."""
    ended: bool = False
    on_end: Callable[[], None] = lambda: None
    """Called when the process has no more to do."""
    _pool: "asyncpg.Pool[Any] | None" = None

    async def connect(self, *, for_life: bool = False) -> Connection:
        """A new connection of the service's role, closed with the process.

        One `for_life` ends the process when it breaks: at once, not at its next use, for a stage that has nothing to
        read would go on saying that it is ready.
        """
        db = await connect(self.settings.postgres)
        if for_life:
            db.add_termination_listener(self._broke)
        self.stack.push_async_callback(db.close, timeout=3)
        return db

    def _broke(self, _: Any) -> None:
        if self.stopping.is_set() or self.ended:
            return
        self.failure = self.failure or ConnectionError("the connection to the database broke")
        self.telemetry.log.error("database gone")
        self.ended = True
        self.on_end()

    async def pool(self) -> "asyncpg.Pool[Any]":
        """The process's pool, made at the first call."""
        if self._pool is None:
            self._pool = await connect_pool(self.settings.postgres)
            self.stack.push_async_callback(self._pool.close)
        return self._pool

    def watch(self, task: "asyncio.Future[Any]", loop: Loop, *, ends_process: bool = False) -> None:
        """End the process when the task fails; with `ends_process` also when it returns."""

        def ended(task: "asyncio.Future[Any]") -> None:
            if task.cancelled():
                return
            error = task.exception()
            if error is not None:
                loop.failed, self.failure = True, self.failure or error
                self.telemetry.log.error("loop failed", loop=loop.name, error=repr(error), exc_info=error)
            if error is not None or ends_process:
                self.ended = True
                self.on_end()

        if not ends_process:
            loop.turns_within_s = float("inf")  # its own task says when it fails
            loop.ready()
        task.add_done_callback(ended)


async def open_resources(service: str, settings: ServiceSettings, stack: AsyncExitStack) -> Resources:
    telemetry = Telemetry(service, settings)
    stack.callback(telemetry.shutdown)
    producer = await start_producer(settings.kafka)
    stack.push_async_callback(producer.stop)
    publisher = Publisher(producer, telemetry)
    return Resources(service, settings, telemetry, Health(), publisher, ObjectStore(settings.object_store), stack)
