"""What a spectator and the machine see of a run: fills arriving on the page's stream, and memory."""

import asyncio
import json
import time
from typing import Any

import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

AGAIN_S = 0.5
FRAME_BYTES_MAX = 64 * 1024 * 1024
SAMPLE_S = 1.0


class Spectator:
    """A WebSocket client like the page."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.first_fill = asyncio.Event()
        self.seen_ms: dict[str, float] = {}
        """When a fill's frame arrived, Unix milliseconds, by trade id."""

    async def run(self) -> None:
        """Until it is cancelled; connects again whenever the server is not there."""
        while True:
            try:
                # resident in this process for hours: no compression state a connection
                async with connect(self._url, max_size=FRAME_BYTES_MAX, compression=None, proxy=None) as socket:
                    async for frame in socket:
                        self.receive(json.loads(frame), time.time() * 1e3)
            except (OSError, TimeoutError, WebSocketException):
                pass
            await asyncio.sleep(AGAIN_S)

    def receive(self, frame: dict[str, Any], now_ms: float) -> None:
        if frame["type"] == "snapshot":
            if frame["data"].get("trades"):
                self.first_fill.set()
            return
        for change in frame.get("changes", ()):
            if change["kind"] == "fill":
                self.seen_ms.setdefault(change["data"]["trade_id"], now_ms)
                self.first_fill.set()


class Memory:
    """Resident memory of this process and all below it, at its peak. Pages that processes share count in each."""

    def __init__(self) -> None:
        self.peak_bytes = 0

    async def run(self) -> None:
        while True:
            self.peak_bytes = max(self.peak_bytes, resident_bytes())
            await asyncio.sleep(SAMPLE_S)


def resident_bytes() -> int:
    total = 0
    me = psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
