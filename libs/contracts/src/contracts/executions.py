"""What happened at the venue."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import CompetitorEvent
from contracts.market import TimeAdvanced
from contracts.signals import ExitPlan, OrderType, TimeInForce
from contracts.types import (
    Count,
    InstrumentId,
    Label,
    Leverage,
    Number,
    Price,
    Quantity,
    Rate,
    Round,
    Sequence,
    Side,
    SignedQuantity,
    Size,
    Time,
    Usd,
    UsdSize,
)

VenueRejectCode = Literal[
    "NO_BOOK", "BOOK_CROSSED", "INSTRUMENT_UNKNOWN", "REDUCE_ONLY_WITHOUT_POSITION", "POST_ONLY_WOULD_TAKE",
    "MARGIN_INSUFFICIENT", "DUPLICATE_CLIENT_ORDER_ID", "VENUE_ERROR",
]  # fmt: skip
CancelReason = Literal[
    "ioc_remainder", "fok_unfillable", "price_band", "reduce_only_done", "competitor", "operator", "liquidation",
    "self_trade", "one_cancels_other", "season_over",
]  # fmt: skip
Purpose = Literal["decision", "take_profit", "stop_loss", "invalidation", "liquidation", "flatten"]


class OrderEventBase(CompetitorEvent):
    order_id: UUID
    instrument: InstrumentId
    round: Round | None = None


class OrderAccepted(OrderEventBase):
    topic: ClassVar[str] = "executions.v1"

    type: Literal["order_accepted"] = "order_accepted"
    side: Side
    quantity: Quantity
    order_type: OrderType
    limit_price: Price | None = None
    time_in_force: TimeInForce
    reduce_only: bool = False
    leverage: Leverage
    purpose: Purpose
    exit_plan: ExitPlan | None = None


class OrderRejected(OrderEventBase):
    topic: ClassVar[str] = "executions.v1"

    type: Literal["order_rejected"] = "order_rejected"
    code: VenueRejectCode
    detail: Annotated[str, Field(max_length=500)] = ""


class OrderFilled(OrderEventBase):
    """One trade. Its `trade_id` is unique for ever; fees are USD, negative where a rebate."""

    topic: ClassVar[str] = "executions.v1"

    type: Literal["order_filled"] = "order_filled"
    trade_id: UUID
    side: Side
    price: Price
    quantity: Quantity
    fee: Usd
    liquidity: Literal["maker", "taker"]
    remaining: Size
    leverage: Leverage
    purpose: Purpose
    book_sequence: Sequence
    """The book it met, so that a replay can repeat it."""
    position_after: SignedQuantity
    exit_plan: ExitPlan | None = None
    """The position's exit plan after this fill; null where it has none."""


class OrderCancelled(OrderEventBase):
    topic: ClassVar[str] = "executions.v1"

    type: Literal["order_cancelled"] = "order_cancelled"
    remaining: Size
    reason: CancelReason


class OrderExpired(OrderEventBase):
    topic: ClassVar[str] = "executions.v1"

    type: Literal["order_expired"] = "order_expired"
    remaining: Size


class OrderUnknown(OrderEventBase):
    """The outcome at an outside venue is not known yet; it is being asked for."""

    topic: ClassVar[str] = "executions.v1"

    type: Literal["order_unknown"] = "order_unknown"
    detail: Annotated[str, Field(max_length=500)] = ""


class ExitTriggered(OrderEventBase):
    """`order_id` is the closing order that this causes."""

    topic: ClassVar[str] = "executions.v1"

    type: Literal["exit_triggered"] = "exit_triggered"
    purpose: Literal["take_profit", "stop_loss", "invalidation"]
    trigger_price: Price
    observed_price: Price
    quantity: Quantity


class ExitPlanChanged(CompetitorEvent):
    """The exit plan of an open position was replaced without a trade."""

    topic: ClassVar[str] = "executions.v1"

    type: Literal["exit_plan_changed"] = "exit_plan_changed"
    instrument: InstrumentId
    exit_plan: ExitPlan | None = None
    order_id: UUID | None = None


class FundingSettled(CompetitorEvent):
    """`payment` is USD paid by the account: above zero it paid, below it received."""

    topic: ClassVar[str] = "executions.v1"

    type: Literal["funding_settled"] = "funding_settled"
    instrument: InstrumentId
    stamp: Time
    quantity: SignedQuantity
    mark_price: Price
    rate: Rate
    payment: Usd


class PositionLiquidated(CompetitorEvent):
    """One step of a liquidation with its numbers."""

    topic: ClassVar[str] = "executions.v1"

    type: Literal["position_liquidated"] = "position_liquidated"
    instrument: InstrumentId
    step: Literal["orders_cancelled", "reduced", "taken_over"]
    tier_from: Count
    tier_to: Count
    quantity: SignedQuantity
    quantity_after: SignedQuantity
    mark_price: Price
    price: Price | None = None
    bankruptcy_price: Price | None = None
    margin_ratio: Number
    maintenance_margin: UsdSize
    fee: UsdSize
    realised_pnl: Usd
    insurance_change: Usd
    written_off: UsdSize
    detail: Label = "maintenance"


ExecutionEvent = Annotated[
    TimeAdvanced | OrderAccepted | OrderRejected | OrderFilled | OrderCancelled | OrderExpired | OrderUnknown
    | ExitTriggered | ExitPlanChanged | FundingSettled | PositionLiquidated,
    Field(discriminator="type"),
]  # fmt: skip
