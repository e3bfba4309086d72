"""When an exit plan closes its position: the stop before the target where both are reached at once."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from contracts.executions import Purpose
from contracts.market import BarClosed, MarkUpdated
from contracts.signals import Condition, ExitChanges, ExitPlan, Leg, TriggerPrice

from order_executor.core.account import Position

_LEGS: dict[Leg, str] = {
    "take_profit": "take_profit", "stop_loss": "stop_loss", "invalidation": "invalidation_condition",
}  # fmt: skip
_SECONDS = {"1m": 60, "3m": 180, "5m": 300, "15m": 900, "1h": 3_600, "4h": 14_400}


class Reached(NamedTuple):
    """What closes a position, at which price, and where the price was."""

    purpose: Purpose
    trigger_price: Decimal
    observed_price: Decimal


Find = Callable[[Position], Reached | None]


def on_mark(position: Position, mark: MarkUpdated) -> Reached | None:
    plan = position.exit_plan
    if plan is None or not position.quantity:
        return None
    price = observed(plan.trigger, mark)
    is_long = position.quantity > 0
    if plan.stop_loss is not None and (price <= plan.stop_loss if is_long else price >= plan.stop_loss):
        return Reached("stop_loss", plan.stop_loss, price)
    condition = plan.invalidation_condition
    if condition is not None and condition.interval is None and _holds(condition, mark.mark_price):
        return Reached("invalidation", condition.price, mark.mark_price)
    if plan.take_profit is not None and (price >= plan.take_profit if is_long else price <= plan.take_profit):
        return Reached("take_profit", plan.take_profit, price)
    return None


def on_bar(position: Position, bar: BarClosed) -> Reached | None:
    condition = position.exit_plan.invalidation_condition if position.exit_plan else None
    if condition is None or not position.quantity or not _closes(condition, bar) or not _holds(condition, bar.close):
        return None
    return Reached("invalidation", condition.price, bar.close)


def observed(on: TriggerPrice, mark: MarkUpdated) -> Decimal:
    """A venue that gives no last or index price is no reason to lose a stop: the mark stands in."""
    prices = {"mark": mark.mark_price, "last": mark.last_price, "index": mark.index_price}
    return prices[on] or mark.mark_price


def changed(plan: ExitPlan | None, changes: ExitChanges) -> ExitPlan | None:
    """The plan with single legs changed or dropped; what is not named stays. None where no leg is left."""
    legs = (plan or ExitPlan()).model_dump()
    named = {name: value for name, value in changes if name != "drop" and value is not None}
    dropped = {_LEGS[leg]: None for leg in changes.drop}
    after = ExitPlan.model_validate(legs | named | dropped)
    return after if any(getattr(after, name) is not None for name in _LEGS.values()) else None


def _closes(condition: Condition, bar: BarClosed) -> bool:
    """The last minute of an interval closes at the interval's own closing price."""
    if condition.interval is None:
        return False
    return bar.interval == condition.interval or (
        bar.interval == "1m" and _is_end(bar.at, _SECONDS[condition.interval])
    )


def _is_end(at: datetime, seconds: int) -> bool:
    return at.microsecond == 0 and int(at.timestamp()) % seconds == 0


def _holds(condition: Condition, price: Decimal) -> bool:
    return price < condition.price if condition.comparison == "below" else price > condition.price
