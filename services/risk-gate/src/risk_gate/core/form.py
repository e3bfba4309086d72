"""Is the order well formed: sizes, prices, triggers, times and exits as instrument and market allow them?"""

from decimal import Decimal

from contracts.money import ZERO
from contracts.types import Side

from risk_gate.core.engine import Finding, rule
from risk_gate.core.facts import Case
from risk_gate.core.steps import is_multiple


@rule("NO_POSITION", "", "reduce")
def position_to_reduce(case: Case) -> Finding:
    """The portfolio's, or for an order of its own size also what this round's orders open."""
    order, held = case.order, case.held(case.order.name)
    passed = order.quantity > 0 if case.signal.action == "close_position" else held * order.signed < 0
    what = "sells" if order.side == "sell" else "buys"
    return Finding(passed, held, words=f"{{value}} is held of {order.name}: nothing that an order which {what} reduces")


@rule("NO_POSITION", "there is no open position whose exits could change", "exits")
def position_to_exit(case: Case) -> Finding:
    held = ZERO if case.position is None else case.position.quantity
    return Finding(held != ZERO, held)


@rule("QUANTITY_BELOW_MIN", "{value} is less than {limit}, the least that may be ordered", "enter")
def quantity_min(case: Case) -> Finding:
    quantity, limit = case.order.quantity, case.order.instrument.quantity_min
    return Finding(quantity >= limit, quantity, limit)


@rule("QUANTITY_ABOVE_MAX", "{value} is more than {limit}, the most that may be ordered", "enter")
def quantity_max(case: Case) -> Finding:
    quantity, limit = case.order.quantity, case.order.instrument.quantity_max
    return Finding(quantity <= limit, quantity, limit)


@rule("QUANTITY_NOT_LOT", "{value} is no multiple of the lot {limit}", "enter", "reduce", "amend")
def quantity_lot(case: Case) -> Finding | None:
    """Whoever closes all of a position may sell what is less than a lot."""
    order = case.order
    if case.kind == "reduce" and order.quantity >= abs(case.held(order.name)):
        return None
    lot = order.instrument.lot_size
    return Finding(is_multiple(order.quantity, lot), order.quantity, lot)


@rule(
    "PRICE_NOT_TICK",
    "the limit price {value} is no multiple of the tick {limit}",
    "enter",
    "reduce",
    "amend",
    unit="USD",
)
def price_tick(case: Case) -> Finding | None:
    return _on_tick(case.order.limit_price, case.order.instrument.tick_size)


@rule(
    "PRICE_NOT_TICK",
    "the trigger price {value} is no multiple of the tick {limit}",
    "enter",
    "reduce",
    "amend",
    unit="USD",
)
def trigger_tick(case: Case) -> Finding | None:
    trigger = case.order.trigger
    return None if trigger is None else _on_tick(trigger.price, case.order.instrument.tick_size)


def _on_tick(price: Decimal | None, tick: Decimal) -> Finding | None:
    return None if price is None else Finding(is_multiple(price, tick), price, tick)


@rule("PRICE_MISSING", "", "enter", "reduce", "amend")
def trigger_price_known(case: Case) -> Finding | None:
    trigger = case.order.trigger
    if trigger is None:
        return None
    return Finding(_observed(case) is not None, words=f"the trigger is on the {trigger.on} price, which is not known")


@rule("TRIGGER_INVALID", "", "enter", "reduce", "amend", unit="USD")
def trigger_side(case: Case) -> Finding | None:
    """It waits for a price that is still to come: a stop for a worse one, a take profit for a better one."""
    order, observed = case.order, _observed(case)
    if order.trigger is None or observed is None:
        return None
    price, waits_above = order.trigger.price, (order.trigger.kind == "stop") == (order.side == "buy")
    where = "above" if waits_above else "below"
    kind = order.trigger.kind.replace("_", " ")
    what = f"the {kind} of an order to {order.side}"
    words = f"{what} must lie {where} the {order.trigger.on} price {{limit}}, not at {{value}}"
    return Finding(price > observed if waits_above else price < observed, price, observed, words)


def _observed(case: Case) -> Decimal | None:
    trigger, mark = case.order.trigger, case.facts.mark
    if trigger is None or trigger.on == "mark" or mark is None:
        return case.mark if trigger is not None and trigger.on == "mark" else None
    return mark.last_price if trigger.on == "last" else mark.index_price


@rule("PRICE_OUT_OF_BAND", "", "enter", "reduce", "amend", unit="USD")
def price_in_band(case: Case) -> Finding | None:
    order = case.order
    if (price := order.limit_price) is None:
        return None
    lowest, highest = order.band
    limit = lowest if price < lowest else highest
    side = "below the lowest" if price < lowest else "above the highest"
    words = f"the limit price {{value}} is {side} price {{limit}} at which {order.name} may trade now"
    return Finding(lowest <= price <= highest, price, limit, words)


@rule("EXPIRY_INVALID", "", "enter", "reduce", unit="s")
def expiry(case: Case) -> Finding | None:
    """It ends after it begins."""
    signal = case.signal
    if signal.expires_at is None:
        return None
    left_s = Decimal(str((signal.expires_at - signal.effective_at).total_seconds()))
    return Finding(left_s > 0, left_s, 0, "the order would expire {value} s after it reaches the venue")


@rule("EXIT_PLAN_INVALID", "", "enter", unit="USD")
def exit_plan(case: Case) -> Finding | None:
    """Target and stop lie on their own sides of the price at which the order is meant to trade.

    They are kept as they were said: triggers are compared with the mark, which knows no tick either.
    """
    plan, order = case.signal.exit_plan, case.order
    return None if plan is None else _exits(order.side, plan.take_profit, plan.stop_loss, order.reference)


@rule("EXIT_PLAN_INVALID", "", "exits", unit="USD")
def exit_changes(case: Case) -> Finding:
    changes, position, mark = case.signal.exit_changes, case.position, case.mark
    assert changes is not None
    assert position is not None
    assert mark is not None
    legs = ("take_profit", "stop_loss")
    both = [leg for leg in legs if leg in changes.drop and getattr(changes, leg) is not None]
    if "invalidation" in changes.drop and changes.invalidation_condition is not None:
        both.append("invalidation")
    if both:
        return Finding(False, words=f"{both[0]} is set and dropped in one change")
    return _exits("buy" if position.quantity > 0 else "sell", changes.take_profit, changes.stop_loss, mark)


def _exits(side: Side, target: Decimal | None, stop: Decimal | None, price: Decimal) -> Finding:
    """Of a position that `side` opens at `price`."""
    for leg, value, lies_above in (("take_profit", target, side == "buy"), ("stop_loss", stop, side == "sell")):
        if value is not None and (value <= price if lies_above else value >= price):
            where = "above" if lies_above else "below"
            return Finding(
                False, value, price, f"{leg} {{value}} must lie {where} {{limit}}, where the position trades"
            )
    return Finding(True, target if stop is None else stop, price)
