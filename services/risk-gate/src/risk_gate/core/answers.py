"""What is said to a signal: approved as what it asks for, or rejected with the numbers that decided."""

from collections.abc import Sequence
from typing import Any

from contracts.base import Event
from contracts.orders import (
    Check,
    ExitChangeApproved,
    OrderAmendApproved,
    OrderApproved,
    OrderCancelApproved,
    SignalRejected,
)
from contracts.signals import SignalEvent, SignalProposed

from risk_gate.core.engine import Rejection
from risk_gate.core.facts import Case


def approved(case: Case, checks: Sequence[Check]) -> Event:
    match case.signal.action:
        case "cancel_orders":
            return _cancel(case.signal, checks)
        case "amend_order":
            return _amend(case, checks)
        case "change_exits":
            return _exits(case.signal, checks)
        case _:
            return _order(case, checks)


def rejected(signal: SignalProposed, rejection: Rejection, checks: Sequence[Check]) -> SignalRejected:
    check = rejection.check
    return SignalRejected(
        **about(signal, 0),
        signal_id=signal.event_id,
        instrument=signal.instrument,
        code=rejection.code,
        value=check.value,
        limit=check.limit,
        unit=check.unit,
        detail=rejection.detail,
        checks=tuple(checks),
    )


def _order(case: Case, checks: Sequence[Check]) -> OrderApproved:
    """A close is a market order of its own; the rest stays as it was said."""
    signal, order = case.signal, case.order
    closes = signal.action == "close_position"
    return OrderApproved(
        **_part(signal, checks),
        client_order_id=signal.client_order_id,
        expires_at=None if closes else signal.expires_at,
        instrument=order.name,
        side=order.side,
        quantity=order.quantity,
        order_type="market" if closes else signal.order_type,
        limit_price=order.limit_price,
        time_in_force="IOC" if closes else signal.time_in_force,
        reduce_only=order.reduce_only,
        leverage=order.leverage,
        price_min=order.band.lowest,
        price_max=order.band.highest,
        exit_plan=None if order.reduce_only else signal.exit_plan,
        margin_mode=None if closes else signal.margin_mode,
        trigger=order.trigger,
    )


def _cancel(signal: SignalProposed, checks: Sequence[Check]) -> OrderCancelApproved:
    return OrderCancelApproved(
        **_part(signal, checks),
        instrument=signal.instrument,
        target_client_order_id=signal.target_client_order_id,
    )


def _amend(case: Case, checks: Sequence[Check]) -> OrderAmendApproved:
    signal, order = case.signal, case.order
    return OrderAmendApproved(
        **_part(signal, checks),
        instrument=order.name,
        target_client_order_id=signal.target_client_order_id,
        quantity=signal.quantity,
        limit_price=signal.limit_price,
        trigger_price=signal.trigger.price if signal.trigger is not None else None,
        price_min=order.band.lowest,
        price_max=order.band.highest,
    )


def _exits(signal: SignalProposed, checks: Sequence[Check]) -> ExitChangeApproved:
    assert signal.instrument is not None
    assert signal.exit_changes is not None
    return ExitChangeApproved(**_part(signal, checks), instrument=signal.instrument, changes=signal.exit_changes)


def _part(signal: SignalProposed, checks: Sequence[Check]) -> dict[str, Any]:
    return {
        **about(signal, 0),
        "signal_id": signal.event_id,
        "part": signal.part,
        "effective_at": signal.effective_at,
        "checks": tuple(checks),
    }


def about(event: SignalEvent, child: int | str) -> dict[str, Any]:
    """What an event that a signal causes has of it."""
    return {
        "event_id": event.child_id(child),
        "at": event.at,
        "traceparent": event.traceparent,
        "season_id": event.season_id,
        "competitor_id": event.competitor_id,
        "round": event.round,
    }
