"""What each competitor has, who leads, and the books."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.base import CompetitorEvent, Model, SeasonEvent
from contracts.signals import ExitPlan
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
    """The ledger's entries add up to zero and explain the equity."""
    losing_streak: Count | None = None
    """Closed trades lost in a row until now."""
    day_opening_equity: Usd | None = None
    """Equity at the last 00:00 UTC, the capital before the first."""


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
    category: Literal[
        "deposit", "fee", "realised_pnl", "funding", "liquidation_fee", "insurance", "transfer", "write_off"
    ]
    amount: Usd
    entries: Count


class DailyStatement(CompetitorEvent):
    topic: ClassVar[str] = "statements.v1"

    type: Literal["daily_statement"] = "daily_statement"
    day: date
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


StatementEvent = Annotated[DailyStatement | ReconciliationReported, Field(discriminator="type")]
