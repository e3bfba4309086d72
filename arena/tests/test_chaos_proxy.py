"""The proxy's faults, seen by a client of a server that answers every line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from arena.chaos.proxy import Proxy
from arena.stack.processes import LOOPBACK, free_port

WITHIN_S = 10


@dataclass
class Lines:
    """Answers each line with itself, and remembers what arrived."""

    arrived: list[bytes] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            self.arrived.append(line)
            self.news.set()
            writer.write(line)
        writer.close()


@asynccontextmanager
async def behind_a_proxy() -> AsyncIterator[tuple[Proxy, Lines]]:
    lines, port = Lines(), free_port()
    server = await asyncio.start_server(lines.serve, LOOPBACK, port)
    proxy = Proxy(free_port(), port)
    await proxy.start()
    try:
        async with asyncio.timeout(WITHIN_S):
            yield proxy, lines
    finally:
        await proxy.stop()
        server.close()


async def client(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(LOOPBACK, proxy.port)


async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> bytes:
    writer.write(line)
    return await reader.readline()


async def test_it_passes_requests_and_answers_on() -> None:
    async with behind_a_proxy() as (proxy, _):
        reader, writer = await client(proxy)
        assert [await said(reader, writer, b"%d\n" % n) for n in range(3)] == [b"0\n", b"1\n", b"2\n"]


async def test_a_cut_request_arrives_and_its_answer_does_not() -> None:
    async with behind_a_proxy() as (proxy, lines):
        reader, writer = await client(proxy)
        await said(reader, writer, b"before\n")
        proxy.cut()

        assert await said(reader, writer, b"order\n") == b"", "the connection ended instead"
        while len(lines.arrived) < 2:
            lines.news.clear()
            await lines.news.wait()
        assert lines.arrived == [b"before\n", b"order\n"]
        assert proxy.cuts == 1
        again = await client(proxy)
        assert await said(*again, b"a new connection is not cut\n")


async def test_in_a_black_hole_nothing_passes_and_afterwards_everything_does() -> None:
    async with behind_a_proxy() as (proxy, lines):
        reader, writer = await client(proxy)
        await said(reader, writer, b"before\n")
        proxy.black_hole(True)
        writer.write(b"lost?\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readline(), 0.2)
        assert lines.arrived == [b"before\n"]

        proxy.heal()
        assert await reader.readline() == b"lost?\n"


async def test_a_delay_holds_in_both_directions() -> None:
    async with behind_a_proxy() as (proxy, _):
        reader, writer = await client(proxy)
        proxy.delay_s = 0.1
        began = asyncio.get_running_loop().time()

        assert await said(reader, writer, b"slow\n") == b"slow\n"
        assert asyncio.get_running_loop().time() - began >= 0.2


async def test_where_nobody_listens_the_connection_ends() -> None:
    proxy = Proxy(free_port(), free_port())
    await proxy.start()
    try:
        reader, _ = await client(proxy)
        assert await asyncio.wait_for(reader.read(), WITHIN_S) == b""
    finally:
        await proxy.stop()
