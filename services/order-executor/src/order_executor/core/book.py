"""The displayed book as one competitor still finds it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from contracts.executions import VenueRejectCode
from contracts.market import BookUpdated
from contracts.money import ZERO
from contracts.types import Side

from order_executor.core.account import Consumed


class Level(NamedTuple):
    price: Decimal
    quantity: Decimal


def unusable(book: BookUpdated | None, side: Side) -> VenueRejectCode | None:
    """Why an order of this side cannot be executed against the book."""
    if book is None or book.suspended or not (book.asks if side == "buy" else book.bids):
        return "NO_BOOK"
    if book.bids and book.asks and book.bids[0][0] >= book.asks[0][0]:
        return "BOOK_CROSSED"
    return None


def offered(book: BookUpdated, consumed: Consumed, side: Side) -> Iterator[Level]:
    """What an order of `side` meets, the best price first, less what the competitor already took."""
    levels, taken = (book.asks, consumed.asks) if side == "buy" else (book.bids, consumed.bids)
    for price, quantity in levels:
        left = quantity - taken.get(price, ZERO)
        if left > 0:
            yield Level(price, left)


def take(consumed: Consumed, side: Side, price: Decimal, quantity: Decimal) -> None:
    taken = consumed.asks if side == "buy" else consumed.bids
    taken[price] = taken.get(price, ZERO) + quantity


def displayed(book: BookUpdated, side: Side, price: Decimal) -> Decimal | None:
    """The size shown on the order's own side at its price; None where the book does not reach that deep."""
    levels = book.bids if side == "buy" else book.asks
    if not levels or (levels[-1][0] > price if side == "buy" else levels[-1][0] < price):
        return None
    for shown, quantity in levels:
        if shown == price:
            return quantity
        if shown < price if side == "buy" else shown > price:
            break
    return ZERO
