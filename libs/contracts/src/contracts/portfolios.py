"""What each competitor has, who leads, and the books."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.base import CompetitorEvent, Model, SeasonEvent
from contracts.evaluation import SignalsEvaluated
from contracts.signals import ExitPlan, MarginMode
from contracts.types import (
    CompetitorId,
    Count,
    InstrumentId,
    Label,
    Leverage,
    Name,
    Number,
    Price,
    Rate,
    Round,
    Sequence,
    SignedQuantity,
    Time,
    Usd,
    UsdSize,
)


class PositionView(Model):
    """An open position, valued at the mark price."""

    instrument: InstrumentId
    quantity: SignedQuantity
    entry_price: Price
    """Average entry."""
    mark_price: Price
    notional: UsdSize
    unrealised_pnl: Usd
    leverage: Leverage
    margin: UsdSize
    """notional / leverage."""
    liquidation_price: Price | None = None
    """The mark price at which it would be liquidated, all else as it is; null where there is none."""
    margin_mode: MarginMode = "cross"
    opened_at: Time
    exit_plan: ExitPlan | None = None


class PortfolioUpdated(CompetitorEvent):
    """equity = capital + realised_pnl + unrealised_pnl - fees - funding; cash is equity without unrealised_pnl."""

    topic: ClassVar[str] = "portfolios.v1"

    type: Literal["portfolio_updated"] = "portfolio_updated"
    seq: Sequence
    """Counted per competitor, without gaps."""
    round: Round | None = None
    """Set: the portfolio as of this round's opening, which the model is shown and the risk gate judges by."""
    cause: Literal["opened", "fill", "mark", "funding", "round", "liquidation"]
    capital: UsdSize
    equity: Usd
    cash: Usd
    realised_pnl: Usd
    unrealised_pnl: Usd
    fees: Usd
    funding: Usd
    margin_used: UsdSize
    margin_available: Usd
    exposure_gross: UsdSize
    exposure_net: Usd
    positions: Annotated[tuple[PositionView, ...], Field(max_length=100)] = ()
    trades: Count
    """Closed trades: from flat to flat, a flip counts as a close."""
    wins: Count
    fills: Count
    peak_equity: Usd
    max_drawdown: Rate
    """The largest fall from a peak so far, as a share of the peak; sampled at every mark and fill."""
    turnover: UsdSize
    books_balanced: bool
    """The ledger's entries add up to zero and explain the equity, and the last reconciliation found no difference."""
    liquidation_fees: UsdSize | None = None
    """In `fees` too."""
    maintenance_margin: UsdSize | None = None
    """Of all positions, by the tiers of their instruments."""
    margin_ratio: Number | None = None
    """Equity of the cross positions over what they require, maintenance margin and liquidation fee: at 1 the venue
    liquidates. Null without one."""
    leverage: Number | None = None
    """exposure_gross / equity; null where the equity is not above zero."""
    losing_streak: Count | None = None
    """Closed trades lost in a row until now."""
    day_opening_equity: Usd | None = None
    """Equity at the last 00:00 UTC, the capital before the first."""
    reconciled: bool | None = None
    """Whether venue, ledger and replay agreed when they were last compared; null before the first time."""


class LeaderboardRow(Model):
    rank: Annotated[int, Field(ge=1, le=10_000)]
    competitor_id: CompetitorId
    equity: Usd
    return_rate: Rate
    pnl: Usd
    realised_pnl: Usd
    unrealised_pnl: Usd
    fees: Usd
    funding: Usd
    max_drawdown: Rate
    win_rate: Rate | None
    """Null without a closed trade."""
    trades: Count
    fills: Count
    exposure_gross: UsdSize
    exposure_net: Usd


class LeaderboardUpdated(SeasonEvent):
    topic: ClassVar[str] = "leaderboard.v1"

    type: Literal["leaderboard_updated"] = "leaderboard_updated"
    rows: Annotated[tuple[LeaderboardRow, ...], Field(max_length=10_000)]
    books_balanced: bool


class StatementLine(Model):
    """What a day's entries of one category did to the equity; `insurance` and `write_off` stand beside it."""

    category: Literal[
        "deposit", "fee", "realised_pnl", "funding", "liquidation_fee", "insurance", "transfer", "write_off"
    ]
    amount: Usd
    """Above zero the equity rose; of `insurance` what its fund gained, of `write_off` what was missing beyond it."""
    entries: Count


class DailyStatement(CompetitorEvent):
    """closing_equity = opening_equity + unrealised_change + the lines, those of `insurance` and `write_off` apart."""

    topic: ClassVar[str] = "statements.v1"

    type: Literal["daily_statement"] = "daily_statement"
    day: date
    """UTC. What happens at the 00:00 that ends it belongs to it."""
    opening_equity: Usd
    closing_equity: Usd
    unrealised_change: Usd
    lines: Annotated[tuple[StatementLine, ...], Field(max_length=32)]
    positions: Annotated[tuple[PositionView, ...], Field(max_length=100)] = ()


class Difference(Model):
    subject: Label
    """`cash`, `position BTC-USDT-PERP` …"""
    venue: Number | None
    ledger: Number | None
    replay: Number | None


class ReconciliationReported(CompetitorEvent):
    """Three views of one account: the venue's, the ledger's, a replay of `executions.v1` from its start."""

    topic: ClassVar[str] = "statements.v1"

    type: Literal["reconciliation_reported"] = "reconciliation_reported"
    agrees: bool
    compared: Count
    differences: Annotated[tuple[Difference, ...], Field(max_length=200)] = ()
    detail: Name = "daily"


class MetricsReported(CompetitorEvent):
    """What a competitor achieved since the season began, net of fees and funding; docs/reference/metrics.md defines it.

    A figure that is not defined yet is null.
    """

    topic: ClassVar[str] = "statements.v1"

    type: Literal["metrics_reported"] = "metrics_reported"
    scope: Literal["day", "season"]
    """The UTC day ended, or the season did."""
    since: Time
    until: Time
    samples: Count
    """Hourly returns behind the ratios."""
    total_return: Number | None = None
    volatility: Number | None = None
    sharpe: Number | None = None
    sortino: Number | None = None
    calmar: Number | None = None
    max_drawdown: Rate | None = None
    max_drawdown_s: Count | None = None
    """Length of the longest time below a peak."""
    trades: Count
    win_rate: Rate | None = None
    profit_factor: Number | None = None
    expectancy: Number | None = None
    """USD a closed trade."""
    average_hold_s: Number | None = None
    median_hold_s: Number | None = None
    average_size: Number | None = None
    """USD of notional."""
    median_size: Number | None = None
    long_share: Rate | None = None
    turnover: Number | None = None
    """Times the capital."""
    fee_share: Number | None = None
    """Of the profit before fees and funding."""
    funding_share: Number | None = None
    leverage: Number | None = None
    """Weighted by exposure."""


StatementEvent = Annotated[
    DailyStatement | ReconciliationReported | MetricsReported | SignalsEvaluated, Field(discriminator="type")
]
