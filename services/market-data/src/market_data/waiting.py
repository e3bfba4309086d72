"""Waiting that ends when the process is asked to stop."""

import asyncio
from collections.abc import Awaitable


async def stopped_within(stopping: asyncio.Event, seconds: float) -> bool:
    """True where the stop came first."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return stopping.is_set()
    return True


async def unless_stopped(stopping: asyncio.Event, awaited: Awaitable[object]) -> bool:
    """True where it came about, False where the stop came first; raises what it raised."""
    wanted, stop = asyncio.ensure_future(awaited), asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({wanted, stop}, return_when=asyncio.FIRST_COMPLETED)
        if wanted.done():
            wanted.result()
        return wanted.done()
    finally:
        for task in (wanted, stop):
            task.cancel()
        await asyncio.wait({wanted, stop})
