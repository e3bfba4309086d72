"""The life of an order. Every change of an order's status is made here and nowhere else.

An order that the risk gate approved is *pending*: the venue has it and waits for its `effective_at`. Then the venue
either refuses it (*rejected*: no book, nothing to reduce, would take) or accepts it: it is *working*. A working order
fills, in one or many trades, until nothing remains (*filled*), or what remains is taken back (*cancelled*: an IOC
remainder, a reduce-only order whose position is gone …). A partly filled order is a working one with `filled` above
zero. Rejected, filled and cancelled are final: nothing happens to an order after them.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple
from uuid import UUID, uuid5

from contracts.executions import Purpose
from contracts.money import ZERO
from contracts.orders import OrderApproved
from contracts.signals import ExitPlan, OrderType, TimeInForce
from contracts.types import Side

Status = Literal["pending", "working", "rejected", "filled", "cancelled"]
Change = Literal["accept", "reject", "fill", "complete", "cancel"]

TRANSITIONS: dict[tuple[Status, Change], Status] = {
    ("pending", "accept"): "working",
    ("pending", "reject"): "rejected",
    ("working", "fill"): "working",
    ("working", "complete"): "filled",
    ("working", "cancel"): "cancelled",
}
OPEN: tuple[Status, ...] = ("pending", "working")


class IllegalTransition(AssertionError):
    """A bug of the venue, never the fault of an input."""


class Due(NamedTuple):
    """The order in which orders of one moment execute."""

    effective_at: datetime
    competitor_id: str
    season_id: str
    round: int
    part: int
    order_id: UUID


@dataclass(slots=True)
class Order:
    order_id: UUID
    season_id: str
    competitor_id: str
    round: int | None
    part: int
    instrument: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    time_in_force: TimeInForce
    reduce_only: bool
    leverage: Decimal
    price_min: Decimal | None
    price_max: Decimal | None
    """The band; null where nothing bounds the order: exits fill at whatever the book holds."""
    purpose: Purpose
    effective_at: datetime
    exit_plan: ExitPlan | None = None
    traceparent: str = ""
    status: Status = "pending"
    number: int = 0
    """The account's n-th accepted order: the older comes first at one price."""
    filled: Decimal = ZERO
    fills: int = 0

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def due(self) -> Due:
        return Due(self.effective_at, self.competitor_id, self.season_id, self.round or 0, self.part, self.order_id)

    def signed(self, quantity: Decimal) -> Decimal:
        return quantity if self.side == "buy" else -quantity

    def child_id(self, name: str) -> UUID:
        return uuid5(self.order_id, name)

    def accept(self, number: int, quantity: Decimal) -> None:
        """`quantity` is less than was asked for where a reduce-only order is trimmed to its position."""
        self._change("accept")
        self.number, self.quantity = number, quantity

    def reject(self) -> None:
        self._change("reject")

    def fill(self, quantity: Decimal) -> UUID:
        """Returns the trade's id: the n-th trade of an order has the same id in every replay."""
        if not ZERO < quantity <= self.remaining:
            raise IllegalTransition(f"fill of {quantity} where {self.remaining} remain")
        self._change("fill" if quantity < self.remaining else "complete")
        self.filled += quantity
        self.fills += 1
        return self.child_id(f"fill/{self.fills}")

    def cancel(self) -> None:
        self._change("cancel")

    def _change(self, change: Change) -> None:
        if (self.status, change) not in TRANSITIONS:
            raise IllegalTransition(f"{change} of a {self.status} order {self.order_id}")
        self.status = TRANSITIONS[self.status, change]


def approved(event: OrderApproved) -> Order:
    return Order(
        order_id=event.event_id,
        season_id=event.season_id,
        competitor_id=event.competitor_id,
        round=event.round,
        part=event.part,
        instrument=event.instrument,
        side=event.side,
        quantity=event.quantity,
        order_type=event.order_type,
        limit_price=event.limit_price,
        time_in_force=event.time_in_force,
        reduce_only=event.reduce_only,
        leverage=event.leverage,
        price_min=event.price_min,
        price_max=event.price_max,
        purpose="decision",
        effective_at=event.effective_at,
        exit_plan=event.exit_plan,
        traceparent=event.traceparent,
    )
