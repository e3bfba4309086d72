"""What every account must hold, worked out again from the executions and the marks alone."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from contracts.executions import FundingSettled, OrderFilled, PositionLiquidated
from contracts.market import MarkUpdated
from contracts.portfolios import PortfolioUpdated

ZERO = Decimal(0)


@dataclass
class Account:
    """cash = capital - cost of what was bought + proceeds of what was sold - fees (of liquidations too) - funding."""

    cash: Decimal
    positions: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def apply(self, event: Any) -> None:
        if isinstance(event, OrderFilled):
            signed = event.quantity if event.side == "buy" else -event.quantity
            self.positions[event.instrument] += signed
            self.cash -= signed * event.price + event.fee
        elif isinstance(event, FundingSettled):
            self.cash -= event.payment
        elif isinstance(event, PositionLiquidated):
            self.cash -= event.fee

    def equity(self, marks: Mapping[str, Decimal]) -> Decimal:
        return self.cash + sum((q * marks[name] for name, q in self.positions.items() if q), ZERO)


class Marks:
    """Mark prices by time."""

    def __init__(self) -> None:
        self._times: dict[str, list[datetime]] = defaultdict(list)
        self._prices: dict[str, list[Decimal]] = defaultdict(list)

    def add(self, event: MarkUpdated) -> None:
        self._times[event.instrument].append(event.at)
        self._prices[event.instrument].append(event.mark_price)

    def as_of(self, portfolio: PortfolioUpdated) -> dict[str, Decimal]:
        """Of every instrument that was ever marked, the mark the portfolio had to be valued at."""
        told = {view.instrument: view.mark_price for view in portfolio.positions}
        return {name: self._one(name, portfolio.at, told.get(name)) for name in self._times}

    def _one(self, instrument: str, at: datetime, told: Decimal | None) -> Decimal:
        times, prices = self._times[instrument], self._prices[instrument]
        upto = bisect_right(times, at)
        # marks of several instruments share one moment: between two of them a portfolio has one new and one old mark
        if 1 < upto <= len(times) and times[upto - 1] == at and told == prices[upto - 2]:
            return prices[upto - 2]
        return prices[max(upto - 1, 0)]


def equity_errors(
    portfolios: Mapping[str, PortfolioUpdated], executions: Sequence[Any], marks: Marks
) -> dict[str, Decimal]:
    """USD by which each competitor's last equity differs from what its own executions and the marks give."""
    accounts = {name: Account(cash=last.capital) for name, last in portfolios.items()}
    for event in executions:
        if (account := accounts.get(event.competitor_id)) is not None:
            account.apply(event)
    return {name: abs(accounts[name].equity(marks.as_of(last)) - last.equity) for name, last in portfolios.items()}
