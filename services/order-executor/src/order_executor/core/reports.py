"""What the venue says of an order."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from contracts.executions import (
    CancelReason,
    ExitTriggered,
    OrderAccepted,
    OrderCancelled,
    OrderRejected,
    VenueRejectCode,
)

from order_executor.core.exits import Trigger
from order_executor.core.orders import Order


def about(order: Order, at: datetime, name: str) -> dict[str, Any]:
    """The fields that every report on an order shares."""
    return {
        "event_id": order.child_id(name),
        "at": at,
        "traceparent": order.traceparent,
        "season_id": order.season_id,
        "competitor_id": order.competitor_id,
        "order_id": order.order_id,
        "instrument": order.instrument,
        "round": order.round,
    }


def accepted(order: Order, at: datetime) -> OrderAccepted:
    return OrderAccepted(
        **about(order, at, "accepted"),
        side=order.side,
        quantity=order.quantity,
        order_type=order.order_type,
        limit_price=order.limit_price,
        time_in_force=order.time_in_force,
        reduce_only=order.reduce_only,
        leverage=order.leverage,
        purpose=order.purpose,
        exit_plan=order.exit_plan,
    )


def rejected(order: Order, at: datetime, code: VenueRejectCode, detail: str = "") -> OrderRejected:
    return OrderRejected(**about(order, at, "rejected"), code=code, detail=detail)


def cancelled(order: Order, at: datetime, reason: CancelReason) -> OrderCancelled:
    return OrderCancelled(**about(order, at, "cancelled"), remaining=order.remaining, reason=reason)


def triggered(order: Order, at: datetime, trigger: Trigger, quantity: Decimal) -> ExitTriggered:
    return ExitTriggered(
        **about(order, at, "triggered"),
        purpose=trigger.purpose,
        trigger_price=trigger.trigger_price,
        observed_price=trigger.observed_price,
        quantity=quantity,
    )
