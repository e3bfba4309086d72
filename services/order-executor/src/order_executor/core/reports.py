"""What the venue says of an order."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts.executions import (
    CancelReason,
    ExitTriggered,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderTriggered,
    VenueRejectCode,
)

from order_executor.core.agenda import Instruction
from order_executor.core.exits import Reached
from order_executor.core.orders import Order


def about(order: Order, at: datetime, event_id: UUID) -> dict[str, Any]:
    """The fields that every report on an order shares."""
    return {
        "event_id": event_id,
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
        **about(order, at, order.child_id("accepted")),
        side=order.side,
        quantity=order.quantity,
        order_type=order.order_type,
        limit_price=order.limit_price,
        time_in_force=order.time_in_force,
        reduce_only=order.reduce_only,
        leverage=order.leverage,
        purpose=order.purpose,
        exit_plan=order.exit_plan,
        client_order_id=order.client_order_id,
        margin_mode=order.margin_mode or "cross",
        trigger=order.trigger,
        expires_at=order.expires_at,
    )


def rejected(order: Order, at: datetime, code: VenueRejectCode, detail: str = "") -> OrderRejected:
    return OrderRejected(**about(order, at, order.child_id("rejected")), code=code, detail=detail)


def cancelled(order: Order, at: datetime, reason: CancelReason) -> OrderCancelled:
    return OrderCancelled(**about(order, at, order.child_id("cancelled")), remaining=order.remaining, reason=reason)


def refused(
    event: Instruction, instrument: str, at: datetime, code: VenueRejectCode, detail: str = ""
) -> OrderRejected:
    """An instruction that cannot be carried out: the order it means, if there is one, stays as it was."""
    return OrderRejected(
        event_id=event.child_id("rejected"),
        at=at,
        traceparent=event.traceparent,
        season_id=event.season_id,
        competitor_id=event.competitor_id,
        order_id=event.event_id,
        instrument=instrument,
        round=getattr(event, "round", None),
        code=code,
        detail=detail,
    )


def expired(order: Order, at: datetime) -> OrderExpired:
    return OrderExpired(**about(order, at, order.child_id("expired")), remaining=order.remaining)


def amended(order: Order, at: datetime) -> OrderAmended:
    return OrderAmended(
        **about(order, at, order.child_id(f"amended/{order.amends}")),
        quantity=order.quantity,
        remaining=order.remaining,
        limit_price=order.limit_price,
        trigger_price=order.trigger.price if order.trigger else None,
    )


def set_off(order: Order, at: datetime, observed: Decimal) -> OrderTriggered:
    assert order.trigger is not None
    return OrderTriggered(
        **about(order, at, order.child_id("triggered")), trigger_price=order.trigger.price, observed_price=observed
    )


def triggered(order: Order, at: datetime, reached: Reached, quantity: Decimal) -> ExitTriggered:
    return ExitTriggered(
        **about(order, at, order.child_id("triggered")),
        purpose=reached.purpose,
        trigger_price=reached.trigger_price,
        observed_price=reached.observed_price,
        quantity=quantity,
    )
