"""The stream's sockets: one loop makes frames, every client has a bounded queue, a frame is written once for all."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chassis.telemetry import Telemetry
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard_api.core.changes import Change, rfc3339
from dashboard_api.core.feed import Feed
from dashboard_api.latency import FillLatency

TRY_AGAIN_LATER, POLICY_VIOLATION = 1013, 1008
_MESSAGES_MAX = 100
_CLOSE_WITHIN_S = 5.0


def now() -> str:
    return rfc3339(datetime.now(UTC))  # when a frame leaves is wall-clock time


@dataclass(slots=True)
class Outgoing:
    text: str
    fills_ms: tuple[int, ...] = ()
    """Record times of the fills within, until the first client has the frame."""


class Listener:
    """One who reads frames or changes; it is dropped where it falls behind."""

    def __init__(self, most: int) -> None:
        self.queue: asyncio.Queue[Outgoing | Sequence[Change]] = asyncio.Queue(most)
        self.dropped = asyncio.Event()

    def put(self, item: Outgoing | Sequence[Change]) -> None:
        try:
            self.queue.put_nowait(item)
        except asyncio.QueueFull:
            self.dropped.set()


class Hub:
    def __init__(
        self,
        feed: Feed,
        telemetry: Telemetry,
        latency: FillLatency,
        *,
        interval_s: float,
        heartbeat_s: float,
        clients_max: int,
        client_queue: int,
        health: Callable[[], str] = lambda: "null",
    ) -> None:
        self.feed, self._telemetry, self._latency = feed, telemetry, latency
        self._interval_s, self._heartbeat_s = interval_s, heartbeat_s
        self._clients_max, self._client_queue = clients_max, client_queue
        self.catch_up: Callable[[], None] = lambda: None
        """Called before a frame is made: what was put off is offered now."""
        self._health = health
        self._clients: set[Listener] = set()
        self._listeners: set[Listener] = set()
        self._news, self.ready, self._closing = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._snapshot: tuple[int, str] | None = None
        self.frames = self.slow_closed = self.refused = 0

    @property
    def clients(self) -> int:
        return len(self._clients)

    def tell(self) -> None:
        """There is something to tell."""
        self._news.set()

    def close(self) -> None:
        self._closing.set()

    async def run(self) -> None:
        """Make frames: at once after a quiet time, else one an interval; and heartbeats, which tell the health."""
        await self.ready.wait()
        clock = asyncio.get_running_loop()
        beat_at = clock.time() + self._heartbeat_s
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), beat_at - clock.time())
            if clock.time() >= beat_at:
                self._broadcast(Outgoing(self.feed.heartbeat(now(), self._health())))
                beat_at = clock.time() + self._heartbeat_s
            if self._news.is_set():
                self._news.clear()
                self.flush()
                await asyncio.sleep(self._interval_s)

    def flush(self) -> None:
        self.catch_up()
        changes = self.feed.take()
        with ExitStack() as spans:
            traced = self._traced(changes, spans)
            frame = self.feed.frame(traced, now(), self._health())
            if frame is None:
                return
            self.frames += 1
            fills = tuple(change.recorded_ms for change in traced if change.recorded_ms)
            self._broadcast(Outgoing(frame.text, fills))
            for listener in list(self._listeners):
                listener.put(traced)

    def _traced(self, changes: Sequence[Change], spans: ExitStack) -> Sequence[Change]:
        """Every trace that these changes belong to ends in one span; the changes go on in its name."""
        names = dict.fromkeys(change.traceparent for change in changes if change.caused)
        ends = {
            parent: spans.enter_context(self._telemetry.span("dashboard-api frame", parent, seq=self.feed.seq + 1))
            for parent in names
        }
        return [replace(change, traceparent=ends.get(change.traceparent) or change.traceparent) for change in changes]

    def _broadcast(self, outgoing: Outgoing) -> None:
        for client in self._clients:
            client.put(outgoing)
        if not self._clients:
            self._sent(outgoing)

    def _sent(self, outgoing: Outgoing) -> None:
        fills, outgoing.fills_ms = outgoing.fills_ms, ()
        self._latency.sent(fills)

    def _greeting(self, since: int | None, epoch: str) -> list[str]:
        deltas = self.feed.resume(since, epoch) if since is not None else None
        if since is not None and deltas is not None:
            return [self.feed.resumed(since, now()), *deltas]
        if self._snapshot is None or self._snapshot[0] != self.feed.seq:
            self._snapshot = self.feed.seq, self.feed.snapshot(now(), self._health())
        return [self._snapshot[1]]

    async def serve(self, socket: WebSocket) -> None:
        if self.clients >= self._clients_max or self._closing.is_set():
            self.refused += 1
            await socket.accept()
            await socket.close(TRY_AGAIN_LATER, "too many connections")
            return
        await socket.accept()
        client = Listener(self._client_queue)
        try:
            await self.ready.wait()
            # Nothing is awaited between the greeting and the first frame that is queued: no gap, nothing twice.
            greeting = self._greeting(_number(socket.query_params.get("since")), socket.query_params.get("epoch", ""))
            self._clients.add(client)
            await self._converse(socket, client, greeting)
        finally:
            self._clients.discard(client)

    async def _converse(self, socket: WebSocket, client: Listener, greeting: list[str]) -> None:
        tasks = [
            asyncio.create_task(self._send(socket, client, greeting)),
            asyncio.create_task(_listen(socket)),
            asyncio.create_task(client.dropped.wait()),
            asyncio.create_task(self._closing.wait()),
        ]
        _, listening, dropped, closing = tasks
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        self._clients.discard(client)
        if outcomes[tasks.index(listening)] is True:
            await _close(socket, POLICY_VIOLATION, "this stream is read only")
        elif outcomes[tasks.index(dropped)] is True:
            self.slow_closed += 1
            await _close(socket, TRY_AGAIN_LATER, "too slow: connect again with since and epoch")
        elif outcomes[tasks.index(closing)] is True:
            await _close(socket, 1001, "going away")

    async def _send(self, socket: WebSocket, client: Listener, greeting: list[str]) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # the peer is gone; the listening task says so too
            for text in greeting:
                await socket.send_text(text)
            while True:
                outgoing = await client.queue.get()
                if isinstance(outgoing, Outgoing):
                    await socket.send_text(outgoing.text)
                    self._sent(outgoing)

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[Sequence[Change]]]:
        """Each frame's changes from now on; ends where the reader falls behind."""
        listener = Listener(self._client_queue)
        self._listeners.add(listener)
        try:
            yield _changes_of(listener)
        finally:
            self._listeners.discard(listener)


async def _changes_of(listener: Listener) -> AsyncIterator[Sequence[Change]]:
    while not listener.dropped.is_set():
        changes = await listener.queue.get()
        if not isinstance(changes, Outgoing):
            yield changes


async def _listen(socket: WebSocket) -> bool:
    """Until the client goes (False), or says more than a reader has to (True)."""
    for _ in range(_MESSAGES_MAX):
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return False
    return True


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    with suppress(Exception):  # whatever a broken socket says, it is being closed
        await asyncio.wait_for(socket.close(code, reason), _CLOSE_WITHIN_S)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None
