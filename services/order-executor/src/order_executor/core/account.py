"""What one competitor has at the venue: positions with their exact cost, sums of money, what it took from the book."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from contracts.executions import Purpose
from contracts.money import ZERO, rounded, share, times
from contracts.signals import ExitPlan
from contracts.types import EPOCH, Side

from order_executor.core.orders import Order


class AccountKey(NamedTuple):
    competitor_id: str
    season_id: str


@dataclass(slots=True)
class Closing:
    """An exit was triggered and is not done: it goes on at every mark, wherever the price went since."""

    purpose: Purpose
    trigger_price: Decimal
    announced: bool = False
    """The refusal for want of a book was said once."""


@dataclass(slots=True)
class Position:
    instrument: str
    quantity: Decimal = ZERO
    """Above zero is long."""
    cost: Decimal = ZERO
    """Sum of quantity * price of what is held, signed as the quantity is. Average entry is cost / quantity."""
    leverage: Decimal = Decimal(1)
    opened_at: datetime = EPOCH
    exit_plan: ExitPlan | None = None
    closing: Closing | None = None
    traceparent: str = ""
    """Of the order that set the exit plan, or opened the position."""

    @property
    def entry_price(self) -> Decimal:
        return share(self.cost, Decimal(1), self.quantity) if self.quantity else ZERO

    @property
    def closing_side(self) -> Side:
        return "sell" if self.quantity > 0 else "buy"

    def trade(self, signed: Decimal, price: Decimal) -> Decimal:
        """Take a trade in; return the realised P&L. What crosses zero closes all and opens the rest at `price`."""
        closed = self._closed_by(signed)
        released = self._cost_of(-closed)
        self.cost += times(signed - closed, price) - released
        self.quantity += signed
        return rounded(-times(closed, price) - released) if closed else ZERO

    def _cost_of(self, held: Decimal) -> Decimal:
        """Closing everything releases all of the cost, so that no rounding is left behind."""
        if held == self.quantity:
            return self.cost
        return share(self.cost, held, self.quantity) if held else ZERO

    def _closed_by(self, signed: Decimal) -> Decimal:
        if self.quantity * signed >= 0:
            return ZERO
        return signed if abs(signed) <= abs(self.quantity) else -self.quantity


@dataclass(slots=True)
class Consumed:
    """What the competitor took of the displayed sizes of one book; void as soon as the book's sequence changes."""

    sequence: int
    bids: dict[Decimal, Decimal] = field(default_factory=dict)
    asks: dict[Decimal, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class Account:
    season_id: str
    competitor_id: str
    realised_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    accepted: int = 0
    """Orders so far."""
    exits: int = 0
    """Exit orders so far: the n-th has the same id in every replay."""
    consumed: dict[str, Consumed] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[str, list[Order]] = field(default_factory=dict)
    """Working orders by instrument, the oldest first."""

    @property
    def key(self) -> AccountKey:
        return AccountKey(self.competitor_id, self.season_id)

    def position(self, instrument: str) -> Position:
        if instrument not in self.positions:
            self.positions[instrument] = Position(instrument)
        return self.positions[instrument]

    def held(self, instrument: str) -> Decimal:
        position = self.positions.get(instrument)
        return position.quantity if position else ZERO

    def taken(self, instrument: str, sequence: int) -> Consumed:
        consumed = self.consumed.get(instrument)
        if consumed is None or consumed.sequence != sequence:
            consumed = self.consumed[instrument] = Consumed(sequence)
        return consumed

    def rest(self, order: Order) -> None:
        self.orders.setdefault(order.instrument, []).append(order)

    def unrest(self, order: Order) -> None:
        self.orders[order.instrument].remove(order)
