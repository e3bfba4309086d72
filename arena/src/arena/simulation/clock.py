"""An event loop whose time is virtual: where everybody waits, it jumps to the next timer. Same steps in every run."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(Exception):
    """Everybody waits for somebody else."""


class _Jump:
    """In the place of the selector: nothing ever comes from outside, waiting only moves the time."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Stuck("no task can go on, and none waits for a time")
        self._loop.now_s += timeout
        return []

    def close(self) -> None:
        """It holds nothing."""


class VirtualLoop(asyncio.BaseEventLoop):
    """What asks for a thread is done at once: a thread would end at a moment of its own."""

    def __init__(self, start: datetime) -> None:
        super().__init__()
        self.now_s = 0.0
        self.start = start
        self._selector = _Jump(self)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self.now_s

    def now(self) -> datetime:
        """The simulated wall clock."""
        return self.start + timedelta(seconds=self.now_s)

    def _process_events(self, events: Any) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]  # noqa: ARG002  # no thread: at once
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


def run(start: datetime, main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run `main` to its end in a loop of its own; what is left of other tasks is cancelled."""
    loop = VirtualLoop(start)
    asyncio.set_event_loop(loop)
    loop.set_exception_handler(lambda _loop, _context: None)
    try:
        return loop.run_until_complete(main(loop))
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
