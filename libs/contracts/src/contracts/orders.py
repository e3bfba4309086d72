"""What the risk gate said to a decision, and what operators and breakers ordered."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import CompetitorEvent, DecisionEvent, Model
from contracts.signals import ClientOrderId, ExitChanges, ExitPlan, MarginMode, OrderType, TimeInForce, Trigger
from contracts.types import Count, InstrumentId, Label, Leverage, Number, Price, Quantity, Side, Time

RejectionCode = Literal[
    "INSTRUMENT_NOT_ALLOWED", "INSTRUMENT_UNKNOWN", "LATE", "ROUND_CLOSED", "DUPLICATE", "TRADING_HALTED",
    "QUANTITY_BELOW_MIN", "QUANTITY_ABOVE_MAX", "QUANTITY_NOT_LOT", "PRICE_NOT_TICK", "PRICE_OUT_OF_BAND",
    "PRICE_MISSING", "PRICE_STALE", "BOOK_CROSSED", "INSTRUMENT_SUSPENDED",
    "LEVERAGE_ABOVE_MAX", "NOTIONAL_BELOW_MIN", "NOTIONAL_ABOVE_MAX",
    "POSITION_ABOVE_MAX", "POSITIONS_ABOVE_MAX", "MARGIN_INSUFFICIENT", "NO_POSITION", "EXIT_PLAN_INVALID",
    "PORTFOLIO_MISSING", "ORDER_RATE", "PYRAMIDING", "HOLD_TOO_SHORT", "COOLING_DOWN", "OUTSIDE_TRADING_WINDOW",
    "EXPOSURE_ABOVE_MAX", "BREAKER_TRIPPED", "ORDER_UNKNOWN", "TRIGGER_INVALID", "EXPIRY_INVALID",
]  # fmt: skip


class Check(Model):
    """One rule as it was applied: the number it looked at and the one it was held against."""

    rule: Label
    passed: bool
    value: Number | None = None
    limit: Number | None = None
    unit: Annotated[str, Field(max_length=16)] = ""


Checks = Annotated[tuple[Check, ...], Field(max_length=64)]


class PartApproved(DecisionEvent):
    """One part of a decision that the venue may act on from `effective_at` on."""

    topic: ClassVar[str] = "orders.v1"

    signal_id: UUID
    part: Annotated[int, Field(ge=1, le=200)]
    effective_at: Time
    checks: Checks = ()


class OrderApproved(PartApproved):
    """An order the venue may work from `effective_at` on. Its `event_id` is the order's id for ever."""

    type: Literal["order_approved"] = "order_approved"
    client_order_id: ClientOrderId = ""
    expires_at: Time | None = None
    instrument: InstrumentId
    side: Side
    quantity: Quantity
    order_type: OrderType
    limit_price: Price | None = None
    time_in_force: TimeInForce
    reduce_only: bool = False
    leverage: Leverage
    price_min: Price
    price_max: Price
    """The price band: the venue fills nothing outside it."""
    exit_plan: ExitPlan | None = None
    margin_mode: MarginMode | None = None
    """Null: the mode of the open position, cross where there is none."""
    trigger: Trigger | None = None


class OrderCancelApproved(PartApproved):
    """Take back what rests or waits: the one order named, or all of the instrument, or all (instrument null)."""

    type: Literal["order_cancel_approved"] = "order_cancel_approved"
    instrument: InstrumentId | None = None
    target_client_order_id: ClientOrderId = ""


class OrderAmendApproved(PartApproved):
    """Change an order that rests or waits; what is null stays. A smaller size keeps the place in the queue."""

    type: Literal["order_amend_approved"] = "order_amend_approved"
    instrument: InstrumentId
    target_client_order_id: ClientOrderId
    quantity: Quantity | None = None
    """The whole order's, with what was filled of it."""
    limit_price: Price | None = None
    trigger_price: Price | None = None
    price_min: Price
    price_max: Price


class ExitChangeApproved(PartApproved):
    """Change single legs of an open position's exit plan."""

    type: Literal["exit_change_approved"] = "exit_change_approved"
    instrument: InstrumentId
    changes: ExitChanges


class SignalRejected(DecisionEvent):
    """`value` and `limit` are the numbers that decided."""

    topic: ClassVar[str] = "orders.v1"

    type: Literal["signal_rejected"] = "signal_rejected"
    signal_id: UUID
    instrument: InstrumentId | None = None
    code: RejectionCode
    value: Number | None = None
    limit: Number | None = None
    unit: Annotated[str, Field(max_length=16)] = ""
    detail: Annotated[str, Field(max_length=500)] = ""
    checks: Checks = ()


class DecisionJudged(DecisionEvent):
    """All parts of the decision are out, before this event in the same partition."""

    topic: ClassVar[str] = "orders.v1"

    type: Literal["decision_judged"] = "decision_judged"
    answered: bool
    """False: the competitor missed the round."""
    approved: Count
    rejected: Count
    held: Count


class TradingHalted(CompetitorEvent):
    """No new risk until a TradingResumed of the same reason and instrument; several halts may be in force together.

    The venue takes back the orders of its scope that rest or wait, reduce-only ones apart.
    """

    topic: ClassVar[str] = "orders.v1"

    type: Literal["trading_halted"] = "trading_halted"
    reason: Label
    """`operator`, or the breaker's name."""
    instrument: InstrumentId | None = None
    """Null: all."""
    detail: Annotated[str, Field(max_length=500)] = ""
    value: Number | None = None
    limit: Number | None = None
    until: Time | None = None
    """Null: until an operator resumes."""


class TradingResumed(CompetitorEvent):
    topic: ClassVar[str] = "orders.v1"

    type: Literal["trading_resumed"] = "trading_resumed"
    reason: Label
    instrument: InstrumentId | None = None


class LiquidationOrdered(CompetitorEvent):
    """Close this much at market, whatever the competitor says."""

    topic: ClassVar[str] = "orders.v1"

    type: Literal["liquidation_ordered"] = "liquidation_ordered"
    instrument: InstrumentId
    side: Side
    quantity: Quantity
    effective_at: Time
    reason: Label


OrderEvent = Annotated[
    OrderApproved | OrderCancelApproved | OrderAmendApproved | ExitChangeApproved | SignalRejected | DecisionJudged
    | TradingHalted | TradingResumed | LiquidationOrdered,
    Field(discriminator="type"),
]  # fmt: skip
