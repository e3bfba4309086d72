"""What is said of a competitor beside its raw portfolio."""

from decimal import ROUND_HALF_EVEN, Decimal

from contracts.base import Model
from contracts.competition import CompetitorRegistered, Kind
from contracts.portfolios import PortfolioUpdated
from contracts.types import CompetitorId, Count, Name, Rate, Usd, UsdSize

from dashboard_api.queries import ModelFigures

_PLACES = Decimal("1e-12")


class PortfolioMetrics(Model):
    """Ratios: 0.01 is one per cent. Null where there is nothing to divide by."""

    return_rate: Rate | None
    pnl: Usd
    """After fees and funding, open positions at the mark price."""
    win_rate: Rate | None
    """Of closed trades."""
    max_drawdown: Rate
    drawdown: Rate | None
    """From the peak, now."""
    leverage: Rate | None
    """Gross exposure divided by equity."""
    error_usd: UsdSize
    """How far equity is from capital + realised + unrealised - fees - funding; 0 where the books are right."""


class ModelMetrics(Model):
    """Latencies in milliseconds, over answered rounds."""

    competitor_id: CompetitorId
    name: Name
    kind: Kind
    model: str
    active: bool
    equity: Usd | None
    return_rate: Rate | None
    pnl: Usd | None
    fees: Usd | None
    funding: Usd | None
    win_rate: Rate | None
    trades: Count
    fills: Count
    max_drawdown: Rate | None
    decisions: Count
    missed: Count
    decision_latency_p50_ms: float | None
    decision_latency_p99_ms: float | None


def of_portfolio(portfolio: PortfolioUpdated) -> PortfolioMetrics:
    equity, capital, peak = portfolio.equity, portfolio.capital, portfolio.peak_equity
    explained = capital + portfolio.realised_pnl + portfolio.unrealised_pnl - portfolio.fees - portfolio.funding
    return PortfolioMetrics(
        return_rate=ratio(equity - capital, capital),
        pnl=equity - capital,
        win_rate=ratio(Decimal(portfolio.wins), Decimal(portfolio.trades)),
        max_drawdown=portfolio.max_drawdown,
        drawdown=ratio(peak - equity, peak),
        leverage=ratio(portfolio.exposure_gross, equity),
        error_usd=abs(equity - explained),
    )


def of_model(
    competitor: CompetitorRegistered, portfolio: PortfolioUpdated | None, figures: ModelFigures | None
) -> ModelMetrics:
    metrics = of_portfolio(portfolio) if portfolio else None
    return ModelMetrics(
        competitor_id=competitor.competitor_id,
        name=competitor.name,
        kind=competitor.kind,
        model=competitor.model,
        active=competitor.active,
        equity=portfolio.equity if portfolio else None,
        return_rate=metrics.return_rate if metrics else None,
        pnl=metrics.pnl if metrics else None,
        fees=portfolio.fees if portfolio else None,
        funding=portfolio.funding if portfolio else None,
        win_rate=metrics.win_rate if metrics else None,
        trades=portfolio.trades if portfolio else 0,
        fills=portfolio.fills if portfolio else 0,
        max_drawdown=metrics.max_drawdown if metrics else None,
        decisions=figures.decisions if figures else 0,
        missed=figures.missed if figures else 0,
        decision_latency_p50_ms=figures.latency_p50 if figures else None,
        decision_latency_p99_ms=figures.latency_p99 if figures else None,
    )


def ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part / whole).quantize(_PLACES, ROUND_HALF_EVEN) if whole > 0 else None
