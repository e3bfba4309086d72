"""An answer that is good for a moment, however many ask for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Fresh(Generic[T]):
    """By `name`, which must be one of few: answers are kept for good."""

    def __init__(self, ask: Callable[[str], Awaitable[T]], fresh_s: float) -> None:
        self._ask, self._fresh_s = ask, fresh_s
        self._known: dict[str, tuple[float, T]] = {}
        self._lock = asyncio.Lock()

    async def get(self, name: str = "") -> T:
        async with self._lock:
            known = self._known.get(name)
            if known is not None and time.monotonic() - known[0] < self._fresh_s:
                return known[1]
            answer = await self._ask(name)
            self._known[name] = time.monotonic(), answer
            return answer
