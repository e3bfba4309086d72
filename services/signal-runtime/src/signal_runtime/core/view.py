"""What a model is shown: one snapshot for all, its own portfolio, the rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from contracts.competition import CompetitorRegistered, DecisionRequested, SeasonChanged
from contracts.market import InstrumentListed, InstrumentSnapshot, MarketSnapshot
from contracts.portfolios import PortfolioUpdated, PositionView


@dataclass(frozen=True)
class Market:
    """One instrument of the season that has a price."""

    coin: str
    spec: InstrumentListed
    now: InstrumentSnapshot
    bid: Decimal
    ask: Decimal

    @property
    def price(self) -> Decimal:
        return (self.bid + self.ask) / 2


@dataclass(frozen=True)
class View:
    request: DecisionRequested
    season: SeasonChanged
    competitor: CompetitorRegistered
    snapshot: MarketSnapshot
    portfolio: PortfolioUpdated
    specs: Mapping[str, InstrumentListed]

    @cached_property
    def markets(self) -> tuple[Market, ...]:
        """In the order of the rules; an instrument without a book is left out."""
        shown = {entry.instrument: entry for entry in self.snapshot.instruments}
        wanted = [(shown.get(name), self.specs.get(name)) for name in self.season.rules.instruments]
        return tuple(
            Market(spec.base, spec, now, now.bid, now.ask)
            for now, spec in wanted
            if now is not None and spec is not None and now.bid is not None and now.ask is not None
        )

    @cached_property
    def positions(self) -> Mapping[str, PositionView]:
        """By instrument; flat ones are not there."""
        return {position.instrument: position for position in self.portfolio.positions if position.quantity}

    @property
    def seed(self) -> str:
        """The same for the same competitor and round, and for nothing else."""
        return f"{self.season.season_id}|{self.competitor.competitor_id}|{self.request.round}"


def last(series: Sequence[Decimal | None]) -> Decimal | None:
    """The newest value; null while the indicator is not warm."""
    return series[-1] if series else None
