"""What is written down of the accounts as time goes by: equity series, days, reports that are wanted."""

from dataclasses import dataclass, field
from datetime import datetime

from contracts.competition import SeasonChanged
from contracts.executions import AccountStated
from contracts.portfolios import DailyStatement, PortfolioUpdated

from pnl_tracker.core.margining import Listings
from pnl_tracker.core.portfolio import Account, Price
from pnl_tracker.core.reports import Wanted, metrics_wanted, reconciliation_wanted
from pnl_tracker.core.sampling import Sample, had, is_midnight, minute_at, runs
from pnl_tracker.core.statement import Opening

_SAMPLED = frozenset({"fill", "funding", "liquidation"})
"""Causes whose portfolios are points of the equity series; the minutes are sampled by themselves."""

Key = tuple[str, str]


@dataclass(slots=True)
class Diary:
    """Of one unit, since it was saved last."""

    samples: list[Sample] = field(default_factory=list)
    """Points of the equity series."""
    statements: list[DailyStatement] = field(default_factory=list)
    """To be said."""
    openings: dict[tuple[Key, datetime], Opening] = field(default_factory=dict)
    """Where accounts stood at midnights."""
    wanted: list[Wanted] = field(default_factory=list)
    """Reports to be made off the step."""
    minute: datetime | None = None
    """The last full minute that passed."""

    def told(self, portfolio: PortfolioUpdated) -> None:
        if portfolio.cause in _SAMPLED:
            self.samples.append(Sample(
                portfolio.season_id, portfolio.competitor_id, portfolio.at, portfolio.cause, portfolio.equity,
                portfolio.exposure_gross, portfolio.exposure_net,
            ))  # fmt: skip

    def look(self, account: Account, season: SeasonChanged, moment: datetime, price: Price, listings: Listings) -> bool:
        """The account at a full minute, its statement at midnight; whether a report of it is wanted now."""
        seen, before = account.seen(moment, price), len(self.wanted)
        if runs(season, moment):
            self.samples.append(seen)
        if season.ends_at is not None and moment == minute_at(season.ends_at):
            self.wanted.append(metrics_wanted(account, season, moment, "season", seen.equity))
        if is_midnight(moment) and had(season, moment):
            self.statements.append(account.close_day(moment, price, listings))
            assert account.opening is not None
            self.openings[account.key, moment] = account.opening
            self.wanted.append(metrics_wanted(account, season, moment, "day", seen.equity))
        return len(self.wanted) > before

    def compare(self, account: Account, event: AccountStated) -> None:
        self.wanted.append(reconciliation_wanted(account, event))

    def told_statements(self) -> list[DailyStatement]:
        """Those not said yet."""
        told, self.statements = self.statements, []
        return told
