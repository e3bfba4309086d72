"""Making: a resting order fills when its turn in the queue comes, or when the market goes through its price.

In front of it is what the book showed at its price when it came. Trades at that price take from the front; where less
is shown than was in front, those in front have gone. What a trade takes beyond them is the order's, no more. A book at
one moment shows what the trades of that moment left, so the trades are reckoned before it.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from contracts.base import Event
from contracts.market import BookUpdated, TradePrinted
from contracts.money import ZERO

from order_executor.core.account import Account
from order_executor.core.admission import best, reducible
from order_executor.core.book import displayed, offered, take, unusable
from order_executor.core.changes import Changes
from order_executor.core.clearing import Trade
from order_executor.core.desk import Desk
from order_executor.core.margins import Margins
from order_executor.core.market import Market
from order_executor.core.matching import beyond_limit, crossing, outside_band, worse
from order_executor.core.orders import Order


class Resting:
    def __init__(self, market: Market, margins: Margins, desk: Desk, changes: Changes) -> None:
        self._market, self._margins, self._desk, self._changes = market, margins, desk, changes

    def seen(self, account: Account, book: BookUpdated) -> None:
        """Nobody is in front who is not shown."""
        for order in account.orders.get(book.instrument, ()):
            assert order.limit_price is not None
            shown = displayed(book, order.side, order.limit_price)
            if shown is not None and (order.ahead is None or shown < order.ahead):
                order.ahead = shown
                self._changes.note(account, order)

    def reach(self, account: Account, book: BookUpdated, at: datetime) -> Sequence[Event]:
        """Orders that the book's other side reached fill at their own price up to the size shown, the best first."""
        orders = account.orders.get(book.instrument, ())
        if unusable(book, "buy") or unusable(book, "sell"):
            orders = [order for order in orders if not unusable(book, order.side)]
        met = [order for order in orders if not beyond_limit(order, best(book, order))]
        events: list[Event] = []
        for order in sorted(met, key=_aggression):
            if order.is_open:
                events += self._quoted_through(account, order, book, at)
        return events

    def traded(self, account: Account, trade: TradePrinted, at: datetime) -> Sequence[Event]:
        """Orders at the trade's price or better share what it took beyond those in front of them."""
        met = [
            order
            for order in account.orders.get(trade.instrument, ())
            if order.side != trade.aggressor and not beyond_limit(order, trade.price)
        ]
        events: list[Event] = []
        left = trade.quantity
        for order in sorted(met, key=_aggression):
            if not order.is_open:
                continue
            size = self._turn(account, order, trade, left)
            filled = self._fill(account, order, size, at)
            left -= size if filled else ZERO
            events += filled
        return events

    def _turn(self, account: Account, order: Order, trade: TradePrinted, left: Decimal) -> Decimal:
        """How much of the trade is the order's; what was in front of it moves."""
        before = order.ahead if order.limit_price == trade.price else ZERO  # went through: nobody is left in front
        if before is None:
            return ZERO
        ahead = max(ZERO, before - left)
        if ahead != order.ahead:
            order.ahead = ahead
            self._changes.note(account, order)
        return self._wanted(account, order, max(ZERO, left - before))

    def _quoted_through(self, account: Account, order: Order, book: BookUpdated, at: datetime) -> Sequence[Event]:
        consumed = account.taken(order.instrument, book.sequence)
        levels = list(crossing(order, offered(book, consumed, order.side)))
        size = self._wanted(account, order, sum((level.quantity for level in levels), ZERO))
        if not size:
            return ()
        left = size
        for level in levels:
            part = min(level.quantity, left)
            if part > ZERO:
                take(consumed, order.side, level.price, part)
            left -= part
        return self._fill(account, order, size, at)

    def _wanted(self, account: Account, order: Order, given: Decimal) -> Decimal:
        """How much of what is given the order may have at its own price."""
        assert order.limit_price is not None
        size = min(given, order.remaining)
        if order.reduce_only:
            size = min(size, reducible(account, order))
        if not size or outside_band(order, order.limit_price):
            return ZERO
        bankruptcy = self._margins.bankruptcy(account, order)
        return ZERO if bankruptcy is not None and worse(order.side, order.limit_price, bankruptcy) else size

    def _fill(self, account: Account, order: Order, size: Decimal, at: datetime) -> Sequence[Event]:
        if not size:
            return ()
        assert order.limit_price is not None
        book = self._market.book(order.instrument)
        rate = self._market.terms.fees(order.season_id, order.instrument).maker
        trade = Trade(order.limit_price, size, "maker", rate, book.sequence if book else 0)
        filled = self._desk.clear(account, order, trade, at)
        if not order.is_open:
            account.drop(order)
        return [filled, *self._desk.trim(account, order.instrument, at)]


def _aggression(order: Order) -> tuple[str, Decimal, int]:
    price = order.limit_price or ZERO
    return order.side, -price if order.side == "buy" else price, order.number
