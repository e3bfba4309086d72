"""What a competitor wants, as it said it, or why it said nothing."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from contracts.base import DecisionEvent, Model
from contracts.types import (
    Confidence,
    Count,
    InstrumentId,
    Label,
    Leverage,
    Price,
    Quantity,
    Sha256,
    Text,
    Time,
    UsdSize,
)

Action = Literal[
    "hold", "buy_to_enter", "sell_to_enter", "close_position", "cancel_orders", "amend_order", "change_exits"
]
OrderType = Literal["market", "limit"]
TimeInForce = Literal["IOC", "GTC", "FOK", "POST_ONLY"]
TriggerPrice = Literal["mark", "last", "index"]
MarginMode = Literal["cross", "isolated"]
Leg = Literal["take_profit", "stop_loss", "invalidation"]
ClientOrderId = Annotated[str, Field(max_length=64)]
"""The competitor's own name for an order, used once for ever; empty where it gave none."""
MissReason = Literal[
    "late", "timeout", "malformed", "model_error", "provider_error", "provider_down", "quota_exceeded", "no_answer"
]


class Condition(Model):
    """A machine-checkable invalidation: a bar of `interval`, or the mark price, closes beyond `price`."""

    comparison: Literal["below", "above"]
    price: Price
    interval: Literal["1m", "3m", "5m", "15m", "1h", "4h"] | None = None


class ExitPlan(Model):
    """When the venue closes the position without asking the competitor again."""

    take_profit: Price | None = None
    stop_loss: Price | None = None
    trigger: TriggerPrice = "mark"
    invalidation: Annotated[str, Field(max_length=500)] = ""
    invalidation_condition: Condition | None = None


class ExitChanges(Model):
    """Changes single legs of an exit plan: a leg that is null and not dropped stays as it is."""

    take_profit: Price | None = None
    stop_loss: Price | None = None
    trigger: TriggerPrice | None = None
    invalidation_condition: Condition | None = None
    drop: Annotated[tuple[Leg, ...], Field(max_length=3)] = ()


class Trigger(Model):
    """The order waits until the price gets there.

    A stop waits for a worse price (a buy for one at or above `price`, a sell for one at or below), a take profit for a
    better one.
    """

    kind: Literal["stop", "take_profit"]
    price: Price
    on: TriggerPrice = "mark"


class Attempt(Model):
    """How the answer was come by."""

    model: Label
    offline: bool
    latency_ms: Count
    attempts: Annotated[int, Field(ge=1, le=100)] = 1
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cost_usd: UsdSize | None = None
    prompt_sha256: Sha256 | None = None
    reply_sha256: Sha256 | None = None
    record: Annotated[str, Field(max_length=500)] | None = None
    """Where the raw request and reply are kept in the object store."""


class SignalProposed(DecisionEvent):
    """One instrument's part of a decision. Parts come in order; the decision is whole when `part` equals `parts`."""

    topic: ClassVar[str] = "signals.v1"

    type: Literal["signal_proposed"] = "signal_proposed"
    decision_id: UUID
    part: Annotated[int, Field(ge=1, le=200)]
    parts: Annotated[int, Field(ge=1, le=200)]
    deadline: Time
    effective_at: Time
    action: Action
    instrument: InstrumentId | None = None
    """Null only for a `hold` or `cancel_orders` of everything."""
    quantity: Quantity | None = None
    order_type: OrderType = "market"
    limit_price: Price | None = None
    time_in_force: TimeInForce = "IOC"
    leverage: Leverage | None = None
    exit_plan: ExitPlan | None = None
    confidence: Confidence | None = None
    risk_usd: UsdSize | None = None
    justification: Text = ""
    reduce_only: bool = False
    margin_mode: MarginMode | None = None
    """Null: the mode of the open position, cross where there is none."""
    trigger: Trigger | None = None
    expires_at: Time | None = None
    """When what rests or waits of it is taken back; null: never."""
    exit_changes: ExitChanges | None = None
    """`change_exits` only."""
    client_order_id: ClientOrderId = ""
    target_client_order_id: ClientOrderId = ""
    """`amend_order`, `cancel_orders`: the order meant; empty, with `cancel_orders`: all open ones of the instrument."""
    attempt: Attempt

    @model_validator(mode="after")
    def _is_whole(self) -> "SignalProposed":
        enters = self.action in ("buy_to_enter", "sell_to_enter")
        everything = self.action in ("hold", "cancel_orders")
        rules = [
            (self.part > self.parts, "part: must not be above parts"),
            (self.instrument is None and not everything, f"instrument: required to {self.action}"),
            (
                self.instrument is None and self.target_client_order_id != "",
                "instrument: required to name an order, so that an unknown name can be answered",
            ),
            (enters and self.quantity is None, f"quantity: required to {self.action}"),
            (self.order_type == "limit" and self.limit_price is None, "limit_price: required by order_type limit"),
            (self.order_type == "market" and self.limit_price is not None, "limit_price: not for a market order"),
            (self.order_type == "market" and self.time_in_force != "IOC", "time_in_force: a market order is IOC"),
            (self.action == "amend_order" and not self.target_client_order_id, "target_client_order_id: required"),
            (
                (self.exit_changes is not None) != (self.action == "change_exits"),
                "exit_changes: with change_exits only",
            ),
            (
                self.trigger is not None and not enters and self.action != "amend_order",
                "trigger: with orders that enter and amend_order only",
            ),
        ]
        if broken := [message for is_broken, message in rules if is_broken]:
            raise ValueError("; ".join(broken))
        return self


class DecisionMissed(DecisionEvent):
    """No decision that counts. Nothing is traded."""

    topic: ClassVar[str] = "signals.v1"

    type: Literal["decision_missed"] = "decision_missed"
    reason: MissReason
    detail: Annotated[str, Field(max_length=1_000)] = ""
    deadline: Time
    effective_at: Time
    attempt: Attempt | None = None


SignalEvent = Annotated[SignalProposed | DecisionMissed, Field(discriminator="type")]
