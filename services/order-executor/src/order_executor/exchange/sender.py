"""Makes the calls: what was committed as sending, once; what is wanted, one of a kind at a time for each order."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from order_executor.exchange import store
from order_executor.exchange.calls import Line
from order_executor.exchange.core import AccountKey, Order, Wanted
from order_executor.exchange.venue import ExchangeVenue
from order_executor.exchange.watch import Watcher

LOOK_APART_S = 0.2
COMMIT_APART_S = 0.01
"""How soon to look again for what is being committed right now."""
AT_ONCE_MAX = 64
"""Calls under way."""


class Sender:
    def __init__(
        self, venue: ExchangeVenue, pool: Any, line: Callable[[AccountKey], Line], watcher: Callable[[Line], Watcher]
    ) -> None:
        self._venue, self._pool, self._line, self._watcher = venue, pool, line, watcher
        self.lines: dict[AccountKey, Line] = {}
        self._tried: set[tuple[str, datetime]] = set()
        """What left here; the same is never sent twice, however long its row says `sending`."""
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._watching: dict[AccountKey, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE_MAX)

    async def run(self, turned: Callable[[], None]) -> None:
        """For ever; any failure of a task of its own is its end."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._venue.news.clear()
                self._watch(group)
                for wanted in self._venue.take_wanted():
                    self._call(group, wanted)
                await self._send(group)
                turned()
                await self._news()

    async def _news(self) -> None:
        """Something is being committed: look soon. Else when told, or from time to time."""
        if set(self._venue.to_send.items()) - self._tried:
            await asyncio.sleep(COMMIT_APART_S)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_APART_S):
                await self._venue.news.wait()

    async def _send(self, group: asyncio.TaskGroup) -> None:
        if not self._venue.to_send:
            self._tried.clear()
            return
        orders = await store.sending(self._pool, self._venue.sender)
        for order in orders:
            what = _what(order)
            if what not in self._tried and what in self._venue.to_send.items():
                self._tried.add(what)
                self._begin(group, ("place", what[0]), self._of(order.intent.account).place(order))
        self._tried &= {_what(order) for order in orders}

    def _call(self, group: asyncio.TaskGroup, wanted: Wanted) -> None:
        key = wanted.call, wanted.client_order_id
        if key not in self._under_way:
            line = self._of(wanted.account)
            self._begin(group, key, (line.cancel if wanted.call == "cancel" else line.query)(wanted))

    def _begin(self, group: asyncio.TaskGroup, key: tuple[str, str], call: Awaitable[None]) -> None:
        async def within() -> None:
            async with self._room:
                await call

        task = self._under_way[key] = group.create_task(within())
        task.add_done_callback(lambda _: self._under_way.pop(key, None))

    def _watch(self, group: asyncio.TaskGroup) -> None:
        for key, _ in list(self._venue.accounts()):
            if key not in self._watching:
                watcher = self._watcher(self._of(key))
                self._watching[key] = group.create_task(watcher.run())

    def _of(self, key: AccountKey) -> Line:
        line = self.lines.get(key)
        if line is None:
            line = self.lines[key] = self._line(key)
        return line


def _what(order: Order) -> tuple[str, datetime]:
    assert order.send_by is not None
    return order.intent.client_order_id, order.send_by
