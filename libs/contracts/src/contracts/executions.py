"""What happened at the venue."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import CompetitorEvent, Model
from contracts.market import TimeAdvanced
from contracts.signals import ClientOrderId, ExitPlan, MarginMode, OrderType, TimeInForce, Trigger
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
    "MARGIN_INSUFFICIENT", "DUPLICATE_CLIENT_ORDER_ID", "ORDER_UNKNOWN", "AMEND_INVALID", "EXITS_WITHOUT_POSITION",
    "MARGIN_MODE_MISMATCH", "LEVERAGE_ABOVE_TIER", "EXPIRED", "OPEN_ORDERS_ABOVE_MAX", "VENUE_ERROR",
]  # fmt: skip
CancelReason = Literal[
    "ioc_remainder", "fok_unfillable", "price_band", "reduce_only_done", "competitor", "operator", "liquidation",
    "self_trade", "one_cancels_other", "season_over", "bankruptcy_price", "halted",
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
    client_order_id: ClientOrderId = ""
    margin_mode: MarginMode = "cross"
    trigger: Trigger | None = None
    expires_at: Time | None = None


class OrderTriggered(OrderEventBase):
    """A waiting order's trigger was reached: from now on it is worked."""

    topic: ClassVar[str] = "executions.v1"

    type: Literal["order_triggered"] = "order_triggered"
    trigger_price: Price
    observed_price: Price


class OrderAmended(OrderEventBase):
    """The order as it stands after the change."""

    topic: ClassVar[str] = "executions.v1"

    type: Literal["order_amended"] = "order_amended"
    quantity: Quantity
    remaining: Size
    limit_price: Price | None = None
    trigger_price: Price | None = None


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
    margin_mode: MarginMode = "cross"
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
    """One step of a liquidation with its numbers.

    What it trades is told by `OrderFilled` of purpose `liquidation` before it, whose own fee is zero; what it moves
    besides stands here: the account pays `fee` to its insurance fund; the fund gains `insurance_change` in all, and
    `written_off` is what was missing beyond the fund. Reduced on the book: `insurance_change` is `fee`. Taken over, and
    closed by the fund at the mark: it is `fee` + `quantity` * (`mark_price` - `price`) + `written_off`.
    """

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
    """Average of what was traded; of a takeover its bankruptcy price."""
    bankruptcy_price: Price | None = None
    margin_ratio: Number
    maintenance_margin: UsdSize
    fee: UsdSize
    realised_pnl: Usd
    insurance_change: Usd
    written_off: UsdSize
    detail: Label = "maintenance"


class VenuePosition(Model):
    """An open position in the venue's own account."""

    instrument: InstrumentId
    quantity: SignedQuantity
    cost: Usd
    """quantity * average entry."""
    margin_mode: MarginMode = "cross"


class AccountStated(CompetitorEvent):
    """The venue's own account, after everything before this event in its partition: what the ledger is held against."""

    topic: ClassVar[str] = "executions.v1"

    type: Literal["account_stated"] = "account_stated"
    stamp: Time
    realised_pnl: Usd
    fees: Usd
    """Trading fees and liquidation fees."""
    liquidation_fees: UsdSize
    funding: Usd
    insurance_fund: Usd
    written_off: UsdSize
    fills: Count
    open_orders: Count
    positions: Annotated[tuple[VenuePosition, ...], Field(max_length=100)] = ()


ExecutionEvent = Annotated[
    TimeAdvanced | OrderAccepted | OrderTriggered | OrderAmended | OrderRejected | OrderFilled | OrderCancelled
    | OrderExpired | OrderUnknown | ExitTriggered | ExitPlanChanged | FundingSettled | PositionLiquidated
    | AccountStated,
    Field(discriminator="type"),
]  # fmt: skip
