"""The whole service for tests: a site on a real broker and database, behind a real server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from aiokafka import AIOKafkaProducer
from contracts.base import Event
from contracts.wire import encode, numbered
from dashboard_api.app import create_app
from dashboard_api.settings import Settings
from dashboard_api.site import Site

WITHIN_S = 60.0
"""Bound of every wait in these tests; none comes near it."""


class Bench:
    """A site on a real broker and database, behind a real server; and the means to publish to it."""

    def __init__(self, kafka: str, dsn: str, tmp_path: Path) -> None:
        self._kafka, self._dsn, self._tmp = kafka, dsn, tmp_path
        self._sequences: dict[str, int] = {}
        self.site: Site
        self.port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def settings(self, **changes: Any) -> Settings:
        fields: dict[str, Any] = {
            "kafka": self._kafka,
            "postgres": self._dsn,
            "port": 0,
            "web_dir": None,
            "frame_interval_ms": 10,
        }
        return Settings(**(fields | {"traces_file": self._tmp / "traces.jsonl", "log_level": "warning"} | changes))

    async def publish(self, *events: Event) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._kafka, enable_idempotence=True) as producer:
            for event in events:
                record = encode(event)
                # one source a topic and test run; its partition does not matter to who counts up
                number = self._sequences[record.topic] = self._sequences.get(record.topic, 0) + 1
                headers = numbered(record.headers, f"test/{record.topic}", number)
                await producer.send_and_wait(record.topic, record.value, record.key, headers=headers)

    @asynccontextmanager
    async def running(self, **changes: Any) -> AsyncIterator["Bench"]:
        app = create_app(self.settings(**changes))
        config = uvicorn.Config(
            app, port=0, lifespan="on", log_config=None, ws_per_message_deflate=False,
            timeout_graceful_shutdown=2, ws_max_size=1024,
        )  # fmt: skip
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # the test run keeps its own
        serving = asyncio.create_task(server.serve())
        try:
            await until(lambda: server.started or serving.done())
            if serving.done():
                await serving
                raise AssertionError("the server ended before it began")
            self.port, self.site = server.servers[0].sockets[0].getsockname()[1], app.state.site
            await asyncio.wait_for(self.site.hub.ready.wait(), WITHIN_S)
            yield self
        finally:
            server.should_exit = True
            await serving

    async def get(self, path: str, **query: Any) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url) as client:
            return await client.get(path, params=query or None)

    async def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=self.url) as client:
            answer = await client.post("/graphql", json={"query": query, "variables": variables})
        return dict(answer.json())


async def until(met: Callable[[], Any] | Callable[[], Awaitable[Any]]) -> Any:
    """The first true answer; asked again until it comes."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            answer = met()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer:
                return answer
            await asyncio.sleep(0.02)


async def drained(socket: Any) -> None:
    """Read until the peer closes."""
    while True:
        await asyncio.wait_for(socket.recv(), WITHIN_S)
