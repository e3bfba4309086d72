"""The life of an order. Every change of an order's status is made here and nowhere else.

An order that the risk gate approved is *pending*: the venue has it and waits for its `effective_at`. Then the venue
either refuses it (*rejected*: no book, too little margin, nothing to reduce …) or accepts it. An accepted order with a
trigger is *waiting* until the price gets there; then, or at once without one, it is *working*. A working order fills,
in one or many trades, until nothing remains (*filled*), or what remains is taken back (*cancelled*) or runs out of time
(*expired*). A partly filled order is a working one with `filled` above zero. Rejected, filled, cancelled and expired
are final: nothing happens to an order after them.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from contracts.base import child_of
from contracts.executions import Purpose
from contracts.money import ZERO
from contracts.orders import OrderApproved
from contracts.signals import ExitPlan, MarginMode, OrderType, TimeInForce, Trigger
from contracts.types import Side

Status = Literal["pending", "waiting", "working", "rejected", "filled", "cancelled", "expired"]
Change = Literal["accept", "park", "trigger", "reject", "fill", "complete", "cancel", "expire"]

TRANSITIONS: dict[tuple[Status, Change], Status] = {
    ("pending", "accept"): "working",
    ("pending", "park"): "waiting",
    ("pending", "reject"): "rejected",
    ("waiting", "trigger"): "working",
    ("waiting", "reject"): "rejected",
    ("waiting", "cancel"): "cancelled",
    ("waiting", "expire"): "expired",
    ("working", "fill"): "working",
    ("working", "complete"): "filled",
    ("working", "cancel"): "cancelled",
    ("working", "expire"): "expired",
}
OPEN: tuple[Status, ...] = ("pending", "waiting", "working")


class IllegalTransition(AssertionError):
    """A bug of the venue, never the fault of an input."""


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
    client_order_id: str = ""
    margin_mode: MarginMode | None = None
    """Null until it is accepted: then that of the position, or of the orders beside it."""
    trigger: Trigger | None = None
    expires_at: datetime | None = None
    status: Status = "pending"
    number: int = 0
    """The account's n-th accepted order: the older comes first at one price."""
    filled: Decimal = ZERO
    fills: int = 0
    amends: int = 0
    ahead: Decimal | None = None
    """While it rests: the size in front of it at its price. Null: the book never showed that price."""

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def signed(self, quantity: Decimal) -> Decimal:
        return quantity if self.side == "buy" else -quantity

    def child_id(self, name: str) -> UUID:
        return child_of(self.order_id, name)

    def accept(self, number: int, quantity: Decimal) -> None:
        """`quantity` is less than was asked for where a reduce-only order is trimmed to its position."""
        self._change("accept")
        self.number, self.quantity = number, quantity

    def park(self, number: int) -> None:
        self._change("park")
        self.number = number

    def go(self) -> None:
        """The trigger was reached."""
        self._change("trigger")

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

    def resize(self, quantity: Decimal) -> None:
        """`quantity` is the whole order's, with what was filled of it."""
        if self.status not in ("waiting", "working") or quantity <= self.filled:
            raise IllegalTransition(f"resize of a {self.status} order to {quantity}, {self.filled} filled")
        self.quantity = quantity
        self.amends += 1

    def cancel(self) -> None:
        self._change("cancel")

    def expire(self) -> None:
        self._change("expire")

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
        client_order_id=event.client_order_id,
        margin_mode=event.margin_mode,
        trigger=event.trigger,
        expires_at=event.expires_at,
    )
