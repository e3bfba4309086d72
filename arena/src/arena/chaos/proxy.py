"""Stands between the services and Kafka or PostgreSQL, and behaves as a network does: slow, broken, silent."""

import asyncio
from contextlib import suppress

from arena.stack.processes import LOOPBACK

CHUNK_BYTES = 1 << 16


class Proxy:
    """Passes everything on until it is told otherwise.

    - `delay_s`: each chunk waits so long, in both directions.
    - `cut()`: every connection passes one more request on and ends before its answer: it arrived, nobody knows.
    - `black_hole(True)`: nothing passes and no connection is refused, as where packets are dropped on the way; what was
      sent meanwhile arrives afterwards, as it does by TCP.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port, self.target = port, target
        self.delay_s = 0.0
        self.cuts = 0
        self._open = asyncio.Event()
        self._open.set()
        self._links: set[asyncio.Task[None]] = set()
        self._doomed: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._link, LOOPBACK, self.port, limit=CHUNK_BYTES)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def cut(self) -> None:
        self._doomed = set(self._links)

    def black_hole(self, silent: bool) -> None:
        if silent:
            self._open.clear()
        else:
            self._open.set()

    def heal(self) -> None:
        self.delay_s, self._doomed = 0.0, set()
        self._open.set()

    async def _link(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None
        self._links.add(link)
        writers = [to_client]
        try:
            await self._open.wait()
            server, to_server = await asyncio.open_connection(LOOPBACK, self.target, limit=CHUNK_BYTES)
            writers.append(to_server)
            ways = {
                asyncio.create_task(self._pump(client, to_server, of=link)),
                asyncio.create_task(self._pump(server, to_client, of=None)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # nobody listens there now, or the proxy stops: the client sees its connection end
        finally:
            self._links.discard(link)
            self._doomed.discard(link)
            for writer in reversed(writers):  # what the server was sent still reaches it
                writer.close()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, of: asyncio.Task[None] | None
    ) -> None:
        """One way, until its end; `of` is the link whose requests these are."""
        with suppress(OSError):
            while data := await source.read(CHUNK_BYTES):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._open.wait()
                sink.write(data)
                await sink.drain()
                if of in self._doomed:
                    self.cuts += 1
                    return
