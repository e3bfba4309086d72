"""Health and metrics over HTTP, and the server that a process runs."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.resources import Resources
from chassis.settings import ServiceSettings

CONNECTIONS_CLOSE_WITHIN_S = 3


def http_routes() -> list[Route]:
    return [Route("/healthz", _healthz), Route("/readyz", _readyz), Route("/metrics", _metrics)]


async def _healthz(request: Request) -> Response:
    health = _resources(request).health
    return JSONResponse(health.report(), 200 if health.alive() else 503)


async def _readyz(request: Request) -> Response:
    resources = _resources(request)
    ready = resources.health.ready() and not resources.stopping.is_set()
    return JSONResponse(resources.health.report(), 200 if ready else 503)


async def _metrics(request: Request) -> Response:
    registry = _resources(request).telemetry.registry
    return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})


def _resources(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


class Server(uvicorn.Server):
    """uvicorn that ends when the loop does, and whose exit status says how."""

    def __init__(self, app: Starlette, settings: ServiceSettings, options: dict[str, Any]) -> None:
        self._app = app
        common: dict[str, Any] = {
            "host": settings.health_host,
            "port": settings.health_port,
            "lifespan": "on",
            "log_config": None,
            "access_log": False,
            "timeout_graceful_shutdown": CONNECTIONS_CLOSE_WITHIN_S,
        }
        super().__init__(uvicorn.Config(app, **(common | options)))

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn would raise the signal again at the end: status -15 for what went well."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        yield

    def end(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            resources: Resources = self._app.state.resources
            resources.on_end = self.end
            port = self.servers[0].sockets[0].getsockname()[1]
            resources.telemetry.log.info("listening", port=port)
            if resources.ended:
                self.end()

    async def until_end(self) -> int:
        """0 when it was asked to end or had no more to do, 1 when something failed."""
        try:
            await self.serve()
        except SystemExit:  # uvicorn's own way out where it could not start; it has said why
            return 1
        resources: Resources | None = getattr(self._app.state, "resources", None)
        if not self.started or resources is None or resources.failure is not None:
            return 1
        return 0 if not any(loop.failed for loop in resources.health.loops.values()) else 1
