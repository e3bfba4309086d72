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
    account.realised_pnl += position.trade(order.signed(trade.quantity), trade.price)
    fee = times(trade.quantity, trade.price, trade.fee_rate)
    account.fees += fee
    trade_id = order.fill(trade.quantity)
    _follow(position, before, order, at, is_first=is_first)
    return OrderFilled(
        **about(order, at, f"fill/{order.fills}"),
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
        exit_plan=position.exit_plan,
    )


def _follow(position: Position, before: Decimal, order: Order, at: datetime, *, is_first: bool) -> None:
    """A new position has the plan of its order; a later entry with a plan replaces it, once; a reduction keeps it."""
    if position.quantity == ZERO:
        position.exit_plan, position.closing, position.traceparent = None, None, ""
    elif before * position.quantity <= ZERO:
        position.opened_at, position.leverage, position.closing = at, order.leverage, None
        position.exit_plan, position.traceparent = order.exit_plan, order.traceparent
    elif abs(position.quantity) > abs(before):
        position.leverage = order.leverage
        if is_first and order.exit_plan is not None:
            position.exit_plan, position.traceparent = order.exit_plan, order.traceparent
