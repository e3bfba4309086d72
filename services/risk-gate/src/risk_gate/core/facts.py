"""What the gate knows of the world when it judges one signal."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from contracts.competition import SeasonChanged
from contracts.market import BookUpdated, InstrumentListed, MarkUpdated
from contracts.portfolios import PortfolioUpdated, PositionView
from contracts.signals import SignalProposed

from risk_gate.core.standing import Standing


@dataclass(frozen=True, slots=True)
class Facts:
    season: SeasonChanged | None = None
    instrument: InstrumentListed | None = None
    book: BookUpdated | None = None
    mark: MarkUpdated | None = None
    portfolio: PortfolioUpdated | None = None
    """As of the opening of the signal's round."""
    as_of: datetime | None = None
    """How far market time has come."""


@dataclass(frozen=True, slots=True)
class Case:
    """One signal before the gate, with all that is known of it."""

    signal: SignalProposed
    facts: Facts
    standing: Standing

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
    def position(self) -> PositionView | None:
        positions = self.facts.portfolio.positions if self.facts.portfolio else ()
        return next((each for each in positions if each.instrument == self.signal.instrument), None)

    def held(self, instrument: str) -> Decimal:
        """The portfolio's position and what was approved since, above zero is long."""
        positions = self.facts.portfolio.positions if self.facts.portfolio else ()
        quantity = sum((each.quantity for each in positions if each.instrument == instrument), Decimal(0))
        return quantity + self.standing.approved_quantity.get(instrument, Decimal(0))
