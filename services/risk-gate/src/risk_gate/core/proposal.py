"""The order that a signal would become, with the numbers by which it is judged."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from contracts.competition import SeasonRules
from contracts.market import InstrumentListed
from contracts.money import ZERO, ratio, times
from contracts.portfolios import PortfolioUpdated
from contracts.signals import SignalProposed, Trigger
from contracts.types import Side

from risk_gate.core.bands import Band, band
from risk_gate.core.standing import RestingOrder

if TYPE_CHECKING:
    from risk_gate.core.facts import Case


@dataclass(frozen=True)
class Proposal:
    case: "Case"
    rules: SeasonRules
    instrument: InstrumentListed
    mark: Decimal
    side: Side
    quantity: Decimal
    leverage: Decimal
    reduce_only: bool
    limit_price: Decimal | None
    trigger: Trigger | None

    @property
    def name(self) -> str:
        assert self.case.signal.instrument is not None
        return self.case.signal.instrument

    @property
    def portfolio(self) -> PortfolioUpdated:
        portfolio = self.case.facts.portfolio
        assert portfolio is not None
        return portfolio

    @property
    def index(self) -> Decimal | None:
        return self.case.facts.mark.index_price if self.case.facts.mark is not None else None

    @cached_property
    def band(self) -> Band:
        """The lowest and highest price at which it may fill: about the market's, or the one that it waits for."""
        if self.trigger is not None:
            return band(self.rules, self.instrument, self.trigger.price, None)
        return band(self.rules, self.instrument, self.mark, self.index)

    @property
    def basis(self) -> Decimal:
        """The price of the market in which it would fill: the mark, or the one that it waits for."""
        return self.mark if self.trigger is None else self.trigger.price

    @property
    def reference(self) -> Decimal:
        """The price at which the order is meant to trade."""
        return self.basis if self.limit_price is None else self.limit_price

    @property
    def worst(self) -> Decimal:
        """The worst price at which the order can fill."""
        if self.limit_price is not None:
            return self.limit_price
        return self.band.highest if self.side == "buy" else self.band.lowest

    @property
    def rests(self) -> bool:
        """Whether the venue may keep it."""
        waits = self.limit_price is not None and self.case.signal.time_in_force in ("GTC", "POST_ONLY")
        return waits or self.trigger is not None

    @property
    def signed(self) -> Decimal:
        return self.quantity if self.side == "buy" else -self.quantity

    @cached_property
    def size(self) -> Decimal:
        """Base units of the largest position on the order's side that this round can lead to, the order filled."""
        shortest, longest = self.case.extremes(self.name)
        return max(ZERO, longest + self.quantity if self.side == "buy" else self.quantity - shortest)

    @cached_property
    def opened(self) -> Decimal:
        """Base units by which the order can make a position larger, or open one the other way."""
        if self.reduce_only:
            return ZERO
        shortest, longest = self.case.extremes(self.name)
        return self.size - max(ZERO, longest if self.side == "buy" else -shortest)

    @property
    def notional(self) -> Decimal:
        """USD at the price at which it is meant to trade."""
        return times(self.quantity, self.reference)

    @cached_property
    def margin_needed(self) -> Decimal:
        """USD of free margin that is gone after the worst fill.

        Initial margin of what is opened, at the mark; what the worst fill loses against the mark; the taker fee.
        """
        basis = self.basis
        adverse = self.worst - basis if self.side == "buy" else basis - self.worst
        fee_rate = self.rules.taker_fee_rate
        fee_rate = self.instrument.taker_fee_rate if fee_rate is None else fee_rate
        initial = ratio(times(self.opened, basis), self.leverage)
        return (
            initial + times(self.quantity, max(ZERO, adverse)) + times(self.quantity, max(self.worst, basis), fee_rate)
        )

    @property
    def margin_released(self) -> Decimal:
        """USD that comes free with what a market order closes; what rests may never fill, so it releases nothing."""
        position = self.case.position
        if position is None or self.limit_price is not None or self.trigger is not None:
            return ZERO
        if self.signed * position.quantity >= 0:
            return ZERO
        closed = min(self.quantity, abs(position.quantity), abs(self.case.held(self.name)))
        return times(position.margin, ratio(closed, abs(position.quantity)))


def propose(case: "Case") -> Proposal:
    signal, season, instrument, mark = case.signal, case.facts.season, case.facts.instrument, case.mark
    assert season is not None
    assert instrument is not None
    assert mark is not None
    if signal.action == "amend_order":
        assert case.target is not None
        return _amended(case, season.rules, instrument, mark, case.target)
    side, quantity = _asked(case)
    position = case.position
    inherited = position.leverage if position is not None and signal.reduce_only else Decimal(1)
    closes = signal.action == "close_position"
    return Proposal(
        case=case,
        rules=season.rules,
        instrument=instrument,
        mark=mark,
        side=side,
        quantity=quantity,
        leverage=position.leverage if closes and position is not None else signal.leverage or inherited,
        reduce_only=closes or signal.reduce_only,
        limit_price=None if closes else signal.limit_price,
        trigger=signal.trigger,
    )


def _asked(case: "Case") -> tuple[Side, Decimal]:
    """A close is of the whole position."""
    signal, position = case.signal, case.position
    if signal.action == "close_position":
        held = position.quantity if position is not None else ZERO
        return "sell" if held > 0 else "buy", abs(held)
    assert signal.quantity is not None
    return "buy" if signal.action == "buy_to_enter" else "sell", signal.quantity


def _amended(
    case: "Case", rules: SeasonRules, instrument: InstrumentListed, mark: Decimal, target: RestingOrder
) -> Proposal:
    signal = case.signal
    return Proposal(
        case=case,
        rules=rules,
        instrument=instrument,
        mark=mark,
        side=target.side,
        quantity=signal.quantity or target.quantity,
        leverage=target.leverage,
        reduce_only=target.reduce_only,
        limit_price=signal.limit_price or target.limit_price,
        trigger=moved(target.trigger, signal),
    )


def moved(trigger: Trigger | None, amend: SignalProposed) -> Trigger | None:
    """An amend moves the trigger's price, no more."""
    if trigger is None or amend.trigger is None:
        return trigger
    return trigger.model_copy(update={"price": amend.trigger.price})
