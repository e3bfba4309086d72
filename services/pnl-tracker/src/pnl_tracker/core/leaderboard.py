"""Who leads: a function of each competitor's latest portfolio."""

from collections.abc import Iterable
from decimal import Decimal

from contracts.base import named_id
from contracts.portfolios import LeaderboardRow, LeaderboardUpdated, PortfolioUpdated

from pnl_tracker.core.money import exact, quotient


def sequence(portfolios: Iterable[PortfolioUpdated]) -> int:
    """Rises with every portfolio told, whoever counts."""
    return sum(portfolio.seq for portfolio in portfolios)


def leaderboard(portfolios: Iterable[PortfolioUpdated]) -> LeaderboardUpdated:
    """Of one season, at least one portfolio: the highest equity first, equals by competitor id."""
    ranked = sorted(portfolios, key=lambda portfolio: (-portfolio.equity, portfolio.competitor_id))
    season_id = ranked[0].season_id
    with exact():
        rows = tuple(_row(rank, portfolio) for rank, portfolio in enumerate(ranked, start=1))
    return LeaderboardUpdated(
        event_id=named_id("leaderboard", season_id, sequence(ranked)),
        at=max(portfolio.at for portfolio in ranked),
        season_id=season_id,
        rows=rows,
        books_balanced=all(portfolio.books_balanced for portfolio in ranked),
    )


def _row(rank: int, portfolio: PortfolioUpdated) -> LeaderboardRow:
    pnl = portfolio.equity - portfolio.capital
    return LeaderboardRow(
        rank=rank,
        competitor_id=portfolio.competitor_id,
        equity=portfolio.equity,
        return_rate=quotient(pnl, portfolio.capital),
        pnl=pnl,
        realised_pnl=portfolio.realised_pnl,
        unrealised_pnl=portfolio.unrealised_pnl,
        fees=portfolio.fees,
        funding=portfolio.funding,
        max_drawdown=portfolio.max_drawdown,
        win_rate=quotient(Decimal(portfolio.wins), Decimal(portfolio.trades)) if portfolio.trades else None,
        trades=portfolio.trades,
        fills=portfolio.fills,
        exposure_gross=portfolio.exposure_gross,
        exposure_net=portfolio.exposure_net,
    )
