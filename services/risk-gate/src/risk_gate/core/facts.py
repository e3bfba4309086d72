"""What the gate knows of the world when it judges one signal."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Literal

from contracts.competition import SeasonChanged
from contracts.market import BookUpdated, InstrumentListed, MarkUpdated
from contracts.money import ZERO
from contracts.portfolios import PortfolioUpdated, PositionView
from contracts.signals import SignalProposed

from risk_gate.core.control import ControlState
from risk_gate.core.exposure import Arena
from risk_gate.core.proposal import Proposal, propose
from risk_gate.core.standing import RestingOrder, Standing


@dataclass(frozen=True, slots=True)
class Facts:
    season: SeasonChanged | None = None
    instrument: InstrumentListed | None = None
    book: BookUpdated | None = None
    mark: MarkUpdated | None = None
    portfolio: PortfolioUpdated | None = None
    """As of the opening of the signal's round."""
    arena: Arena | None = None
    """All competitors as of that opening; None where no rule of the season looks at them."""
    control: ControlState | None = None
    """What operators have ordered in this season."""
    as_of: datetime | None = None
    """How far market time has come."""

    def opening(self, number: int) -> datetime | None:
        return self.season.opened_at(number) if self.season is not None else None


@dataclass(frozen=True)
class Case:
    """One signal before the gate, with all that is known of it."""

    signal: SignalProposed
    facts: Facts
    standing: Standing

    @cached_property
    def kind(self) -> Literal["enter", "reduce", "amend", "exits", "cancel"]:
        match self.signal.action:
            case "cancel_orders":
                return "cancel"
            case "change_exits":
                return "exits"
            case "close_position":
                return "reduce"
            case "amend_order":
                return "enter" if self.target is not None and self.target.grows_by(self.signal) else "amend"
            case _:
                return "reduce" if self.signal.reduce_only else "enter"

    @cached_property
    def order(self) -> Proposal:
        """Of an admitted case that is no cancel."""
        return propose(self)

    @property
    def target(self) -> RestingOrder | None:
        """The order that an amend means."""
        return self.standing.resting.get(self.signal.target_client_order_id)

    @property
    def halted(self) -> bool:
        """Operators or breakers keep this competitor from new risk in this instrument."""
        return self.operator_halt or self.standing.tripped is not None

    @property
    def operator_halt(self) -> bool:
        control = self.facts.control
        return control is not None and control.halted(self.signal.competitor_id, self.signal.instrument)

    @property
    def judged_at(self) -> datetime:
        """The moment for which prices must be fresh: the order's own, or now where that is still to come.

        In lockstep market time waits for the verdict; live it may have stopped, so the decision's own time counts too.
        """
        season, as_of = self.facts.season, self.facts.as_of
        if season is None or as_of is None:
            return self.signal.effective_at
        reached = as_of if season.clock == "lockstep" else max(as_of, self.signal.at)
        return min(self.signal.effective_at, reached)

    @property
    def mark(self) -> Decimal | None:
        """USD; where the market has none, a holder is let out by the mark of its portfolio."""
        if self.facts.mark is not None:
            return self.facts.mark.mark_price
        return self.position.mark_price if self.position is not None else None

    @cached_property
    def position(self) -> PositionView | None:
        return self.position_in(self.signal.instrument)

    def position_in(self, instrument: str | None) -> PositionView | None:
        positions = self.facts.portfolio.positions if self.facts.portfolio else ()
        return next((each for each in positions if each.instrument == instrument), None) if positions else None

    def held(self, instrument: str) -> Decimal:
        """Base units, above zero is long: the portfolio's, and what was approved since as if it were filled."""
        return self._portfolio_quantity(instrument) + self.standing.round_orders(instrument).net

    def extremes(self, instrument: str) -> tuple[Decimal, Decimal]:
        """Base units: the shortest and the longest position that this round's orders can lead to, whichever fill."""
        held, since = self._portfolio_quantity(instrument), self.standing.round_orders(instrument)
        closed = min(abs(since.reduced), abs(held)) if held * since.reduced < 0 else ZERO
        return held - since.sold - (closed if held > 0 else ZERO), held + since.bought + (closed if held < 0 else ZERO)

    def _portfolio_quantity(self, instrument: str) -> Decimal:
        position = self.position_in(instrument)
        return ZERO if position is None else position.quantity
