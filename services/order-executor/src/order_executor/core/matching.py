"""What an order gets from a book. Nothing is changed here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from contracts.executions import CancelReason
from contracts.types import Side

from order_executor.core.book import Level
from order_executor.core.orders import Order


@dataclass(slots=True)
class Walk:
    """Level by level from the best price: what the order takes, what remains, and what ended the walk."""

    takes: list[Level] = field(default_factory=list)
    remaining: Decimal = Decimal(0)
    stopped: CancelReason = "ioc_remainder"


def walk(order: Order, quantity: Decimal, levels: Iterable[Level], bankruptcy: Decimal | None = None) -> Walk:
    """A level is passed over by nobody: the first price beyond the limit or outside the band ends the walk.

    So does one beyond the bankruptcy price of the position that the order closes: what is left is the liquidation's.
    """
    result = Walk(remaining=quantity)
    for level in levels:
        if not result.remaining or beyond_limit(order, level.price):
            break
        if bankruptcy is not None and worse(order.side, level.price, bankruptcy):
            result.stopped = "bankruptcy_price"
            break
        if outside_band(order, level.price):
            result.stopped = "price_band"
            break
        size = min(level.quantity, result.remaining)
        result.takes.append(Level(level.price, size))
        result.remaining -= size
    return result


def beyond_limit(order: Order, price: Decimal) -> bool:
    if order.limit_price is None:
        return False
    return worse(order.side, price, order.limit_price)


def worse(side: Side, price: Decimal, than: Decimal) -> bool:
    return price > than if side == "buy" else price < than


def outside_band(order: Order, price: Decimal) -> bool:
    below = order.price_min is not None and price < order.price_min
    return below or (order.price_max is not None and price > order.price_max)


def crossing(order: Order, levels: Iterable[Level]) -> Iterable[Level]:
    """The opposite levels at or through a resting order's price: what reached it."""
    for level in levels:
        if beyond_limit(order, level.price):
            return
        yield level
