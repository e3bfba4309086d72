"""May this order be worked: what the instrument allows, what the season allows, what the account can bear.

Closing a position is judged for none of them: a competitor may always get out.
"""

from contracts.money import ZERO, times
from contracts.orders import Check

from risk_gate.core.proposal import Proposal
from risk_gate.core.steps import is_multiple
from risk_gate.core.verdicts import Rejection, Rule, held_against

Result = Check | Rejection | None


def quantity_min(order: Proposal) -> Result:
    limit = order.instrument.quantity_min
    passed = order.quantity >= limit
    return held_against("quantity_min", "QUANTITY_BELOW_MIN", passed=passed, value=order.quantity, limit=limit)


def quantity_max(order: Proposal) -> Result:
    limit = order.instrument.quantity_max
    passed = order.quantity <= limit
    return held_against("quantity_max", "QUANTITY_ABOVE_MAX", passed=passed, value=order.quantity, limit=limit)


def quantity_lot(order: Proposal) -> Result:
    lot = order.instrument.lot_size
    passed = is_multiple(order.quantity, lot)
    return held_against("quantity_lot", "QUANTITY_NOT_LOT", passed=passed, value=order.quantity, limit=lot)


def price_tick(order: Proposal) -> Result:
    price, tick = order.limit_price, order.instrument.tick_size
    if price is None:
        return None
    passed = is_multiple(price, tick)
    return held_against("price_tick", "PRICE_NOT_TICK", passed=passed, value=price, limit=tick, unit="USD")


def price_in_band(order: Proposal) -> Result:
    price = order.limit_price
    if price is None:
        return None
    limit = order.price_min if price < order.price_min else order.price_max
    passed = order.price_min <= price <= order.price_max
    return held_against("price_in_band", "PRICE_OUT_OF_BAND", passed=passed, value=price, limit=limit, unit="USD")


def leverage_max(order: Proposal) -> Result:
    limit = min(order.rules.leverage_max, order.instrument.leverage_max)
    passed = order.leverage <= limit
    return held_against(
        "leverage_max", "LEVERAGE_ABOVE_MAX", passed=passed, value=order.leverage, limit=limit, unit="x"
    )


def exit_plan(order: Proposal) -> Result:
    """Target and stop lie on their own sides of the price at which the order is meant to trade.

    They are kept as they were said: triggers are compared with the mark, which knows no tick either.
    """
    plan = order.case.signal.exit_plan
    if plan is None:
        return None
    above, below = (plan.take_profit, plan.stop_loss) if order.side == "buy" else (plan.stop_loss, plan.take_profit)
    wrong = above if above is not None and above <= order.reference else None
    wrong = below if below is not None and below >= order.reference else wrong
    legs = {plan.take_profit: "take_profit", plan.stop_loss: "stop_loss"}
    detail = f"{legs.get(wrong)} is on the wrong side" if wrong is not None else ""
    value = plan.stop_loss if wrong is None else wrong
    return held_against(
        "exit_plan", "EXIT_PLAN_INVALID", passed=wrong is None, value=value, limit=order.reference, unit="USD",
        detail=detail,
    )  # fmt: skip


def notional_min(order: Proposal) -> Result:
    limit, value = order.instrument.notional_min, order.notional
    return held_against(
        "notional_min", "NOTIONAL_BELOW_MIN", passed=value >= limit, value=value, limit=limit, unit="USD"
    )


def notional_max(order: Proposal) -> Result:
    limit, value = order.rules.order_notional_max, order.notional
    return held_against(
        "notional_max", "NOTIONAL_ABOVE_MAX", passed=value <= limit, value=value, limit=limit, unit="USD"
    )


def position_max(order: Proposal) -> Result:
    """At the mark, counting the round's orders as filled; an order that only reduces may leave any size behind."""
    if not order.opened:
        return None
    limit, value = order.rules.position_notional_max, times(abs(order.after), order.mark)
    return held_against(
        "position_max", "POSITION_ABOVE_MAX", passed=value <= limit, value=value, limit=limit, unit="USD"
    )


def positions_max(order: Proposal) -> Result:
    if order.before or not order.opened:
        return None
    names = {each.instrument for each in order.portfolio.positions} | set(order.case.standing.approved_quantity)
    value, limit = sum(order.case.held(name) != ZERO for name in names) + 1, order.rules.positions_max
    return held_against("positions_max", "POSITIONS_ABOVE_MAX", passed=value <= limit, value=value, limit=limit)


def margin(order: Proposal) -> Result:
    """Free margin of the round's portfolio, less what the orders approved since may use up."""
    if not order.opened:
        return None
    free = order.portfolio.margin_available - order.case.standing.approved_margin + order.margin_released
    needed = order.margin_needed
    return held_against("margin", "MARGIN_INSUFFICIENT", passed=needed <= free, value=needed, limit=free, unit="USD")


LIMITS: tuple[Rule[Proposal], ...] = (
    quantity_min, quantity_max, quantity_lot, price_tick, price_in_band, leverage_max, exit_plan, notional_min,
    notional_max, position_max, positions_max, margin,
)  # fmt: skip
