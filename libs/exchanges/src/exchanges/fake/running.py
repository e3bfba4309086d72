"""Starts the fake exchange as a process, and speaks to the side of it that only tests see."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from exchanges.fake.faults import Kind, Op

STARTS_WITHIN_S = 90.0


class Controls:
    def __init__(self, url: str, process: asyncio.subprocess.Process) -> None:
        self.url, self.process = url, process
        self._http = httpx.AsyncClient(base_url=url, timeout=10)

    async def fault(self, kind: Kind, op: Op = "place", seconds: float = 0.0, times: int = 1) -> None:
        await self._say("fault", {"kind": kind, "op": op, "seconds": seconds, "times": times})

    async def behave(self) -> None:
        """No more faults."""
        await self._say("behave", {})

    async def set(self, **fields: Any) -> None:
        """`offset_s` of its clock, `fill_share` of an order that takes."""
        await self._say("set", fields)

    async def fill(self, account: str, client_order_id: str, quantity: str) -> None:
        await self._say("fill", {"account": account, "client_order_id": client_order_id, "quantity": quantity})

    async def truth(self) -> dict[str, Any]:
        """`accounts` with what was executed; `calls` by operation; `ignored` requests during an asked silence."""
        said: dict[str, Any] = (await self._http.get("/test/truth")).raise_for_status().json()
        return said

    async def _say(self, what: str, fields: dict[str, Any]) -> None:
        (await self._http.post(f"/test/{what}", json=fields)).raise_for_status()

    async def close(self) -> None:
        await self._http.aclose()


@asynccontextmanager
async def fake_exchange(seed: int | None = None) -> AsyncIterator[Controls]:
    port = _free_port()
    arguments = ["-m", "exchanges.fake", "--port", str(port), *(["--seed", str(seed)] if seed is not None else [])]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    controls = Controls(f"http://127.0.0.1:{port}", process)
    try:
        async with asyncio.timeout(STARTS_WITHIN_S):
            await _until_up(controls)
        yield controls
    finally:
        await controls.close()
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until_up(controls: Controls) -> None:
    while True:
        try:
            await controls.truth()
        except httpx.HTTPError:
            await asyncio.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
