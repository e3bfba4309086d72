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


class Prices(NamedTuple):
    """What a mark or a trade says of the prices that triggers look at; None: nothing."""

    mark_price: Decimal | None
    last_price: Decimal | None
    index_price: Decimal | None


Find = Callable[[Position], Reached | None]


def on_prices(position: Position, prices: Prices) -> Reached | None:
    plan = position.exit_plan
    if plan is None or not position.quantity:
        return None
    price, is_long = observed(plan.trigger, prices), position.quantity > 0
    if price is None:
        return None
    if plan.stop_loss is not None and (price <= plan.stop_loss if is_long else price >= plan.stop_loss):
        return Reached("stop_loss", plan.stop_loss, price)
    condition, at_mark = plan.invalidation_condition, prices.mark_price
    if condition is not None and condition.interval is None and at_mark and _holds(condition, at_mark):
        return Reached("invalidation", condition.price, at_mark)
    if plan.take_profit is not None and (price >= plan.take_profit if is_long else price <= plan.take_profit):
        return Reached("take_profit", plan.take_profit, price)
    return None


def on_bar(position: Position, bar: BarClosed) -> Reached | None:
    condition = position.exit_plan.invalidation_condition if position.exit_plan else None
    if condition is None or not position.quantity or not _closes(condition, bar) or not _holds(condition, bar.close):
        return None
    return Reached("invalidation", condition.price, bar.close)


def of_mark(mark: MarkUpdated, printed: Decimal | None) -> Prices:
    """The last price is the last trade's. A venue that gives none is no reason to lose a stop: the mark stands in."""
    price = mark.mark_price
    return Prices(price, printed or mark.last_price or price, mark.index_price or price)


def of_trade(price: Decimal) -> Prices:
    return Prices(None, price, None)


def observed(on: TriggerPrice, prices: Prices) -> Decimal | None:
    return {"mark": prices.mark_price, "last": prices.last_price, "index": prices.index_price}[on]


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
