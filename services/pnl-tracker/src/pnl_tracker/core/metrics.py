"""What a competitor achieved, as docs/reference/metrics.md defines it: formulas, units, and when a figure is null.

Equity is net of fees and funding. Ratios are of hourly returns and annualised over 365 days; drawdown and leverage are
of every minute. Decimal throughout, so that every machine gives the same digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, DecimalException
from itertools import pairwise
from statistics import median
from typing import Any

from pnl_tracker.core.money import WIDE, ZERO, mean, quotient
from pnl_tracker.core.trips import Trip

HOUR = timedelta(hours=1)
HOURS_A_YEAR = Decimal(365 * 24)
_LARGEST = Decimal(10) ** 20
"""What the wire carries: a figure beyond it says nothing and is null."""


@dataclass
class Series:
    """The equity of one account, minute by minute: folds points of any number in memory of one value an hour."""

    since: datetime
    capital: Decimal
    hours: list[Decimal] = field(default_factory=list)
    """Equity at the n-th full hour since the start; the capital is the 0-th."""
    max_drawdown: Decimal = ZERO
    below_peak: timedelta = timedelta()
    """The longest time from a peak until it was reached again, or until now."""
    last: Decimal = ZERO
    _peak: Decimal = ZERO
    _peak_at: datetime | None = None
    _exposure: Decimal = ZERO
    _weighted: Decimal = ZERO

    def __post_init__(self) -> None:
        self.hours, self.last, self._peak, self._peak_at = [self.capital], self.capital, self.capital, self.since

    def take(self, at: datetime, equity: Decimal, exposure: Decimal) -> None:
        """The next point; an hour without one keeps the value before it."""
        self.pass_to(at - timedelta(microseconds=1))
        self.last = equity
        self._draw_down(at, equity)
        if equity > 0:
            self._exposure += exposure
            self._weighted += quotient(exposure * exposure, equity)
        self.pass_to(at)

    def pass_to(self, at: datetime) -> None:
        while self.since + HOUR * len(self.hours) <= at:
            self.hours.append(self.last)

    @property
    def leverage(self) -> Decimal | None:
        """sum(exposure * exposure / equity) / sum(exposure)."""
        return quotient(self._weighted, self._exposure) if self._exposure else None

    def _draw_down(self, at: datetime, equity: Decimal) -> None:
        assert self._peak_at is not None
        if equity >= self._peak:
            self._peak, self._peak_at = equity, at
            return
        self.below_peak = max(self.below_peak, at - self._peak_at)
        if self._peak > 0:
            self.max_drawdown = max(self.max_drawdown, quotient(self._peak - equity, self._peak))


def of_series(series: Series) -> dict[str, Any]:
    returns = _returns(series.hours)
    found: dict[str, Any] = {
        "samples": max(0, len(series.hours) - 1),
        "total_return": quotient(series.last, series.capital) - 1 if series.capital else None,
        "max_drawdown": series.max_drawdown,
        "max_drawdown_s": int(series.below_peak.total_seconds()),
        "leverage": series.leverage,
    }
    if returns is not None and len(returns) >= 2:
        found |= _ratios(returns) | {"calmar": _calmar(series)}
    return {name: _told(value) for name, value in found.items()}


def of_trips(trips: Sequence[Trip]) -> dict[str, Any]:
    nets = [trip.net for trip in trips]
    if not nets:
        return {"trades": 0}
    won, lost = sum((net for net in nets if net > 0), ZERO), -sum((net for net in nets if net < 0), ZERO)
    holds = [Decimal((trip.closed_at - trip.opened_at) // timedelta(microseconds=1)) / 1_000_000 for trip in trips]
    sizes = [trip.size for trip in trips]
    found = {
        "win_rate": mean([Decimal(net > 0) for net in nets]),
        "profit_factor": quotient(won, lost) if lost else None,
        "expectancy": mean(nets),
        "average_hold_s": mean(holds),
        "median_hold_s": quotient(Decimal(median(holds)), Decimal(1)),
        "average_size": mean(sizes),
        "median_size": quotient(Decimal(median(sizes)), Decimal(1)),
        "long_share": mean([Decimal(trip.is_long) for trip in trips]),
    }
    return {"trades": len(trips)} | {name: _told(value) for name, value in found.items()}


def of_sums(*, capital: Decimal, gross: Decimal, fees: Decimal, funding: Decimal, turnover: Decimal) -> dict[str, Any]:
    """`gross`: realised and unrealised P&L before fees and funding."""
    found = {
        "turnover": quotient(turnover, capital) if capital else None,
        "fee_share": quotient(fees, gross) if gross > 0 else None,
        "funding_share": quotient(funding, gross) if gross > 0 else None,
    }
    return {name: _told(value) for name, value in found.items()}


def _returns(hours: Sequence[Decimal]) -> list[Decimal] | None:
    """None where the equity was lost: a return on nothing is no return."""
    if any(equity <= 0 for equity in hours[:-1]):
        return None
    return [WIDE.divide(later, earlier) - 1 for earlier, later in pairwise(hours)]


def _ratios(returns: Sequence[Decimal]) -> dict[str, Decimal | None]:
    mean = WIDE.divide(sum(returns, ZERO), Decimal(len(returns)))
    spread = WIDE.sqrt(
        WIDE.divide(sum(((r - mean) * (r - mean) for r in returns), ZERO), Decimal(len(returns) - 1))
    )  # fmt: skip
    down = WIDE.sqrt(WIDE.divide(sum((r * r for r in returns if r < 0), ZERO), Decimal(len(returns))))
    year = WIDE.sqrt(HOURS_A_YEAR)
    return {
        "volatility": spread * year,
        "sharpe": WIDE.divide(mean, spread) * year if spread else None,
        "sortino": WIDE.divide(mean, down) * year if down else None,
    }


def _calmar(series: Series) -> Decimal | None:
    """(growth ^ (1 / years) - 1) / max_drawdown; not before a day is full, nor without a drawdown."""
    hours = Decimal(len(series.hours) - 1)
    if hours < 24 or not series.max_drawdown or series.hours[-1] <= 0:
        return None
    try:
        growth = WIDE.power(WIDE.divide(series.hours[-1], series.capital), WIDE.divide(HOURS_A_YEAR, hours))
    except DecimalException:
        return None  # beyond all numbers
    return WIDE.divide(growth - 1, series.max_drawdown)


def _told(value: Any) -> Any:
    if not isinstance(value, Decimal):
        return value
    return quotient(value, Decimal(1)) if abs(value) < _LARGEST else None
