"""What an operator sees of orders at an outside venue."""

from collections import Counter as Count

from chassis.telemetry import Telemetry
from prometheus_client import Gauge

from order_executor.exchange.core import Budget, Order
from order_executor.exchange.venue import ExchangeVenue


class Metrics:
    def __init__(self, telemetry: Telemetry, budget: Budget) -> None:
        registry, self._budget = telemetry.registry, budget
        self._orders = Gauge("arena_exchange_orders", "Orders in memory.", ["state"], registry=registry)
        self._unknown = Gauge(
            "arena_exchange_unknown_oldest_seconds", "Age of the oldest order of unknown outcome.", registry=registry
        )
        self._prevented = Gauge(
            "arena_exchange_resends_prevented", "Orders found at the venue after their sending seemed to have failed.",
            registry=registry,
        )  # fmt: skip
        self._left = Gauge("arena_exchange_budget", "Requests that may go out now.", registry=registry)
        self._offset = Gauge("arena_exchange_clock_offset_seconds", "The venue's clock less ours.", registry=registry)
        self._skew = Gauge("arena_exchange_clock_skew_seconds", "How far that may be off.", registry=registry)
        self._differences = Gauge(
            "arena_exchange_differences", "What the last look at the venue found different.", ["account"],
            registry=registry,
        )  # fmt: skip

    def tell(self, venue: ExchangeVenue) -> None:
        now, orders = venue.clock.now(), [order for desk in venue.desks.values() for order in desk.orders()]
        states = Count[str](order.state for order in orders)
        self._orders.clear()
        for state, count in states.items():
            self._orders.labels(state).set(count)
        since = [order.unknown_since for order in orders if _is_unknown(order)]
        oldest = min((each for each in since if each is not None), default=now)
        self._unknown.set(max(0.0, (now - oldest).total_seconds()))
        self._prevented.set(sum(desk.prevented for desk in venue.desks.values()))
        self._offset.set(venue.clock.offset.total_seconds())
        self._skew.set(venue.clock.skew.total_seconds())
        self._left.set(self._budget.left)
        for key, account in venue.accounts():
            self._differences.labels("/".join(key)).set(len(account.differences))


def _is_unknown(order: Order) -> bool:
    return order.state == "unknown"
