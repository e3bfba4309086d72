"""What the season asks of when and how often a competitor trades. Times are event times: of the order, of the round."""

from datetime import datetime, timedelta
from decimal import Decimal

from contracts.money import ZERO

from risk_gate.core.engine import Finding, rule
from risk_gate.core.facts import Case
from risk_gate.core.history import HOUR


@rule("OUTSIDE_TRADING_WINDOW", "", "enter")
def trading_window(case: Case) -> Finding | None:
    """Of the moment at which the order reaches the venue."""
    windows, at = case.order.rules.windows, case.signal.effective_at
    if not windows:
        return None
    words = f"{at:%a %H:%M} UTC is in none of the season's trading windows"
    return Finding(any(window.holds(at) for window in windows), words=words)


@rule("ORDER_RATE", "it would be {value} orders in this round, {limit} are allowed", "enter")
def orders_per_round(case: Case) -> Finding | None:
    limit = case.order.rules.orders_per_round_max
    value = case.standing.orders + 1
    return None if limit is None else Finding(value <= limit, value, limit)


@rule("ORDER_RATE", "it would be {value} orders within an hour, {limit} are allowed", "enter")
def orders_per_hour(case: Case) -> Finding | None:
    limit = case.order.rules.orders_per_hour_max
    if limit is None:
        return None
    within = case.standing.history.since(_opening(case) - HOUR)
    value = sum(each.orders for each in within) + 1
    return Finding(value <= limit, value, limit)


@rule("PYRAMIDING", "it would be addition {value} to this position, {limit} are allowed", "enter")
def additions(case: Case) -> Finding | None:
    limit = case.order.rules.adds_max
    if limit is None or not adds(case):
        return None
    value = case.standing.adds(case.order.name) + 1
    return Finding(value <= limit, value, limit)


def adds(case: Case) -> bool:
    """Whether the order would make a position larger that is there, or that this round's orders open."""
    held = case.held(case.order.name)
    return held * case.order.signed > ZERO and case.order.opened > ZERO


@rule(
    "COOLING_DOWN",
    "the position there was closed {value} s ago; {limit} s must pass before the next",
    "enter",
    unit="s",
)
def reentry(case: Case) -> Finding | None:
    """An order that closes a position and opens the other way comes back at once, as does one after a close."""
    order, closed_at = case.order, case.standing.closed_at.get(case.order.name)
    limit = order.rules.reentry_cooldown_s
    if not limit or not order.opened:
        return None
    if case.position is not None:
        return Finding(case.held(order.name) * order.signed > ZERO, 0, limit)
    if closed_at is None:
        return None
    passed_s = seconds(_opening(case) - closed_at)
    return Finding(passed_s >= limit, passed_s, limit)


@rule(
    "HOLD_TOO_SHORT",
    "the position has been open for {value} s; {limit} s must pass before it is closed",
    "enter",
    "reduce",
    unit="s",
)
def hold_min(case: Case) -> Finding | None:
    """Not of orders that wait for a trigger, which protect as an exit plan does, and not while trading is halted."""
    limit, position = case.order.rules.hold_min_s, case.position
    if not limit or position is None or case.order.trigger is not None or case.halted:
        return None
    if case.order.signed * position.quantity > ZERO:
        return None
    open_s = seconds(case.signal.effective_at - position.opened_at)
    return Finding(open_s >= limit, open_s, limit)


def _opening(case: Case) -> datetime:
    opening = case.facts.opening(case.signal.round)
    assert opening is not None
    return opening


def seconds(span: timedelta) -> Decimal:
    return Decimal(str(span.total_seconds()))
