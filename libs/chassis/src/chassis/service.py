"""Runs a service as a process. (API skeleton; bodies follow.)"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from chassis.health import Health
from chassis.objects import ObjectStore
from chassis.publish import Publisher
from chassis.settings import ServiceSettings
from chassis.step import Connection, Stage
from chassis.telemetry import Telemetry
from chassis.timed import TimedStage


@dataclass
class Resources:
    """What a service's shell may use; routes find it in `request.app.state.resources`."""

    service: str
    settings: ServiceSettings
    telemetry: Telemetry
    health: Health
    publisher: Publisher
    objects: ObjectStore
    stack: AsyncExitStack
    """Closed when the process drains, after its loop has ended."""
    stopping: asyncio.Event
    """Set when the process is asked to end: own loops finish what they have and return."""

    async def connect(self) -> Connection:
        """A new connection of the service's role, closed with the process."""
        raise NotImplementedError

    async def pool(self) -> "asyncpg.Pool[Any]":
        """The process's pool, made at the first call."""
        raise NotImplementedError


Background = Callable[[Resources], AbstractAsyncContextManager[Any]]
"""Entered before the loop begins, left after it has ended: latest-value readers, writers, caches."""


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
    raise NotImplementedError


def timed_app(
    service: str,
    settings: ServiceSettings,
    *,
    own_topic: str,
    market_topics: Sequence[str],
    stage: TimedStage,
    hold_for_rounds: bool = False,
    background: Sequence[Background] = (),
    routes: Sequence[BaseRoute] = (),
    max_records: int = 500,
) -> Starlette:
    """A stage whose own topic is merged with market topics by event time."""
    raise NotImplementedError


def service_app(
    service: str,
    settings: ServiceSettings,
    *,
    run: Callable[[Resources], Awaitable[None]],
    background: Sequence[Background] = (),
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """A service with its own loop. `run` returns when `resources.stopping` is set; if it returns before, the process ends well."""
    raise NotImplementedError


def serve(create_app: Callable[[], Starlette], **uvicorn_options: Any) -> None:
    """Run until SIGTERM or SIGINT (exit 0) or until the loop fails (exit 1). For `python -m <service>`."""
    raise NotImplementedError
