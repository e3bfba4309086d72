"""When orders that wait for a price are worked."""

from collections.abc import Iterable
from decimal import Decimal

from order_executor.core.exits import Prices, observed
from order_executor.core.orders import Order


def reached(orders: Iterable[Order], prices: Prices) -> list[tuple[Order, Decimal]]:
    """The orders whose price was reached, with the price that was seen, the oldest first."""
    found = []
    for order in orders:
        assert order.trigger is not None
        price = observed(order.trigger.on, prices)
        if price is not None and _is_reached(order, price):
            found.append((order, price))
    return found


def _is_reached(order: Order, price: Decimal) -> bool:
    """A stop waits for a worse price, a take profit for a better one: a buy's stop is above, its take profit below."""
    assert order.trigger is not None
    rises = (order.side == "buy") == (order.trigger.kind == "stop")
    return price >= order.trigger.price if rises else price <= order.trigger.price
