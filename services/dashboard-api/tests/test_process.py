"""The process as it is started in production."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import websockets
from dashboard_bench import Bench, until
from dashboard_events import competitor, fill, season


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def process(bench: Bench, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = bench.settings()
    told = {"KAFKA": settings.kafka, "POSTGRES": settings.postgres, "PORT": str(port)}
    env = os.environ | {f"DASHBOARD_API_{name}": value for name, value in told.items()}
    running = await asyncio.create_subprocess_exec(sys.executable, "-m", "dashboard_api", env=env)
    try:
        await until(lambda: _ready(running, port))
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


async def _ready(running: asyncio.subprocess.Process, port: int) -> bool:
    assert running.returncode is None, "it ended before it was ready"
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
        except httpx.TransportError:
            return False


async def test_it_comes_back_after_a_kill_with_what_it_had_and_ends_well_when_asked(bench: Bench) -> None:
    port = free_port()
    await bench.publish(season(), competitor(), fill(1, "buy", "1", "100"), fill(2, "sell", "1", "103"))
    snapshots = []
    for ending in (signal.SIGKILL, signal.SIGTERM):
        async with process(bench, port) as running:
            async with websockets.connect(f"ws://127.0.0.1:{port}/ws") as page:
                snapshots.append(json.loads(await page.recv())["data"])
                assert page.response is not None
                assert "sec-websocket-extensions" not in page.response.headers  # compression was offered
            await until(lambda: _counts(port))
            running.send_signal(ending)
            status = await asyncio.wait_for(running.wait(), 15)

    assert status == 0
    assert [len(data["trades"]) for data in snapshots] == [2, 2]
    assert [[trade["net"] for trade in data["closed_trades"]] for data in snapshots] == [["3"], ["3"]]


async def _counts(port: int) -> bool:
    async with httpx.AsyncClient(timeout=10) as client:
        counts = (await client.get(f"http://127.0.0.1:{port}/metrics/system")).json()["counts"]
    return bool(counts.get("trade_closed") == 1 and counts.get("order_filled") == 2)
