"""What is told of an order at an outside venue. Every id derives from the order's: told twice it is the same event."""

from datetime import datetime
from typing import Any

from contracts.base import child_of, named_id
from contracts.executions import (
    CancelReason,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    VenueRejectCode,
)
from contracts.orders import ExitChangeApproved, LiquidationOrdered, OrderAmendApproved, OrderCancelApproved

from order_executor.exchange.core.orders import Order
from order_executor.exchange.core.said import Traded

DETAIL_MAX = 500
Instruction = OrderCancelApproved | OrderAmendApproved | ExitChangeApproved | LiquidationOrdered


def _about(order: Order, at: datetime, name: str) -> dict[str, Any]:
    intent = order.intent
    return {
        "event_id": child_of(intent.order_id, name), "at": at, "traceparent": intent.traceparent,
        "season_id": intent.season_id, "competitor_id": intent.competitor_id, "order_id": intent.order_id,
        "instrument": intent.instrument, "round": intent.round,
    }  # fmt: skip


def accepted(order: Order, at: datetime) -> OrderAccepted:
    intent = order.intent
    return OrderAccepted(
        **_about(order, at, "accepted"), side=intent.side, quantity=intent.quantity, order_type=intent.order_type,
        limit_price=intent.limit_price, time_in_force=intent.time_in_force, reduce_only=intent.reduce_only,
        leverage=intent.leverage, purpose=intent.purpose, client_order_id=intent.given_name,
        margin_mode=intent.margin_mode,
    )  # fmt: skip


def filled(order: Order, said: Traded) -> OrderFilled:
    """`order` as it is after the trade. The book it met is the venue's secret: sequence 0."""
    intent, trade = order.intent, said.trade
    return OrderFilled(
        **_about(order, said.at, f"fill/{trade.trade_id}"),
        trade_id=named_id("exchange trade", *intent.account, trade.trade_id),
        side=intent.side, price=trade.price, quantity=trade.quantity, fee=trade.fee, liquidity=trade.liquidity,
        remaining=order.remaining, leverage=intent.leverage, purpose=intent.purpose, book_sequence=0,
        position_after=said.position_after, margin_mode=intent.margin_mode,
    )  # fmt: skip


def rejected(order: Order, at: datetime, code: VenueRejectCode, detail: str) -> OrderRejected:
    return OrderRejected(**_about(order, at, "rejected"), code=code, detail=detail[:DETAIL_MAX])


def cancelled(order: Order, at: datetime, reason: CancelReason) -> OrderCancelled:
    return OrderCancelled(**_about(order, at, "cancelled"), remaining=order.remaining, reason=reason)


def expired(order: Order, at: datetime) -> OrderExpired:
    return OrderExpired(**_about(order, at, "expired"), remaining=order.remaining)


def unknown(order: Order, at: datetime, name: str, detail: str) -> OrderUnknown:
    return OrderUnknown(**_about(order, at, f"unknown/{order.sends}/{name}"), detail=detail[:DETAIL_MAX])


def not_offered(event: Instruction, instrument: str, at: datetime, code: VenueRejectCode, detail: str) -> OrderRejected:
    """An instruction that cannot be carried out here: the order it means, if there is one, stays as it was."""
    return OrderRejected(
        event_id=event.child_id("rejected"), at=at, traceparent=event.traceparent, season_id=event.season_id,
        competitor_id=event.competitor_id, order_id=event.event_id, instrument=instrument,
        round=getattr(event, "round", None), code=code, detail=detail,
    )  # fmt: skip
