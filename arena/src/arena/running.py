"""`arena up`: starts everything, keeps it running, and leaves nothing behind."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

from arena.board import Board
from arena.datadir import DataDir
from arena.exits import Exit, Stopped
from arena.figures import read_tally, summary
from arena.options import EMBEDDED, Options, season_for, starts_at
from arena.resting import feed_ended, until_at_rest
from arena.stack.jars import jars_fetched
from arena.stack.parts import Foundation, found
from arena.stack.processes import LOOPBACK, is_free
from arena.stack.services import Parts, specs
from arena.stack.supervisor import Supervisor
from arena.watching import Memory, Spectator

LOOK_S = 0.5
T = TypeVar("T")


async def up(options: Options, board: Board) -> dict[str, Any] | None:
    """The figures of a run of fixed length; None where it was stopped by hand."""
    asked_to_stop = _on_signals()
    if not is_free(options.port):
        raise Stopped(Exit.USAGE, f"--port: {options.port} on {LOOPBACK} is taken")
    folder = DataDir(options.data_dir)
    folder.prepare(resume=options.resume)
    options = _as_before(options, folder)
    season = season_for(options)
    memory = Memory()
    async with AsyncExitStack() as stack:
        clock = asyncio.get_running_loop()
        began = clock.time()
        if options.kafka == EMBEDDED and not jars_fetched():
            board.say("fetching Apache Kafka's jars, once")
        foundation = await _unless(asked_to_stop, found(options, folder, stack))
        if foundation is None:
            return None
        board.say(f"Kafka and PostgreSQL ready after {clock.time() - began:.1f} s")
        if not options.resume or options.season is not None:
            folder.season.write_text(season)
        folder.note_options(options.lasting())
        run = Run(options, folder, foundation, board, memory)
        stack.callback(folder.note_stopped)
        stack.push_async_callback(run.supervisor.stop)
        over = await run.go(asked_to_stop)
        if not over:
            return None
        await run.supervisor.stop()
        tally, marks = await read_tally(foundation.kafka)
        return summary(tally, marks, run.spectator.seen_ms, memory.peak_bytes) | run.extras(clock.time() - began)


def _as_before(options: Options, folder: DataDir) -> Options:
    """A resumed run plays the same market on the same parts."""
    return replace(options, **folder.options()) if options.resume else options


class Run:
    def __init__(self, options: Options, folder: DataDir, foundation: Foundation, board: Board, memory: Memory) -> None:
        self._options, self._folder, self._foundation, self._board = options, folder, foundation, board
        self._memory = memory
        self._began = asyncio.get_running_loop().time()
        self.url = f"http://{LOOPBACK}:{options.port}/"
        self.spectator = Spectator(f"ws://{LOOPBACK}:{options.port}/ws")
        parts = Parts(foundation.kafka, foundation.dsns, folder, starts_at(options, datetime.now(UTC)))
        self.supervisor = Supervisor(specs(options, parts), board.changed)

    def extras(self, wall_seconds: float) -> dict[str, Any]:
        restarts = sum(child.restarts for child in self.supervisor.children)
        return {"restarts": restarts, "arena_seconds": self._options.seconds, "wall_seconds": round(wall_seconds, 1)}

    async def go(self, asked_to_stop: asyncio.Event) -> bool:
        """True where the run came to its end, False where it was asked to stop; raises Stopped."""
        self.supervisor.start()
        self._board.show(self.supervisor)
        self._folder.note_running(
            self.url,
            self._foundation.kafka,
            {child.spec.name: child.spec.port for child in self.supervisor.children},
        )
        background = [self.supervisor.run(), self._check(), self.spectator.run(), self._memory.run(), self._greet()]
        tasks = [asyncio.create_task(work) for work in background]
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(asked_to_stop.wait())]
        if self._options.seconds is not None:
            ends.append(asyncio.create_task(self._drain()))
        try:
            return await _first_end(tasks, ends) is not ends[0]
        finally:
            await _cancel(tasks + ends)

    async def _drain(self) -> None:
        feed = self.supervisor["market-data"]
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as http:

            async def over() -> bool:
                return feed.state == "finished" or await feed_ended(http, feed.spec.port)

            await until_at_rest(self._foundation.kafka, over)

    async def _check(self) -> None:
        while True:
            self._foundation.check()
            await asyncio.sleep(LOOK_S)

    async def _greet(self) -> None:
        await self.spectator.first_fill.wait()
        seconds = asyncio.get_running_loop().time() - self._began
        self._board.say(f"first fill on the page after {seconds:.0f} s: [bold]{self.url}[/]")
        await asyncio.Event().wait()


async def _first_end(tasks: list[asyncio.Task[None]], ends: list[asyncio.Task[Any]]) -> asyncio.Task[Any]:
    """The end that came first; what failed before it is raised."""
    done, _ = await asyncio.wait([*tasks, *ends], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return next(task for task in ends if task in done)


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _unless(asked_to_stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Its result; None where the stop came first and the work was given up."""
    task, stop = asyncio.create_task(work), asyncio.create_task(asked_to_stop.wait())
    try:
        await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        await _cancel([task, stop])


def _on_signals() -> asyncio.Event:
    """Set at Ctrl-C and SIGTERM; all later ones find it set and change nothing: stopping is bounded."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, asked.set)
    return asked
