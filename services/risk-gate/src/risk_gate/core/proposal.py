"""The order that a signal would become, with the numbers by which it is judged."""

from dataclasses import dataclass
from decimal import Decimal

from contracts.competition import SeasonRules
from contracts.market import InstrumentListed
from contracts.money import ZERO, ratio, times
from contracts.orders import Check
from contracts.portfolios import PortfolioUpdated
from contracts.types import Side

from risk_gate.core.facts import Case
from risk_gate.core.steps import down_to_step, up_to_step
from risk_gate.core.verdicts import Rejection


@dataclass(frozen=True, slots=True)
class Proposal:
    case: Case
    rules: SeasonRules
    instrument: InstrumentListed
    portfolio: PortfolioUpdated
    mark: Decimal
    side: Side
    quantity: Decimal
    reduce_only: bool
    leverage: Decimal
    price_min: Decimal
    price_max: Decimal

    @property
    def name(self) -> str:
        assert self.case.signal.instrument is not None
        return self.case.signal.instrument

    @property
    def limit_price(self) -> Decimal | None:
        return None if self.reduce_only else self.case.signal.limit_price

    @property
    def reference(self) -> Decimal:
        """The price at which the order is meant to trade: its limit, else the mark."""
        return self.mark if self.limit_price is None else self.limit_price

    @property
    def worst(self) -> Decimal:
        """The worst price at which the order can fill."""
        if self.limit_price is not None:
            return self.limit_price
        return self.price_max if self.side == "buy" else self.price_min

    @property
    def signed(self) -> Decimal:
        return self.quantity if self.side == "buy" else -self.quantity

    @property
    def before(self) -> Decimal:
        return self.case.held(self.name)

    @property
    def after(self) -> Decimal:
        return self.before + self.signed

    @property
    def opened(self) -> Decimal:
        """Base units by which the order can make a position larger, or open one the other way."""
        if self.reduce_only:
            return ZERO
        if self.before * self.after < 0:
            return abs(self.after)
        return max(ZERO, abs(self.after) - abs(self.before))

    @property
    def notional(self) -> Decimal:
        """USD at the price at which it is meant to trade."""
        return times(self.quantity, self.reference)

    @property
    def margin_needed(self) -> Decimal:
        """USD of free margin that is gone after the worst fill.

        Initial margin of what is opened, at the mark; what the worst fill loses against the mark; the taker fee.
        """
        adverse = self.worst - self.mark if self.side == "buy" else self.mark - self.worst
        fee_rate = self.rules.taker_fee_rate
        fee_rate = self.instrument.taker_fee_rate if fee_rate is None else fee_rate
        initial = ratio(times(self.opened, self.mark), self.leverage)
        return (
            initial
            + times(self.quantity, max(ZERO, adverse))
            + times(self.quantity, max(self.worst, self.mark), fee_rate)
        )

    @property
    def margin_released(self) -> Decimal:
        """USD that comes free with what a market order closes; a limit order may never fill, so it releases nothing."""
        position = self.case.position
        if position is None or self.limit_price is not None or self.signed * position.quantity >= 0:
            return ZERO
        closed = min(self.quantity, abs(position.quantity), abs(self.before))
        return times(position.margin, ratio(closed, abs(position.quantity)))


def propose(case: Case) -> Proposal | Rejection:
    """Of an admitted case; closing what is not held is rejected."""
    facts, signal = case.facts, case.signal
    assert facts.season is not None
    assert facts.instrument is not None
    assert facts.portfolio is not None
    assert facts.mark is not None
    position, mark, tick = case.position, facts.mark.mark_price, facts.instrument.tick_size
    closes = signal.action == "close_position"
    if closes and position is None:
        return Rejection("NO_POSITION", Check(rule="has_position", passed=False, value=ZERO, unit=""))
    if closes and position is not None:
        side: Side = "sell" if position.quantity > 0 else "buy"
        quantity, leverage = abs(position.quantity), position.leverage
    else:
        assert signal.quantity is not None
        side = "buy" if signal.action == "buy_to_enter" else "sell"
        quantity, leverage = signal.quantity, signal.leverage or Decimal(1)
    band = facts.season.rules.price_band
    return Proposal(
        case=case,
        rules=facts.season.rules,
        instrument=facts.instrument,
        portfolio=facts.portfolio,
        mark=mark,
        side=side,
        quantity=quantity,
        reduce_only=closes,
        leverage=leverage,
        # inside the band, never below one tick
        price_min=max(tick, up_to_step(times(mark, 1 - band), tick)),
        price_max=max(tick, down_to_step(times(mark, 1 + band), tick)),
    )
