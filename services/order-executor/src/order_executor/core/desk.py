"""Where orders meet the book: taking on arrival; and every way in which an order ends."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from contracts.base import Event
from contracts.executions import CancelReason, OrderFilled
from contracts.market import BookUpdated
from contracts.money import ZERO

from order_executor.core import reports
from order_executor.core.account import Account
from order_executor.core.admission import Admission, Refusal, mode_of, reducible
from order_executor.core.agenda import Agenda
from order_executor.core.book import displayed, offered, take
from order_executor.core.changes import Changes
from order_executor.core.clearing import Trade, clear
from order_executor.core.margins import Margins
from order_executor.core.market import Market
from order_executor.core.matching import Walk, walk, worse
from order_executor.core.orders import Order


class Desk:
    def __init__(self, market: Market, margins: Margins, agenda: Agenda, changes: Changes) -> None:
        self._market, self._margins, self._agenda, self._changes = market, margins, agenda, changes
        self.admission = Admission(market, margins)

    def execute(self, account: Account, order: Order, at: datetime) -> Sequence[Event]:
        """A pending order's moment: refused, or accepted; then it waits for its trigger or is worked."""
        self._changes.note(account, order)
        refusal = self.admission.of_name(account, order, at)
        if order.client_order_id:
            account.names.add(order.client_order_id)
        order.margin_mode = mode_of(account, order.instrument) or order.margin_mode or "cross"
        if refusal is None and order.trigger is None:
            refusal = self.admission.to_book(account, order)
        if refusal is not None:
            return [self._reject(order, at, refusal)]
        account.accepted += 1
        if order.trigger is None:
            order.accept(account.accepted, _trimmed(account, order))
            return [reports.accepted(order, at), *self.work(account, order, at)]
        order.park(account.accepted)
        account.keep(order)
        self._agenda.expires(order)
        return [reports.accepted(order, at)]

    def set_off(self, account: Account, order: Order, observed: Decimal, at: datetime) -> Sequence[Event]:
        """A waiting order's trigger was reached: it meets the book as an order that arrives now."""
        self._changes.note(account, order)
        account.drop(order)
        events: list[Event] = [reports.set_off(order, at, observed)]
        if refusal := self.admission.to_book(account, order):
            return [*events, self._reject(order, at, refusal)]
        order.go()
        size = _trimmed(account, order)
        if size < order.quantity:  # it was accepted with all of it, before anybody knew the position it would meet
            order.resize(size)
            events.append(reports.amended(order, at))
        return [*events, *self.work(account, order, at)]

    def work(self, account: Account, order: Order, at: datetime) -> Sequence[Event]:
        """What the book gives now, and what becomes of the rest."""
        found = self.found(account, order)
        if order.time_in_force == "FOK" and found.remaining:
            return [self._cancel(order, at, "fok_unfillable")]
        book = self.book(order)
        events = self._prevent_self_trade(account, order, found, at)
        consumed = account.taken(order.instrument, book.sequence)
        for level in found.takes:
            take(consumed, order.side, level.price, level.quantity)
            trade = Trade(level.price, level.quantity, "taker", self._taker_fee(order), book.sequence)
            events.append(self.clear(account, order, trade, at))
        events += self._remainder(account, order, at, found)
        return events + self.trim(account, order.instrument, at)

    def found(self, account: Account, order: Order) -> Walk:
        book = self.book(order)
        levels = offered(book, account.taken(order.instrument, book.sequence), order.side)
        return walk(order, order.remaining, levels, self._margins.bankruptcy(account, order))

    def book(self, order: Order) -> BookUpdated:
        book = self._market.book(order.instrument)
        assert book is not None
        return book

    def clear(self, account: Account, order: Order, trade: Trade, at: datetime) -> OrderFilled:
        self._changes.note(account, order)
        filled = clear(account, order, trade, at)
        self._changes.fills.append(filled)
        return filled

    def withdraw(self, account: Account, order: Order, at: datetime, reason: CancelReason) -> Event:
        """Take back an order that rests or waits."""
        self._changes.note(account, order)
        account.drop(order)
        return self._cancel(order, at, reason)

    def expire(self, account: Account, order: Order, at: datetime) -> Event:
        self._changes.note(account, order)
        account.drop(order)
        order.expire()
        return reports.expired(order, at)

    def rest(self, account: Account, order: Order) -> None:
        """Behind what is displayed at its price."""
        assert order.limit_price is not None
        order.ahead = displayed(self.book(order), order.side, order.limit_price)
        account.keep(order)
        self._agenda.expires(order)

    def trim(self, account: Account, instrument: str, at: datetime) -> list[Event]:
        """Resting reduce-only orders shrink with the position, and go where nothing is left to reduce."""
        events: list[Event] = []
        for order in list(account.orders.get(instrument, ())):
            left = reducible(account, order)
            if not order.reduce_only or order.remaining <= left:
                continue
            if not left:
                events.append(self.withdraw(account, order, at, "reduce_only_done"))
            else:
                self._changes.note(account, order)
                order.resize(order.filled + left)
                events.append(reports.amended(order, at))
        return events

    def _remainder(self, account: Account, order: Order, at: datetime, found: Walk) -> list[Event]:
        if not order.is_open:
            return []
        if order.time_in_force in ("GTC", "POST_ONLY") and found.stopped != "bankruptcy_price":
            self.rest(account, order)
            return []
        return [self._cancel(order, at, found.stopped)]

    def _prevent_self_trade(self, account: Account, order: Order, found: Walk, at: datetime) -> list[Event]:
        """Own resting orders that this one would meet on its way are taken back first."""
        reach = order.limit_price or (found.takes[-1].price if found.takes else None)
        if reach is None:
            return []
        return [
            self.withdraw(account, own, at, "self_trade")
            for own in list(account.orders.get(order.instrument, ()))
            if own.side != order.side and own.limit_price is not None and not worse(order.side, own.limit_price, reach)
        ]

    def _taker_fee(self, order: Order) -> Decimal:
        """A liquidation pays the liquidation fee instead."""
        if order.purpose == "liquidation":
            return ZERO
        return self._market.terms.fees(order.season_id, order.instrument).taker

    def _reject(self, order: Order, at: datetime, refusal: Refusal) -> Event:
        order.reject()
        return reports.rejected(order, at, refusal.code, refusal.detail)

    @staticmethod
    def _cancel(order: Order, at: datetime, reason: CancelReason) -> Event:
        order.cancel()
        return reports.cancelled(order, at, reason)


def _trimmed(account: Account, order: Order) -> Decimal:
    return min(order.quantity, reducible(account, order)) if order.reduce_only else order.quantity
