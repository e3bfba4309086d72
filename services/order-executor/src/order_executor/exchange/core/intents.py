"""What the risk gate let through, as an intent; or why this venue cannot carry it."""

from decimal import Decimal

from contracts.orders import LiquidationOrdered, OrderApproved

from order_executor.exchange.core.ids import client_order_id
from order_executor.exchange.core.orders import Intent
from order_executor.exchange.core.rules import Rules

CLOSE_TRIES = 60
"""An ordered close is worth sending for so many times as long as a decision."""


def of_order(event: OrderApproved, rules: Rules) -> Intent:
    lapses_at = event.effective_at + rules.valid_for
    return Intent(
        order_id=event.event_id,
        client_order_id=client_order_id(event.event_id),
        season_id=event.season_id,
        competitor_id=event.competitor_id,
        round=event.round,
        instrument=event.instrument,
        side=event.side,
        quantity=event.quantity,
        order_type=event.order_type,
        limit_price=event.limit_price,
        bound=event.price_max if event.side == "buy" else event.price_min,
        time_in_force=event.time_in_force,
        reduce_only=event.reduce_only,
        leverage=event.leverage,
        margin_mode=event.margin_mode or "cross",
        purpose="decision",
        effective_at=event.effective_at,
        valid_until=min(lapses_at, event.expires_at or lapses_at),
        expires_at=event.expires_at,
        given_name=event.client_order_id,
        traceparent=event.traceparent,
    )


def of_close(event: LiquidationOrdered, rules: Rules) -> Intent:
    """Reduce-only, at market, without a bound: getting out passes whatever the book holds."""
    return Intent(
        order_id=event.event_id,
        client_order_id=client_order_id(event.event_id),
        season_id=event.season_id,
        competitor_id=event.competitor_id,
        round=None,
        instrument=event.instrument,
        side=event.side,
        quantity=event.quantity,
        order_type="market",
        limit_price=None,
        bound=None,
        time_in_force="IOC",
        reduce_only=True,
        leverage=Decimal(1),
        margin_mode="cross",
        purpose="flatten",
        effective_at=event.effective_at,
        valid_until=event.effective_at + CLOSE_TRIES * rules.valid_for,
        traceparent=event.traceparent,
    )


def not_carried(event: OrderApproved) -> str | None:
    """What an outside venue would have to watch for us, and is not asked to."""
    if event.trigger is not None:
        return "trigger: conditional orders are not carried to an exchange"
    if event.exit_plan is not None:
        return "exit_plan: exit plans are not carried to an exchange"
    return None
