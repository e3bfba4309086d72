"""One trade: the order fills, the position and the sums move, the exit plan follows."""

from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from contracts.executions import OrderFilled
from contracts.money import ZERO, times

from order_executor.core.account import Account, Position
from order_executor.core.orders import Order
from order_executor.core.reports import about


class Trade(NamedTuple):
    price: Decimal
    quantity: Decimal
    liquidity: Literal["maker", "taker"]
    fee_rate: Decimal
    book_sequence: int


def clear(account: Account, order: Order, trade: Trade, at: datetime) -> OrderFilled:
    position = account.position(order.instrument)
    before, is_first = position.quantity, order.fills == 0
    realised = position.trade(order.signed(trade.quantity), trade.price)
    fee = times(trade.quantity, trade.price, trade.fee_rate)
    account.realised_pnl += realised
    account.fees += fee
    account.fills += 1
    trade_id = order.fill(trade.quantity)
    _follow(position, before, order, at, is_first=is_first)
    _set_aside(position, before, order, trade, realised)
    return OrderFilled(
        **about(order, at, trade_id),
        trade_id=trade_id,
        side=order.side,
        price=trade.price,
        quantity=trade.quantity,
        fee=fee,
        liquidity=trade.liquidity,
        remaining=order.remaining,
        leverage=order.leverage,
        purpose=order.purpose,
        book_sequence=trade.book_sequence,
        position_after=position.quantity,
        margin_mode=position.margin_mode,
        exit_plan=position.exit_plan,
    )


def _follow(position: Position, before: Decimal, order: Order, at: datetime, *, is_first: bool) -> None:
    """A new position has the plan of its order; a later entry with a plan replaces it, once; a reduction keeps it."""
    if position.quantity == ZERO:
        position.exit_plan, position.closing, position.traceparent = None, None, ""
    elif before * position.quantity <= ZERO:
        position.opened_at, position.leverage, position.closing = at, order.leverage, None
        position.margin_mode = order.margin_mode or "cross"
        position.exit_plan, position.traceparent = order.exit_plan, order.traceparent
    elif abs(position.quantity) > abs(before):
        position.leverage = order.leverage
        if is_first and order.exit_plan is not None:
            position.exit_plan, position.traceparent = order.exit_plan, order.traceparent


def _set_aside(position: Position, before: Decimal, order: Order, trade: Trade, realised: Decimal) -> None:
    """A liquidation releases nothing of an isolated margin: its loss stays within it."""
    if position.margin_mode == "cross":
        position.margin = ZERO
    elif order.purpose == "liquidation" and position.quantity:
        position.margin += realised
    else:
        position.set_aside(before, order.signed(trade.quantity), trade.price, order.leverage)
