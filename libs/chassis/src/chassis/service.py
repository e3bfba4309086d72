"""Runs a service as a process: resources, one loop, health, metrics. Any failure of the loop ends the process."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import uvloop
from contracts.base import Event
from contracts.competition import Clock
from contracts.market import TimeAdvanced
from contracts.topics import TOPICS
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from chassis.bus import cluster_id, start_member, start_reader
from chassis.health import Loop
from chassis.http import Server, http_routes
from chassis.market_reader import MarketReader
from chassis.resources import Resources, open_resources
from chassis.settings import ServiceSettings
from chassis.step import PlainStep, Stage, Step
from chassis.timed import TimedStage
from chassis.timed_worker import TimedWorker
from chassis.worker import Offsets, Onlookers, Worker, ensure_same_broker

__all__ = ["Background", "Resources", "serve", "service_app", "stage_app", "timed_app"]

DRAIN_WITHIN_S = 10.0
TURNS_WITHIN_S = 90.0
"""A stage may wait a minute for what its decisions need."""

Background = Callable[[Resources], AbstractAsyncContextManager[Any]]
"""Entered before the loop begins, left after it has ended: latest-value readers, writers, caches.

Where what it enters has a task `running`, the process ends when that fails.
"""
Run = Callable[[Resources], Awaitable[None]]


def stage_app(
    service: str,
    settings: ServiceSettings,
    *,
    topics: Sequence[str],
    stage: Stage,
    background: Sequence[Background] = (),
    routes: Sequence[BaseRoute] = (),
    max_records: int = 500,
) -> Starlette:
    """A plain stage."""

    async def run(resources: Resources) -> None:
        step = await _step(resources, stage)
        consumer = await _consumer(resources)
        onlookers = Onlookers(consumer, step, resources.telemetry, stage)
        worker = Worker(consumer, PlainStep(step, stage, resources.telemetry), onlookers, max_records)
        await worker.run(topics, resources.stopping, resources.health.loops["loop"])
        await step.flush()

    return service_app(service, settings, run=run, background=background, routes=routes)


def timed_app(
    service: str,
    settings: ServiceSettings,
    *,
    own_topic: str,
    market_topics: Sequence[str],
    stage: TimedStage,
    clock: Callable[[], Clock | None],
    hold_for_rounds: bool = False,
    background: Sequence[Background] = (),
    routes: Sequence[BaseRoute] = (),
    max_records: int = 500,
    reads: Collection[type[Event]] | None = None,
) -> Starlette:
    """A stage whose own topic meets market topics: by event time in lockstep, as they arrive in a live season.

    `clock` says which (season_clock.py); while it says None nothing is handed over.
    `reads`: the events of its own topic that it acts on, where that is not all of them; the others are not parsed.
    """
    passed_over = () if reads is None else set(TOPICS[own_topic].event_types) - {TimeAdvanced, *reads}

    async def run(resources: Resources) -> None:
        step = await _step(resources, stage, passed_over)
        consumer = await _consumer(resources)
        reader = await _reader(resources)
        worker = TimedWorker(
            service,
            consumer,
            own_topic,
            reader,
            MarketReader(reader, market_topics, accept_gap=resources.settings.accept_market_gap),
            Offsets(await _reader(resources)),
            step,
            stage,
            resources.telemetry,
            Onlookers(consumer, step, resources.telemetry, stage),
            clock=clock,
            hold_for_rounds=hold_for_rounds,
            max_records=max_records,
        )
        await worker.run(resources.stopping, resources.health.loops["loop"])
        await step.flush()

    return service_app(service, settings, run=run, background=background, routes=routes)


def service_app(
    service: str,
    settings: ServiceSettings,
    *,
    run: Run,
    background: Sequence[Background] = (),
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """A service with its own loop, which says that it is ready and that it turns: `resources.health.loops["loop"]`.

    `run` returns when `resources.stopping` is set; if it returns sooner, the process ends well.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            resources = await open_resources(service, settings, stack)
            app.state.resources = resources
            resources.telemetry.clock_jump.set_function(resources.health.clock.jumped_s)
            loop = resources.health.loop("loop", turns_within_s=TURNS_WITHIN_S)
            for enter in background:
                entered = await stack.enter_async_context(enter(resources))
                if isinstance(running := getattr(entered, "running", None), asyncio.Task):
                    resources.watch(running, resources.health.loop(f"background-{len(resources.health.loops)}"))
            running = asyncio.ensure_future(run(resources))
            resources.watch(running, loop, ends_process=True)
            resources.telemetry.log.info("started")
            try:
                yield
            finally:
                resources.stopping.set()
                await _drain(running, loop, resources)

    app = Starlette(routes=[*http_routes(), *routes], lifespan=lifespan)
    app.state.settings = settings
    return app


async def _drain(running: "asyncio.Future[None]", loop: Loop, resources: Resources) -> None:
    """Finish the batch, publish, commit: bounded, for the next process takes up whatever is left."""
    await asyncio.wait({running}, timeout=DRAIN_WITHIN_S)
    if not running.done():
        resources.telemetry.log.error("not drained in time", seconds=DRAIN_WITHIN_S)
        loop.failed = True
        running.cancel()
        await asyncio.wait({running}, timeout=1)
    resources.telemetry.log.info("stopped")


async def _consumer(resources: Resources) -> Any:
    """Made after the step, so that it is stopped before the step's connection is closed: it may be taking over."""
    settings = resources.settings
    consumer = await start_member(settings.kafka, resources.service, settings.instance)
    resources.stack.push_async_callback(consumer.stop)
    return consumer


async def _reader(resources: Resources) -> Any:
    reader = await start_reader(resources.settings.kafka)
    resources.stack.push_async_callback(reader.stop)
    return reader


async def _step(resources: Resources, stage: Stage | TimedStage, passed_over: Collection[type[Event]] = ()) -> Step:
    db = await resources.connect(for_life=True)
    await ensure_same_broker(db, await cluster_id(resources.settings.kafka), resources.service)
    offsets = Offsets(await _reader(resources))
    return Step(db, resources.service, resources.publisher, resources.telemetry, stage.save, offsets.check, passed_over)


def serve(create_app: Callable[[], Starlette], **uvicorn_options: Any) -> None:
    """Run until SIGTERM or SIGINT (exit 0) or until the loop fails (exit 1). For `python -m <service>`."""
    app = create_app()
    server = Server(app, app.state.settings, uvicorn_options)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(server.until_end()))
