"""Where orders meet the book: taking on arrival, making while they rest, closing when an exit is triggered."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from contracts.base import Event, named_id
from contracts.executions import CancelReason, OrderFilled, VenueRejectCode
from contracts.market import BookUpdated
from contracts.money import ZERO

from order_executor.core import reports
from order_executor.core.account import Account, Consumed, Position
from order_executor.core.book import offered, take, unusable
from order_executor.core.changes import Changes
from order_executor.core.clearing import Trade, clear
from order_executor.core.exits import Trigger
from order_executor.core.market import Market
from order_executor.core.matching import Walk, beyond_limit, crossing, outside_band, walk
from order_executor.core.orders import Order


class Desk:
    def __init__(self, market: Market, changes: Changes) -> None:
        self._market, self._changes = market, changes

    def execute(self, account: Account, order: Order, at: datetime) -> Sequence[Event]:
        """A pending order's moment: refused, or accepted and matched; what remains rests or is taken back."""
        self._changes.note(account, order)
        book = self._market.book(order.instrument)
        if code := self._refusal(account, order, book):
            order.reject()
            return [reports.rejected(order, at, code)]
        assert book is not None
        quantity = min(order.quantity, reducible(account, order)) if order.reduce_only else order.quantity
        account.accepted += 1
        order.accept(account.accepted, quantity)
        consumed = account.taken(order.instrument, book.sequence)
        return [reports.accepted(order, at), *self._match(account, order, at, book, consumed)]

    def _refusal(self, account: Account, order: Order, book: BookUpdated | None) -> VenueRejectCode | None:
        if not self._market.terms.knows(order.season_id, order.instrument):
            return "INSTRUMENT_UNKNOWN"
        if code := unusable(book, order.side):
            return code
        if order.reduce_only and not reducible(account, order):
            return "REDUCE_ONLY_WITHOUT_POSITION"
        if order.time_in_force == "POST_ONLY" and book and not beyond_limit(order, _best(book, order)):
            return "POST_ONLY_WOULD_TAKE"
        return None

    def _match(
        self, account: Account, order: Order, at: datetime, book: BookUpdated, consumed: Consumed
    ) -> Sequence[Event]:
        found = walk(order, order.remaining, offered(book, consumed, order.side))
        if order.time_in_force == "FOK" and found.remaining:
            return [self._cancel(order, at, "fok_unfillable")]
        rate = self._market.terms.fees(order.season_id, order.instrument).taker
        events: list[Event] = []
        for level in found.takes:
            take(consumed, order.side, level.price, level.quantity)
            trade = Trade(level.price, level.quantity, "taker", rate, book.sequence)
            events.append(self._clear(account, order, trade, at))
        events += self._remainder(account, order, at, found)
        return events + self._release(account, order.instrument, at)

    def _remainder(self, account: Account, order: Order, at: datetime, found: Walk) -> list[Event]:
        if not order.is_open:
            return []
        if order.time_in_force in ("GTC", "POST_ONLY"):
            account.rest(order)
            return []
        return [self._cancel(order, at, found.stopped)]

    def reach(self, account: Account, instrument: str, at: datetime) -> Sequence[Event]:
        """The book moved: resting orders that its other side reached fill at their own price, the best-priced first."""
        book = self._market.book(instrument)
        events: list[Event] = []
        for order in sorted(account.orders.get(instrument, ()), key=_aggression):
            if order.is_open and unusable(book, order.side) is None:
                assert book is not None
                events += self._make(account, order, at, book)
        return events

    def _make(self, account: Account, order: Order, at: datetime, book: BookUpdated) -> Sequence[Event]:
        assert order.limit_price is not None
        consumed = account.taken(order.instrument, book.sequence)
        left = min(order.remaining, reducible(account, order)) if order.reduce_only else order.remaining
        size = ZERO
        for level in list(crossing(order, offered(book, consumed, order.side))):
            part = min(level.quantity, left - size)
            if part <= ZERO:
                break
            take(consumed, order.side, level.price, part)
            size += part
        if size == ZERO or outside_band(order, order.limit_price):
            return []
        rate = self._market.terms.fees(order.season_id, order.instrument).maker
        filled = self._clear(account, order, Trade(order.limit_price, size, "maker", rate, book.sequence), at)
        if not order.is_open:
            account.unrest(order)
        return [filled, *self._release(account, order.instrument, at)]

    def close(self, account: Account, position: Position, trigger: Trigger, at: datetime) -> Sequence[Event]:
        """One attempt to close the whole position against the book of this moment, not at the trigger.

        What the book cannot take now is tried again at the next mark; where there is no book, that is said once.
        """
        closing = position.closing
        assert closing is not None
        order = self._exit_order(account, position, trigger, at)
        if self._refusal(account, order, self._market.book(position.instrument)) is not None:
            if closing.announced:
                return []
            closing.announced = True
        elif not self._offered(account, order):
            return []
        account.exits += 1
        return [reports.triggered(order, at, trigger, order.quantity), *self.execute(account, order, at)]

    def _offered(self, account: Account, order: Order) -> bool:
        book = self._market.book(order.instrument)
        assert book is not None
        consumed = account.taken(order.instrument, book.sequence)
        return any(offered(book, consumed, order.side))

    def _exit_order(self, account: Account, position: Position, trigger: Trigger, at: datetime) -> Order:
        names = account.season_id, account.competitor_id, account.exits + 1
        return Order(
            order_id=named_id("exit", *names),
            season_id=account.season_id,
            competitor_id=account.competitor_id,
            round=None,
            part=0,
            instrument=position.instrument,
            side=position.closing_side,
            quantity=abs(position.quantity),
            order_type="market",
            limit_price=None,
            time_in_force="IOC",
            reduce_only=True,
            leverage=position.leverage,
            price_min=None,
            price_max=None,
            purpose=trigger.purpose,
            effective_at=at,
            traceparent=position.traceparent,
        )

    def _clear(self, account: Account, order: Order, trade: Trade, at: datetime) -> OrderFilled:
        self._changes.note(account, order)
        filled = clear(account, order, trade, at)
        self._changes.fills.append(filled)
        return filled

    def _release(self, account: Account, instrument: str, at: datetime) -> list[Event]:
        """Take back resting reduce-only orders that have nothing left to reduce."""
        events: list[Event] = []
        for order in list(account.orders.get(instrument, ())):
            if order.reduce_only and not reducible(account, order):
                self._changes.note(account, order)
                account.unrest(order)
                events.append(self._cancel(order, at, "reduce_only_done"))
        return events

    @staticmethod
    def _cancel(order: Order, at: datetime, reason: CancelReason) -> Event:
        order.cancel()
        return reports.cancelled(order, at, reason)


def reducible(account: Account, order: Order) -> Decimal:
    """How much of the position an order of this side can close."""
    held = account.held(order.instrument)
    return max(ZERO, -held if order.side == "buy" else held)


def _best(book: BookUpdated, order: Order) -> Decimal:
    return (book.asks if order.side == "buy" else book.bids)[0][0]


def _aggression(order: Order) -> tuple[str, Decimal, int]:
    price = order.limit_price or ZERO
    return order.side, -price if order.side == "buy" else price, order.number
