"""What one competitor has at the venue: positions with their exact cost, sums of money, what it took from the book."""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from contracts.executions import Purpose
from contracts.margin import initial_margin
from contracts.money import ZERO, rounded, share, times
from contracts.signals import ExitPlan, MarginMode
from contracts.types import EPOCH, Side

from order_executor.core.orders import Order


class AccountKey(NamedTuple):
    competitor_id: str
    season_id: str


@dataclass(slots=True)
class Closing:
    """A close of the whole position began and is not done: it goes on at every mark, wherever the price went since."""

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
    margin_mode: MarginMode = "cross"
    margin: Decimal = ZERO
    """Isolated: what was set aside of the account's cash for this position alone."""
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
        released = _part_of(self.cost, -closed, self.quantity)
        self.cost += times(signed - closed, price) - released
        self.quantity += signed
        return rounded(-times(closed, price) - released) if closed else ZERO

    def set_aside(self, before: Decimal, signed: Decimal, price: Decimal, leverage: Decimal) -> None:
        """After a trade: what closed gives its share of the margin back, what opened adds notional / leverage."""
        held = abs(self.quantity)
        opened = held if before * self.quantity <= 0 else max(ZERO, held - abs(before))
        if before * signed < 0:
            kept = max(ZERO, abs(before) - abs(signed))
            self.margin = _part_of(self.margin, kept, abs(before))
        self.margin += initial_margin(opened, price, leverage)

    def _closed_by(self, signed: Decimal) -> Decimal:
        if self.quantity * signed >= 0:
            return ZERO
        return signed if abs(signed) <= abs(self.quantity) else -self.quantity


def _part_of(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """All of it goes with the last part, so that no rounding is left behind."""
    if part == of:
        return whole
    return share(whole, part, of) if part else ZERO


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
    capital: Decimal = ZERO
    """The season's: the opening balance."""
    realised_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    """Trading fees and liquidation fees."""
    liquidation_fees: Decimal = ZERO
    funding: Decimal = ZERO
    insurance: Decimal = ZERO
    """The account's own insurance fund: no part of its cash, and nobody else's."""
    written_off: Decimal = ZERO
    """What its liquidations were short of beyond the fund."""
    accepted: int = 0
    """Orders so far."""
    exits: int = 0
    """Orders of the venue's own making so far: the n-th has the same id in every replay."""
    fills: int = 0
    names: set[str] = field(default_factory=set)
    """Every client order id that came to its moment."""
    consumed: dict[str, Consumed] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[str, list[Order]] = field(default_factory=dict)
    """Working orders by instrument, the oldest first."""
    waiting: dict[str, list[Order]] = field(default_factory=dict)
    """Orders that wait for their trigger, likewise."""

    @property
    def key(self) -> AccountKey:
        return AccountKey(self.competitor_id, self.season_id)

    @property
    def cash(self) -> Decimal:
        """With what is set aside for isolated positions."""
        return self.capital + self.realised_pnl - self.fees - self.funding

    @property
    def held_positions(self) -> list[Position]:
        """By instrument: the same order in every process."""
        held = [position for position in self.positions.values() if position.quantity]
        return sorted(held, key=lambda each: each.instrument) if len(held) > 1 else held

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

    def keep(self, order: Order) -> None:
        """Among the working orders, or those that wait for their trigger."""
        insort(self._kept(order).setdefault(order.instrument, []), order, key=lambda each: each.number)

    def drop(self, order: Order) -> None:
        self._kept(order)[order.instrument].remove(order)

    def open_orders(self, instrument: str | None = None) -> Iterator[Order]:
        """Working and waiting, the oldest first of each."""
        for kept in (self.orders, self.waiting):
            for name in sorted(kept) if instrument is None else [instrument]:
                yield from list(kept.get(name, ()))

    def _kept(self, order: Order) -> dict[str, list[Order]]:
        return self.waiting if order.status == "waiting" else self.orders
