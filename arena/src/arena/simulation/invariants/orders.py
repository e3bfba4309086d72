"""Of the venue: an approved order is one order there, its fills are the position, what only reduces never flips."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from contracts.executions import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderEventBase,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from contracts.orders import OrderApproved

from arena.simulation.invariants.base import Invariant
from arena.simulation.log import Record

ZERO = Decimal()


@dataclass
class _Order:
    quantity: Decimal
    reduce_only: bool
    filled: Decimal = ZERO
    ended: str = ""


class OneOrder(Invariant):
    name = "one_order"
    says = "an approved order is accepted or refused once, is filled up to its size, ends once, and nothing follows"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._due: dict[Any, datetime] = {}
        self._orders: dict[Any, _Order] = {}
        self._refused: set[Any] = set()

    def sees(self, record: Record, event: Any) -> None:  # noqa: ARG002  # one form for all
        if isinstance(event, OrderApproved):
            self._due[event.event_id] = event.effective_at
        elif isinstance(event, OrderAccepted):
            if event.order_id in self._orders or event.order_id in self._refused:
                self.fail(f"{event.order_id} was accepted again")
            if event.purpose == "decision" and event.order_id not in self._due:
                self.fail(f"{event.order_id} was accepted, nobody approved it")
            self._orders[event.order_id] = _Order(event.quantity, event.reduce_only)
        elif isinstance(event, OrderRejected) and event.order_id not in self._orders:
            if event.order_id in self._refused:
                self.fail(f"{event.order_id} was refused again")
            self._refused.add(event.order_id)
        elif isinstance(event, OrderEventBase) and event.order_id in self._orders:
            self._goes_on(self._orders[event.order_id], event)

    def _goes_on(self, order: _Order, event: Any) -> None:
        if order.ended and not isinstance(event, OrderRejected):
            self.fail(f"{event.order_id}: {event.type} after {order.ended}")
        if isinstance(event, OrderAmended):
            order.quantity = event.quantity
        elif isinstance(event, OrderFilled):
            order.filled += event.quantity
            if order.filled > order.quantity or event.remaining != order.quantity - order.filled:
                self.fail(
                    f"{event.order_id}: {order.filled} of {order.quantity} filled, {event.remaining} said to remain"
                )
            order.ended = "" if event.remaining else event.type
        elif isinstance(event, OrderCancelled | OrderExpired | OrderRejected):
            order.ended = event.type

    def ends(self) -> None:
        """Whatever was due before the market's end has come to its moment."""
        end = self.world.market_time()
        for order_id, due in self._due.items():
            if due < end and order_id not in self._orders and order_id not in self._refused:
                self.fail(f"{order_id} was approved, due at {due.isoformat()}, and never came to the venue")


class FillsArePosition(Invariant):
    name = "fills_are_position"
    says = "the position after each fill is the sum of all fills"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._held: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self._trades: set[Any] = set()

    def sees(self, record: Record, event: Any) -> None:  # noqa: ARG002  # one form for all
        if not isinstance(event, OrderFilled):
            return
        if event.trade_id in self._trades:
            self.fail(f"trade {event.trade_id} was told twice")
        self._trades.add(event.trade_id)
        whose = event.competitor_id, event.instrument
        self._held[whose] += event.quantity if event.side == "buy" else -event.quantity
        if self._held[whose] != event.position_after:
            self.fail(f"{whose}: {self._held[whose]} filled, the venue says {event.position_after}")


class ReduceOnly(Invariant):
    name = "reduce_only_never_flips"
    says = "a fill of an order that only reduces leaves a smaller position of the same side, or none"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._reduces: set[Any] = set()

    def sees(self, record: Record, event: Any) -> None:  # noqa: ARG002  # one form for all
        if isinstance(event, OrderAccepted | OrderApproved) and event.reduce_only:
            self._reduces.add(event.order_id if isinstance(event, OrderAccepted) else event.event_id)
        elif isinstance(event, OrderFilled) and event.order_id in self._reduces:
            signed = event.quantity if event.side == "buy" else -event.quantity
            before = event.position_after - signed
            if abs(event.position_after) >= abs(before) or event.position_after * before < 0:
                self.fail(f"{event.order_id} only reduces, and took {before} to {event.position_after}")
