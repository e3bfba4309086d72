"""One instrument's position: signed quantity and exact cost. The average entry is only ever shown, never reckoned with.

Increase: cost += quantity * price. Reduction: the cost is released in proportion, so the average entry stays.
Flip: the old position is closed whole at the price, the rest opens a new one there.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from contracts.portfolios import PositionView
from contracts.signals import ExitPlan, MarginMode

from pnl_tracker.core.margining import Need
from pnl_tracker.core.money import ZERO, product, quotient, share


class Change(NamedTuple):
    """What one fill did, in USD."""

    cost: Decimal
    """Added to the position's cost."""
    realised: Decimal
    """Gross: fees are counted apart."""
    closed_net: Decimal | None
    """Set when the fill ended a round trip (flat to flat; a flip ends one): its realised P&L less its fees."""


@dataclass(slots=True)
class Position:
    instrument: str
    opened_at: datetime
    quantity: Decimal = ZERO
    """Base units, above zero is long."""
    cost: Decimal = ZERO
    """USD, of the quantity's sign."""
    last_price: Decimal = ZERO
    """Of its last fill: it is valued so until the first mark price is known."""
    trip_net: Decimal = ZERO
    """Realised P&L less fees since it was last flat."""
    leverage: Decimal = Decimal(1)
    margin_mode: MarginMode = "cross"
    exit_plan: ExitPlan | None = None
    shown: PositionView | None = None
    """How it was shown last, if nothing of it changed since: most fills leave the other positions alone."""
    need: Need | None = None
    """What the position needs as it is shown."""

    @property
    def entry_price(self) -> Decimal:
        return quotient(self.cost, self.quantity) if self.quantity else ZERO

    def view(self, mark: Decimal) -> PositionView:
        if self.shown is None or self.shown.mark_price != mark:
            self.need = None
            value = product(self.quantity, mark)
            self.shown = PositionView.made(
                instrument=self.instrument,
                quantity=self.quantity,
                entry_price=self.entry_price,
                mark_price=mark,
                notional=abs(value),
                unrealised_pnl=value - self.cost,
                leverage=self.leverage,
                margin=quotient(abs(value), self.leverage),
                liquidation_price=None,
                margin_mode=self.margin_mode,
                opened_at=self.opened_at,
                exit_plan=self.exit_plan,
            )
        return self.shown

    def fill(self, quantity: Decimal, price: Decimal, fee: Decimal, at: datetime) -> Change:
        """`quantity` is signed: above zero bought."""
        self.last_price, self.shown = price, None
        if not self.quantity:
            self.opened_at, self.trip_net = at, ZERO
        if self.quantity * quantity >= 0:
            self.trip_net -= fee
            return self._change(quantity, product(quantity, price), ZERO, None)
        if abs(quantity) < abs(self.quantity):
            return self._reduce(quantity, price, fee)
        return self._close(quantity, price, fee, at)

    def _reduce(self, quantity: Decimal, price: Decimal, fee: Decimal) -> Change:
        released = -share(self.cost, quantity, self.quantity)
        realised = -product(quantity, price) - released
        self.trip_net += realised - fee
        return self._change(quantity, -released, realised, None)

    def _close(self, quantity: Decimal, price: Decimal, fee: Decimal, at: datetime) -> Change:
        rest = self.quantity + quantity
        rest_fee = quotient(fee * rest, quantity)
        realised = product(self.quantity, price) - self.cost
        closed_net = self.trip_net + realised - (fee - rest_fee)
        self.opened_at, self.trip_net = at, -rest_fee
        return self._change(quantity, product(rest, price) - self.cost, realised, closed_net)

    def _change(self, quantity: Decimal, cost: Decimal, realised: Decimal, closed_net: Decimal | None) -> Change:
        self.quantity += quantity
        self.cost += cost
        return Change(cost, realised, closed_net)
