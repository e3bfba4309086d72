"""What requests are answered from: the stream's board in memory, the read model in Postgres."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from chassis.service import Resources
from prometheus_client import Gauge
from starlette.websockets import WebSocket

from dashboard_api.core.board import Board, Shows
from dashboard_api.core.feed import Feed
from dashboard_api.fresh import Fresh
from dashboard_api.hub import Hub
from dashboard_api.latency import FillLatency
from dashboard_api.live import Live
from dashboard_api.queries import ModelFigures, Queries
from dashboard_api.settings import Settings
from dashboard_api.stages import Stages

_COUNTED_EVERY_S = 1.0


class Site:
    """Made empty, so that the HTTP interfaces can be described without a broker; `open` fills it."""

    hub: Hub
    live: Live
    queries: Queries
    latency: FillLatency
    counts: Fresh[dict[str, int]]
    models: Fresh[dict[str, ModelFigures]]
    """By season."""
    stages: Stages
    running: asyncio.Task[None]
    """The process ends when it fails: a stream that stopped is worse than none."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._begun = time.monotonic()

    @property
    def uptime_s(self) -> int:
        return int(time.monotonic() - self._begun)

    @property
    def board(self) -> Board:
        return self.hub.feed.board

    @property
    def season_id(self) -> str:
        """Empty before there is a season: nothing is found under it."""
        return self.board.season.season_id if self.board.season else ""

    @property
    def books_balanced(self) -> bool | None:
        portfolios = self.board.portfolios.values()
        return all(portfolio.books_balanced for portfolio in portfolios) if portfolios else None

    def health(self) -> str:
        """What the page is told of the arena's and this site's state."""
        return json.dumps(
            {
                "books_balanced": self.books_balanced,
                "fill_to_frame_ms": self.latency.percentile(0.5),
                "fill_to_frame_ms_p99": self.latency.percentile(0.99),
                "clients": self.hub.clients,
            },
            separators=(",", ":"),
        )

    async def serve(self, socket: WebSocket) -> None:
        await self.hub.serve(socket)

    @asynccontextmanager
    async def open(self, resources: Resources) -> AsyncIterator["Site"]:
        settings = self.settings
        step = timedelta(seconds=settings.equity_step_s)
        feed = Feed(secrets.token_hex(8), shows=Shows(equity_step=step), ring=settings.ring)
        self.latency = FillLatency(resources.telemetry.registry)
        self.hub = Hub(
            feed,
            resources.telemetry,
            self.latency,
            interval_s=settings.frame_interval_ms / 1e3,
            heartbeat_s=settings.heartbeat_s,
            clients_max=settings.clients_max,
            client_queue=settings.client_queue,
            health=self.health,
        )
        self.live = Live(resources, self.hub, step)
        self.hub.catch_up = self.live.catch_up
        self.queries = Queries(await resources.pool(), settings.query_timeout_s)
        self.counts = Fresh(self.queries.counts, _COUNTED_EVERY_S)
        self.models = Fresh(self.queries.models, _COUNTED_EVERY_S)
        self.stages = Stages(settings.kafka)
        resources.stack.push_async_callback(self.stages.stop)
        self._measure(resources)
        self.running = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            self.hub.close()
            self.running.cancel()
            await asyncio.wait([self.running])

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as work:
            for part in (self.live.run, self.live.write_equity, self.hub.run):
                work.create_task(part())

    def _measure(self, resources: Resources) -> None:
        registry = resources.telemetry.registry
        for name, about, value in (
            ("dashboard_clients", "WebSocket clients connected.", lambda: self.hub.clients),
            ("dashboard_frames", "Frames made since the start.", lambda: self.hub.frames),
            ("dashboard_clients_slow_closed", "Clients closed because they fell behind.", lambda: self.hub.slow_closed),
            ("dashboard_stream_lag", "Records the stream is behind the broker.", lambda: self.live.lag),
        ):
            Gauge(name, about, registry=registry).set_function(value)
