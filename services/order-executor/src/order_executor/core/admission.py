"""Why the venue refuses an order, with the numbers. Nothing is changed here."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from contracts.executions import VenueRejectCode
from contracts.margin import tier_at
from contracts.market import BookUpdated
from contracts.money import ZERO, times
from contracts.signals import MarginMode
from contracts.types import plain

from order_executor.core.account import Account
from order_executor.core.book import offered, unusable
from order_executor.core.margins import Margins, Opening
from order_executor.core.market import Market
from order_executor.core.matching import beyond_limit, walk, worse
from order_executor.core.orders import Order


class Refusal(NamedTuple):
    code: VenueRejectCode
    detail: str = ""


class Admission:
    def __init__(self, market: Market, margins: Margins) -> None:
        self._market, self._margins = market, margins

    def of_name(self, account: Account, order: Order, at: datetime) -> Refusal | None:
        """What is wrong with the order whatever the market is."""
        if not self._market.terms.knows(order.season_id, order.instrument):
            return Refusal("INSTRUMENT_UNKNOWN")
        if order.client_order_id and order.client_order_id in account.names:
            return Refusal("DUPLICATE_CLIENT_ORDER_ID", order.client_order_id)
        if order.expires_at is not None and order.expires_at <= at:
            return Refusal("EXPIRED", f"at {order.expires_at.isoformat()}")
        if not order.reduce_only and at - order.effective_at > self._market.terms.order_age_max(order.season_id):
            return Refusal("EXPIRED", f"it was due at {order.effective_at.isoformat()}, too long ago")
        limit = self._market.terms.open_orders_max(order.season_id)
        if _may_rest(order) and sum(1 for _ in account.open_orders()) >= limit:
            return Refusal("OPEN_ORDERS_ABOVE_MAX", f"{limit} orders rest or wait, no more may")
        mode = mode_of(account, order.instrument)
        if mode is not None and order.margin_mode not in (None, mode):
            return Refusal("MARGIN_MODE_MISMATCH", f"{order.margin_mode} beside what is {mode}")
        return None

    def to_book(self, account: Account, order: Order) -> Refusal | None:
        """Why the order cannot be worked against the book of this moment."""
        book = self._market.book(order.instrument)
        if code := unusable(book, order.side):
            return Refusal(code)
        assert book is not None
        if order.reduce_only:
            return None if reducible(account, order) else Refusal("REDUCE_ONLY_WITHOUT_POSITION")
        if order.time_in_force == "POST_ONLY" and not beyond_limit(order, best(book, order)):
            return Refusal("POST_ONLY_WOULD_TAKE")
        return self._of_margin(account, order, book)

    def _of_margin(self, account: Account, order: Order, book: BookUpdated) -> Refusal | None:
        """Only what an order opens needs margin."""
        opening = self._opening(account, order, book)
        if opening.quantity <= reducible(account, order):
            return None
        return (
            self._leverage(account, order, opening)
            or self._shortage(account, order, opening)
            or self._at_once(account, order, self._taken(account, order, book))
        )

    def _opening(self, account: Account, order: Order, book: BookUpdated) -> Opening:
        """All of what may rest at its limit, or what is taken now."""
        if order.limit_price is not None and order.time_in_force in ("GTC", "POST_ONLY"):
            return Opening(order.side, order.remaining, order.limit_price, order.leverage)
        return self._taken(account, order, book)

    def _taken(self, account: Account, order: Order, book: BookUpdated) -> Opening:
        """At the worst price of it."""
        consumed = account.taken(order.instrument, book.sequence)
        takes = walk(order, order.remaining, offered(book, consumed, order.side)).takes
        price = takes[-1].price if takes else best(book, order)
        return Opening(order.side, sum((each.quantity for each in takes), ZERO), price, order.leverage)

    def _leverage(self, account: Account, order: Order, opening: Opening) -> Refusal | None:
        """The whole position's tier with this order and those beside it filled caps the leverage."""
        name, terms = order.instrument, self._market.terms
        beside = (each for each in account.orders.get(name, ()) if each.side == order.side and not each.reduce_only)
        size = abs(account.held(name) + order.signed(opening.quantity + sum((each.remaining for each in beside), ZERO)))
        price = self._margins.mark(name) or opening.price
        tier = terms.tiers[name][tier_at(terms.tiers[name], size, price, terms.instruments[name].contract_value)]
        if order.leverage <= tier.leverage_max:
            return None
        return Refusal(
            "LEVERAGE_ABOVE_TIER", f"{plain(order.leverage)} where {plain(size)} allows {plain(tier.leverage_max)}"
        )

    def _shortage(self, account: Account, order: Order, opening: Opening) -> Refusal | None:
        """Initial margin, taker fee, and what the price is worse than the mark must be available."""
        name = order.instrument
        more = self._margins.reserved(account, name, opening) - self._margins.reserved(account, name)
        fee = times(opening.quantity, opening.price, self._market.terms.fees(order.season_id, name).taker)
        needed = more + fee + times(opening.quantity, self._open_loss(order, opening.price))
        available = self._margins.available(account)
        if needed <= available:
            return None
        return Refusal("MARGIN_INSUFFICIENT", f"needs {plain(needed)} USD, {plain(available)} available")

    def _at_once(self, account: Account, order: Order, taken: Opening) -> Refusal | None:
        """An isolated entry so far from the mark that its own margin would not carry it."""
        opened = taken.quantity - reducible(account, order)
        if order.margin_mode != "isolated" or opened <= ZERO:
            return None
        after, margin = self._margins.isolated(account, order, taken._replace(quantity=opened))
        if margin + after.unrealised_pnl > after.required:
            return None
        return Refusal(
            "MARGIN_INSUFFICIENT",
            f"{plain(margin)} USD of isolated margin would be liquidated at once at the mark {plain(after.mark_price)}",
        )

    def _open_loss(self, order: Order, price: Decimal) -> Decimal:
        mark = self._margins.mark(order.instrument)
        return abs(price - mark) if mark is not None and worse(order.side, price, mark) else ZERO


def _may_rest(order: Order) -> bool:
    return order.trigger is not None or order.time_in_force in ("GTC", "POST_ONLY")


def mode_of(account: Account, instrument: str) -> MarginMode | None:
    """Of the open position, or of the orders that wait or rest; None where there is nothing."""
    if account.held(instrument):
        return account.positions[instrument].margin_mode
    return next((order.margin_mode for order in account.open_orders(instrument)), None)


def reducible(account: Account, order: Order) -> Decimal:
    """How much of the position an order of this side can close."""
    held = account.held(order.instrument)
    return max(ZERO, -held if order.side == "buy" else held)


def best(book: BookUpdated, order: Order) -> Decimal:
    return (book.asks if order.side == "buy" else book.bids)[0][0]
