import asyncio
import json
from typing import Any

from arena.stack.processes import free_port, until
from arena.watching import Memory, Spectator, resident_bytes
from websockets.asyncio.server import ServerConnection, serve


def fill_frame(trade: str) -> dict[str, Any]:
    return {
        "type": "delta",
        "seq": 2,
        "changes": [{"kind": "mark", "data": {}}, {"kind": "fill", "data": {"trade_id": trade}}],
    }


def test_a_fill_counts_when_its_frame_arrives_and_only_once() -> None:
    spectator = Spectator("ws://unused")

    spectator.receive({"type": "heartbeat", "seq": 1}, 900.0)
    spectator.receive(fill_frame("a"), 1_000.0)
    spectator.receive(fill_frame("a"), 2_000.0)

    assert spectator.seen_ms == {"a": 1_000.0}
    assert spectator.first_fill.is_set()


def test_trades_of_a_snapshot_are_visible_but_say_nothing_about_speed() -> None:
    spectator = Spectator("ws://unused")

    spectator.receive({"type": "snapshot", "data": {"trades": []}}, 1.0)
    assert not spectator.first_fill.is_set()

    spectator.receive({"type": "snapshot", "data": {"trades": [{"trade_id": "a"}]}}, 2.0)
    assert spectator.first_fill.is_set()
    assert spectator.seen_ms == {}


async def test_a_spectator_comes_back_after_the_server_went_away() -> None:
    port = free_port()
    spectator = Spectator(f"ws://127.0.0.1:{port}/ws")
    watching = asyncio.create_task(spectator.run())
    connections: asyncio.Queue[int] = asyncio.Queue()

    async def one_fill_then_close(socket: ServerConnection) -> None:
        number = connections.qsize()
        await socket.send(json.dumps(fill_frame(f"trade-{number}")))
        connections.put_nowait(number)

    async def both_seen() -> bool:
        return spectator.seen_ms.keys() >= {"trade-0", "trade-1"}

    async with serve(one_fill_then_close, "127.0.0.1", port):
        assert await until(both_seen, 20)
    watching.cancel()


async def test_memory_keeps_its_peak() -> None:
    memory = Memory()
    sampling = asyncio.create_task(memory.run())
    await asyncio.sleep(0)
    sampling.cancel()

    assert 0 < memory.peak_bytes <= 2 * resident_bytes()
