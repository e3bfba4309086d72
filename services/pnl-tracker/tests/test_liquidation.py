# mypy: disable-error-code="comparison-overlap"
# Amounts are compared with whole numbers.
"""Liquidations in the books: fills like any other, and what the insurance fund beside the account gains or lacks."""

from decimal import Decimal
from fractions import Fraction

from contracts.portfolios import PortfolioUpdated
from hypothesis import given
from hypothesis import strategies as st
from pnl_tracker.core.unit import Unit
from pnl_tracker.testing import at, fill, liquidated, unit


def usd(text: str) -> Decimal:
    return Decimal(text)


def last(told: list[PortfolioUpdated]) -> PortfolioUpdated:
    return told[-1]


def taken_over() -> Unit:
    """10 at 1,000 bought, taken over at 920: 800 lost, a fee of 46 into the fund, which sold at 925: 50 more."""
    ann = unit("ann")
    ann.execution(fill(1, "10", "1000"))
    ann.execution(fill(2, "-10", "920", purpose="liquidation", seconds=2))
    return ann


def test_the_fee_of_a_liquidation_is_paid_out_of_the_account_and_counts_as_a_fee() -> None:
    told = last(taken_over().execution(liquidated(1, fee="46", change="96", seconds=2)))

    assert (told.cause, told.realised_pnl, told.fees, told.liquidation_fees) == ("liquidation", -800, 46, 46)
    assert (told.equity, told.cash) == (9_154, 9_154)  # 10,000 - 800 - 46; what the fund gained is not the account's
    assert told.books_balanced


def test_the_fund_stands_beside_the_account_and_every_transaction_adds_up_to_zero() -> None:
    ann = taken_over()
    ann.execution(liquidated(1, fee="46", change="96", seconds=2))
    ledger = ann.accounts["season-1", "ann"].ledger

    assert ledger.balances["fees:liquidation"] == 46
    assert "fees" not in ledger.balances  # trading fees only
    assert (ledger.balances["insurance:fund"], ledger.balances["insurance:fees"]) == (96, -46)
    assert ledger.balances["insurance:takeover"] == -50  # income
    assert sum(ledger.balances.values()) == 0


def test_what_is_missing_beyond_the_fund_is_written_off_by_name_and_charged_to_nobody() -> None:
    ann = taken_over()
    ann.execution(liquidated(1, fee="46", change="96", seconds=2))
    # a takeover that lost 120: 96 of it the fund had, 24 it had not
    told = last(ann.execution(liquidated(2, fee="0", change="-96", written_off="24", seconds=3)))
    ledger = ann.accounts["season-1", "ann"].ledger

    assert told.equity == 9_154
    assert (ledger.balances["insurance:fund"], ledger.balances["insurance:written_off"]) == (0, -24)
    assert ledger.balances["insurance:takeover"] == 70  # -50 + 120
    assert sum(ledger.balances.values()) == 0


def test_a_step_that_moves_no_money_tells_nothing() -> None:
    ann = taken_over()

    assert ann.execution(liquidated(1, fee="0", change="0", seconds=2)) == []


def test_the_losing_streak_counts_lost_trades_in_a_row() -> None:
    ann, streaks = unit("ann"), []
    for n, price in enumerate(("99", "98", "100", "101", "97")):  # lost, lost, even, won, lost
        ann.execution(fill(2 * n, "1", "100", seconds=n))
        streaks.append(last(ann.execution(fill(2 * n + 1, "-1", price, seconds=n + 0.5))).losing_streak)

    assert streaks == [1, 2, 0, 0, 1]


amounts = st.decimals("0", "1000", places=9)


@given(st.lists(st.tuples(amounts, st.decimals("-1000", "1000", places=9), amounts), max_size=10))
def test_the_ledger_explains_the_account_and_its_fund_after_any_liquidations(
    steps: list[tuple[Decimal, Decimal, Decimal]],
) -> None:
    ann = unit("ann")
    ann.passed(at(0))
    for n, (fee, change, written_off) in enumerate(steps):
        ann.execution(liquidated(n, fee=str(fee), change=str(change), written_off=str(written_off)))
    account = ann.accounts["season-1", "ann"]
    told = last(ann.passed(at(180)))

    assert sum(map(Fraction, account.ledger.balances.values())) == 0
    assert told.books_balanced
    assert told.equity == told.capital - told.fees
    assert Fraction(told.fees) == sum(Fraction(fee) for fee, _, _ in steps)
    assert account.ledger.balances.get("insurance:fund", 0) == account.insurance_fund
