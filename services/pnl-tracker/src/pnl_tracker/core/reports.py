"""Reports that need more than the account at hand: the step writes down what is wanted, another task makes them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from contracts.base import Model
from contracts.competition import SeasonChanged
from contracts.executions import AccountStated
from contracts.types import Count, InstrumentId, SignedQuantity, Time, Usd, UsdSize

from pnl_tracker.core.portfolio import Account


class MetricsWanted(Model):
    """The sums of the account at `until`: the rest of its metrics comes from its series and its trades."""

    kind: Literal["metrics"] = "metrics"
    scope: Literal["day", "season"]
    since: Time
    until: Time
    capital: UsdSize
    realised_pnl: Usd
    unrealised_pnl: Usd
    fees: Usd
    funding: Usd
    turnover: UsdSize


class ReconciliationWanted(Model):
    """What the venue states, and the tracker's own counts at that place of the topic."""

    kind: Literal["reconciliation"] = "reconciliation"
    stated: AccountStated
    fills: Count
    quantities: Mapping[InstrumentId, SignedQuantity]


class Wanted(Model):
    season_id: str
    competitor_id: str
    at: datetime
    entries: int
    """How many of the account's entries that were not stored then belong to it."""
    report: MetricsWanted | ReconciliationWanted


def metrics_wanted(
    account: Account, season: SeasonChanged, until: datetime, scope: Literal["day", "season"], equity: Decimal
) -> Wanted:
    report = MetricsWanted.made(
        kind="metrics", scope=scope, since=season.starts_at, until=until, capital=account.capital,
        realised_pnl=account.realised_pnl, unrealised_pnl=equity - account.cash, fees=account.fees,
        funding=account.funding, turnover=account.turnover,
    )  # fmt: skip
    return _wanted(account, until, report)


def reconciliation_wanted(account: Account, event: AccountStated) -> Wanted:
    report = ReconciliationWanted.made(
        kind="reconciliation", stated=event, fills=account.fills,
        quantities={name: position.quantity for name, position in account.positions.items()},
    )  # fmt: skip
    return _wanted(account, event.at, report)


def _wanted(account: Account, at: datetime, report: MetricsWanted | ReconciliationWanted) -> Wanted:
    return Wanted.made(
        season_id=account.season_id, competitor_id=account.competitor_id, at=at,
        entries=len(account.ledger.fresh), report=report,
    )  # fmt: skip
