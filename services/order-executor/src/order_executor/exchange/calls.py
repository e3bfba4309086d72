"""One account's line to the venue: every call of it, within the budget, and what to tell the desk of the answer."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from chassis.crash_points import crash_point
from contracts.base import Event
from exchanges.trading import (
    Ambiguous,
    Answer,
    NewOrder,
    OrderReport,
    Refused,
    Taken,
    Throttled,
    Trade,
    Trading,
    Unavailable,
)

from order_executor.exchange.core import AccountKey, Budget, Desk, Order, Snapshot, Wanted
from order_executor.exchange.core import said as core
from order_executor.exchange.core.budget import Kind
from order_executor.exchange.venue import ExchangeVenue

OVERLAP = timedelta(seconds=60)
"""Trades are asked for from this long before the watermark: lists of venues lag."""
CLOCK_AGAIN_AFTER = timedelta(seconds=1)
NONE = timedelta(0)


class Line:
    def __init__(self, key: AccountKey, trading: Trading, venue: ExchangeVenue, budget: Budget) -> None:
        self.key, self.trading, self.budget = key, trading, budget
        self._venue, self._clock = venue, venue.clock

    async def place(self, order: Order) -> None:
        """At the venue the request is void from the committed `send_by` on, whenever this process gets to run."""
        intent, window, send_by = order.intent, self._venue.rules.receive_window, order.send_by
        assert send_by is not None
        wait = await self._place_within(send_by - window / 2)
        if wait > NONE or self._clock.now() >= send_by:
            return self._not_taken(order, wait)
        asked = NewOrder(
            intent.client_order_id, intent.instrument, intent.side, intent.quantity, intent.price,
            intent.time_in_force, intent.reduce_only,
        )  # fmt: skip
        crash_point("exchange.before_place")
        answer = await self.trading.place(asked, send_by - window, window)
        crash_point("exchange.after_place")
        return await self._placed(order, answer)

    async def _place_within(self, until: datetime) -> timedelta:
        """Zero once the budget allows it; else how long it would take, which is beyond `until`."""
        while (wait := self.budget.wait("place", self._clock.now())) > NONE:
            if self._clock.now() + wait > until:
                return wait
            await asyncio.sleep(wait.total_seconds())
        return NONE

    async def _placed(self, order: Order, answer: Answer) -> None:
        name = order.intent.client_order_id
        match answer:
            case Taken(venue_order_id):
                self._tell(name, lambda at: core.Taken(at, venue_order_id))
            case Refused("clock"):
                await self.measure()
                self._not_taken(order, CLOCK_AGAIN_AFTER)
            case Refused("duplicate", detail):
                self._tell(name, lambda at: core.Refused(at, "duplicate", detail))
            case Refused(_, detail):
                self._tell(name, lambda at: core.Refused(at, "rejected", detail))
            case Throttled(retry_after):
                self.budget.throttled(self._clock.now(), retry_after)
                self._not_taken(order, retry_after)
            case Ambiguous(detail):
                self._tell(name, lambda at: core.Ambiguous(at, detail))

    def _not_taken(self, order: Order, wait: timedelta) -> None:
        self._tell(order.intent.client_order_id, lambda at: core.NotTaken(at, at + wait))

    async def cancel(self, wanted: Wanted) -> None:
        """Where it is not answered it is wanted again soon."""
        await self._afford("cancel")
        crash_point("exchange.before_cancel")
        answer = await self.trading.cancel(wanted.client_order_id, wanted.instrument)
        crash_point("exchange.after_cancel")
        if isinstance(answer, Throttled):
            self.budget.throttled(self._clock.now(), answer.retry_after)
        else:
            self._tell(wanted.client_order_id, core.CancelAnswered)

    async def query(self, wanted: Wanted) -> None:
        """By its id, and where that finds nothing in every list there is. A question that fails answers nothing."""
        asked_at, name = self._clock.now(), wanted.client_order_id
        crash_point("exchange.before_query")
        try:
            report = await self._find(wanted, asked_at)
            trades = await self._trades(asked_at) if report is None or report.filled else ()
        except Unavailable as error:
            return self._unavailable(error)
        crash_point("exchange.after_query")
        mine = [trade for trade in trades if trade.client_order_id == name]

        def told(desk: Desk, at: datetime) -> Sequence[Event]:
            events = [event for trade in mine for event in desk.trade(trade, at)]
            if report is not None:
                return [*events, *desk.tell(name, core.Seen(at, report))]
            return events if mine else desk.tell(name, core.Absent(at, asked_at))

        return self._venue.tell(self.key, told)

    async def _find(self, wanted: Wanted, asked_at: datetime) -> OrderReport | None:
        name = wanted.client_order_id
        await self._afford("query")
        if (report := await self.trading.order(name, wanted.instrument)) is not None:
            return report
        await self._afford("query")
        listed = list(await self.trading.open_orders())
        await self._afford("query")
        listed += await self.trading.closed_orders(self._since(asked_at))
        return next((each for each in listed if each.client_order_id == name), None)

    async def sweep(self) -> None:
        """Open orders, then trades, then holdings: what happens in between is found by the next."""
        asked_at = self._clock.now()
        try:
            await self._afford("query")
            listed = await self.trading.open_orders()
            trades = await self._trades(asked_at)
            await self._afford("query")
            holdings = {each.instrument: each.quantity for each in await self.trading.holdings()}
        except Unavailable as error:
            return self._unavailable(error)
        crash_point("exchange.after_sweep")
        return self._venue.tell(
            self.key, lambda desk, at: desk.sweep(self.key, Snapshot(at, asked_at, listed, trades, holdings))
        )

    def hear(self, word: OrderReport | Trade) -> None:
        """From the stream."""
        if isinstance(word, Trade):
            self._venue.tell(self.key, lambda desk, at: desk.trade(word, at))
        else:
            self._tell(word.client_order_id, lambda at: core.Seen(at, word))

    async def measure(self) -> None:
        """The venue's clock. Where it cannot be read, what was measured last stands."""
        await self._afford("query")
        try:
            await self._clock.measure(self.trading.server_time)
        except Unavailable as error:
            self._unavailable(error)

    async def _trades(self, asked_at: datetime) -> Sequence[Trade]:
        await self._afford("query")
        return await self.trading.trades(self._since(asked_at))

    def _since(self, asked_at: datetime) -> datetime:
        account = self._venue.account(self.key)
        return (account.watermark if account and account.watermark else asked_at) - OVERLAP

    async def _afford(self, kind: Kind) -> None:
        while (wait := self.budget.wait(kind, self._clock.now())) > NONE:  # noqa: ASYNC110  # a budget tells nobody
            await asyncio.sleep(wait.total_seconds())

    def _tell(self, name: str, said: Callable[[datetime], core.Said]) -> None:
        self._venue.tell(self.key, lambda desk, at: desk.tell(name, said(at)))

    def _unavailable(self, error: Unavailable) -> None:
        if error.retry_after:
            self.budget.throttled(self._clock.now(), error.retry_after)
