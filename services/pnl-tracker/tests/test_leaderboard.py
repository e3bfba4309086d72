# mypy: disable-error-code="comparison-overlap"
# Amounts are compared with whole numbers.

from decimal import Decimal

from contracts.portfolios import PortfolioUpdated
from pnl_tracker.core.leaderboard import leaderboard, sequence
from pnl_tracker.testing import STARTS_AT, at, fill, unit


def portfolios() -> dict[str, PortfolioUpdated]:
    everybody = unit("ann", "bob", "cid")
    told = everybody.passed(STARTS_AT)
    told += everybody.execution(fill(1, "1", "100", competitor_id="bob"))
    told += everybody.execution(fill(2, "-1", "150", competitor_id="bob", fee="10", seconds=2))
    return {portfolio.competitor_id: portfolio for portfolio in told}


def test_the_highest_equity_leads_and_equals_stand_by_name() -> None:
    board = leaderboard(portfolios().values())

    assert [(row.rank, row.competitor_id, row.equity) for row in board.rows] == [
        (1, "bob", 10_040),
        (2, "ann", 10_000),
        (3, "cid", 10_000),
    ]


def test_a_row_says_return_and_share_of_wins() -> None:
    first, second, _ = leaderboard(portfolios().values()).rows

    assert (first.pnl, first.return_rate, first.win_rate, first.fees) == (40, Decimal("0.004"), 1, 10)
    assert (second.return_rate, second.win_rate) == (0, None)


def test_the_same_portfolios_in_any_order_give_the_same_board() -> None:
    latest = portfolios()

    assert leaderboard(latest.values()) == leaderboard(reversed(latest.values()))
    assert leaderboard(latest.values()).at == at(2)
    assert sequence(latest.values()) == 2 + 4 + 2


def test_one_set_of_books_that_does_not_balance_is_seen_on_the_board() -> None:
    latest = portfolios()
    latest["ann"] = latest["ann"].model_copy(update={"books_balanced": False})

    assert not leaderboard(latest.values()).books_balanced
