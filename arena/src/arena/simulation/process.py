"""A simulated process: it dies or stands still at an effect, and nothing that it does after its death counts."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.simulation.world import World

EFFECT_S = 0.002
"""Mean time that an effect takes."""
CURRENT: ContextVar["Process"] = ContextVar("process")
"""Whose code runs: inherited by every task that a process begins."""


class Dead(asyncio.CancelledError):
    """The process was killed: the code that asked goes no further."""


class Process:
    def __init__(self, world: "World", service: str, instance: str) -> None:
        self.world, self.loop, self.faults = world, world.loop, world.faults
        self.service, self.instance = service, instance
        self.dead = False
        self.put_out = False
        """Its group went on without it."""
        self.skew = timedelta()
        self.on_death: list[Callable[[], None]] = []
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._still_until_s = 0.0

    @property
    def name(self) -> str:
        return f"{self.service}-{self.instance}"

    def now(self) -> datetime:
        """As its own clock says."""
        return self.loop.now() + self.skew

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """A task of this process, whoever asks."""
        token = CURRENT.set(self)
        try:
            return self.loop.create_task(work)
        finally:
            CURRENT.reset(token)

    def adopt(self, task: "asyncio.Task[Any]") -> None:
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def effect(self, *, may_crash: bool = True) -> None:
        """Between two effects: time passes, and the process may stand still or die."""
        await self.passes()
        if may_crash and self.faults.happens("crashed"):
            self.kill()
        self.ensure_alive()

    async def passes(self) -> None:
        self.ensure_alive()
        await asyncio.sleep(self.faults.random.expovariate(1 / EFFECT_S))
        if self.stands_still:
            await asyncio.sleep(self._still_until_s - self.loop.time())
        self.ensure_alive()

    def ensure_alive(self) -> None:
        if self.dead:
            raise Dead(self.name)

    def stand_still(self, seconds: float) -> None:
        """SIGSTOP: what it had sent arrives, what it was about to do it does when it wakes."""
        self._still_until_s = self.loop.time() + seconds

    @property
    def stands_still(self) -> bool:
        return self._still_until_s > self.loop.time()

    def kill(self) -> None:
        """SIGKILL."""
        if self.dead:
            return
        self.dead = True
        for tell in self.on_death:
            tell()
        for task in list(self._tasks):
            if task is not asyncio.current_task():
                task.cancel()


def task_of_its_process(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> "asyncio.Task[Any]":
    """The loop's task factory."""
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
    process = CURRENT.get(None)
    if process is not None:
        process.adopt(task)
        if process.dead:
            task.cancel()
    return task
