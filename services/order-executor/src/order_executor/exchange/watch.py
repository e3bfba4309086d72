"""Watches one account: its stream as it comes, and everything the venue says of it every few seconds.

A stream may close, stay silent, or leave things out without saying so; the sweep finds whatever it missed.
"""

import asyncio
from contextlib import suppress

import structlog
from exchanges.trading import Unavailable

from order_executor.exchange.calls import Line
from order_executor.exchange.venue import ExchangeVenue

CONNECTS_APART_S = 0.5
GATE_APART_S = 0.3
"""While the account does not agree yet."""

log = structlog.get_logger(__name__)


class Watcher:
    def __init__(self, line: Line, venue: ExchangeVenue, *, poll_s: float, silent_s: float) -> None:
        self._line, self._venue, self._poll_s, self._silent_s = line, venue, poll_s, silent_s
        self._again = asyncio.Event()
        """Set where the stream was away: what it missed is asked for now."""
        self._differences: tuple[str, ...] = ()

    async def run(self) -> None:
        """For ever: what is heard of an account that another process took over is dropped."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stream())
            group.create_task(self._sweeps())

    async def _sweeps(self) -> None:
        while True:
            await self._sweep()

    async def _sweep(self) -> None:
        self._again.clear()
        await self._line.sweep()
        account = self._venue.account(self._line.key)
        if account is not None and account.differences != self._differences:
            self._differences = account.differences
            log.warning("venue differs", account=self._line.key, differences=self._differences)
        apart = self._poll_s if account is not None and account.agrees else min(self._poll_s, GATE_APART_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(apart):
                await self._again.wait()

    async def _stream(self) -> None:
        while True:
            try:
                await self._listen()
            except (Unavailable, TimeoutError) as error:
                log.warning("stream lost", account=self._line.key, reason=str(error) or "silent")
            await asyncio.sleep(CONNECTS_APART_S)

    async def _listen(self) -> None:
        """Every word within `silent_s` of the one before, a heartbeat if there is nothing to say, or it is given up."""
        words = self._line.trading.stream()
        try:
            async with asyncio.timeout(self._silent_s):
                await anext(words)
            self._again.set()  # connected: from here on nothing is missed, and what was is asked for
            while True:
                async with asyncio.timeout(self._silent_s):
                    word = await anext(words)
                if word is not None:
                    self._line.hear(word)
        finally:
            await words.aclose()
