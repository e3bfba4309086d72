"""A day of one account: where it began, what each category did, where it ended. The lines come from the ledger."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from contracts.base import named_id
from contracts.portfolios import DailyStatement, PositionView, StatementLine

from pnl_tracker.core.ledger import CAPITAL, FEES, FUND, FUNDING, LIQUIDATION_FEES, REALISED_PNL, WRITTEN_OFF, Ledger
from pnl_tracker.core.money import ZERO

_MOMENT = timedelta(microseconds=1)

_Category = Literal["deposit", "realised_pnl", "fee", "liquidation_fee", "funding", "insurance", "write_off"]
CATEGORIES: dict[_Category, tuple[str, int]] = {
    "deposit": (CAPITAL, -1),
    "realised_pnl": (REALISED_PNL, -1),
    "fee": (FEES, -1),
    "liquidation_fee": (LIQUIDATION_FEES, -1),
    "funding": (FUNDING, -1),
    "insurance": (FUND, 1),
    "write_off": (WRITTEN_OFF, -1),
}
"""The account behind each category, and the sign by which its balance becomes what the category did."""
_ACCOUNTS = [account for account, _ in CATEGORIES.values()]


class Opening(NamedTuple):
    """How an account stood at a 00:00 UTC: what the day that begins then is held against.

    The first day opens with nothing: the capital is its deposit.
    """

    equity: Decimal = ZERO
    unrealised: Decimal = ZERO
    balances: Mapping[str, Decimal] = {}
    counts: Mapping[str, int] = {}


def opening(equity: Decimal, unrealised: Decimal, ledger: Ledger) -> Opening:
    return Opening(
        equity,
        unrealised,
        {name: ledger.balances[name] for name in _ACCOUNTS if name in ledger.balances},
        {name: ledger.counts[name] for name in _ACCOUNTS if name in ledger.counts},
    )


def statement(
    season_id: str, competitor_id: str, midnight: datetime, begun: Opening, ended: Opening,
    positions: list[PositionView],
) -> DailyStatement:  # fmt: skip
    """Of the day that ends at `midnight`; `positions` are those held then."""
    day = (midnight - _MOMENT).date()
    return DailyStatement(
        event_id=named_id("statement", season_id, competitor_id, day.isoformat()),
        at=midnight,
        season_id=season_id,
        competitor_id=competitor_id,
        day=day,
        opening_equity=begun.equity,
        closing_equity=ended.equity,
        unrealised_change=ended.unrealised - begun.unrealised,
        lines=tuple(_lines(begun, ended)),
        positions=tuple(positions),
    )


def _lines(begun: Opening, ended: Opening) -> list[StatementLine]:
    lines = []
    for category, (account, sign) in CATEGORIES.items():
        entries = ended.counts.get(account, 0) - begun.counts.get(account, 0)
        amount = sign * (ended.balances.get(account, ZERO) - begun.balances.get(account, ZERO))
        if entries or amount:
            lines.append(StatementLine(category=category, amount=amount, entries=entries))
    return lines
