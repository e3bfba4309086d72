"""Orders of the venue's own making: exits, what the gate orders closed, liquidations."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from contracts.base import Event, named_id
from contracts.executions import Purpose
from contracts.orders import LiquidationOrdered
from contracts.types import Side

from order_executor.core import reports
from order_executor.core.account import Account, Closing, Position
from order_executor.core.desk import Desk
from order_executor.core.exits import Reached
from order_executor.core.orders import Order

EXITS: tuple[Purpose, ...] = ("take_profit", "stop_loss", "invalidation")


class Closer:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def close(self, account: Account, position: Position, reached: Reached, at: datetime) -> Sequence[Event]:
        """One attempt to close the whole position against the book of this moment, not at the trigger.

        What the book cannot take now is tried again at the next mark; where there is no book, that is said once.
        """
        closing = position.closing
        assert closing is not None
        order = own_order(account, position, reached.purpose, at)
        if self._desk.admission.to_book(account, order) is not None:
            if closing.announced:
                return []
            closing.announced = True
        elif not self._desk.found(account, order).takes:
            return []
        account.exits += 1
        said = [reports.triggered(order, at, reached, order.quantity)] if reached.purpose in EXITS else []
        return [*said, *self._desk.execute(account, order, at)]

    def ordered(self, account: Account, event: LiquidationOrdered, at: datetime) -> Sequence[Event]:
        """At market without a band. A whole position is closed like an exit: until it is done."""
        position = account.position(event.instrument)
        if position.quantity and event.side == position.closing_side and event.quantity >= abs(position.quantity):
            price = position.entry_price
            position.closing = Closing("flatten", price)
            return self.close(account, position, Reached("flatten", price, price), at)
        account.exits += 1
        order = own_order(account, position, "flatten", at, event.side, event.quantity, event.event_id)
        order.traceparent = event.traceparent
        return self._desk.execute(account, order, at)


def own_order(
    account: Account, position: Position, purpose: Purpose, at: datetime, side: Side | None = None,
    quantity: Decimal | None = None, order_id: UUID | None = None,
) -> Order:  # fmt: skip
    """Reduce-only, at market, bound by no band; all of the position where nothing else is said."""
    names = account.season_id, account.competitor_id, account.exits + 1
    return Order(
        order_id=order_id or named_id("exit", *names),
        season_id=account.season_id,
        competitor_id=account.competitor_id,
        round=None,
        part=0,
        instrument=position.instrument,
        side=side or position.closing_side,
        quantity=quantity or abs(position.quantity),
        order_type="market",
        limit_price=None,
        time_in_force="IOC",
        reduce_only=True,
        leverage=position.leverage,
        price_min=None,
        price_max=None,
        purpose=purpose,
        effective_at=at,
        traceparent=position.traceparent,
    )
