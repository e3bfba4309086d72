"""Posts a file of closed trades to the tracker's own books, and holds its figures against the file's.

A row's `entry_price` and `exit_price` are those of each order's *last partial fill*; its `realized_net_pnl` is what the
venue counted at the price of *every* fill, over all entries of a position that several built. Where the two differ by a
cent or more, the entry is posted at the average price that the venue's own `exit_closed_pnl` stands for, if that is no
further than `SLIPPAGE_MAX` from the price in the row. How near the prices as printed come is told beside it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from contracts.base import named_id
from contracts.executions import OrderFilled
from pnl_tracker.core.money import ZERO, exact, quotient
from pnl_tracker.core.portfolio import Account

from arena.trades_file import BadRow, Row

CAPITAL = Decimal(10_000)
TOLERANCE_USD = Decimal("0.01")
SLIPPAGE_MAX = Decimal("0.005")
"""Of the entry price; the largest in the published file is 0.0019."""
SEASON = "imported"


@dataclass
class Import:
    trades: int = 0
    matched: int = 0
    at_average: int = 0
    """Posted at the average entry that the venue's closed P&L stands for."""
    matched_as_printed: int = 0
    error: Decimal = ZERO
    error_as_printed: Decimal = ZERO
    accounts: dict[str, Account] = field(default_factory=dict)
    bad: list[BadRow] = field(default_factory=list)
    unmatched: list[tuple[int, str, Decimal]] = field(default_factory=list)
    """(row number, id, USD by which the books differ from the file)."""

    def figures(self) -> dict[str, Any]:
        accounts = self.accounts.values()
        return {
            "trades": self.trades,
            "matched": self.matched,
            "max_abs_error_usd": float(self.error),
            "skipped": len(self.bad),
            "entries_at_average": self.at_average,
            "matched_as_printed": self.matched_as_printed,
            "max_abs_error_as_printed_usd": float(self.error_as_printed),
            "realised_net_usd": float(sum((account.cash - account.capital for account in accounts), ZERO)),
            "commissions_usd": float(sum((account.fees for account in accounts), ZERO)),
            "books_balanced": all(account.ledger.explains(account.cash, {}) for account in accounts),
        }


def post(rows: Iterable[tuple[int, Row] | BadRow]) -> Import:
    imported = Import()
    for found in rows:
        if isinstance(found, BadRow):
            imported.bad.append(found)
        else:
            with exact():
                _post(imported, *found)
    return imported


def _post(imported: Import, number: int, row: Row) -> None:
    printed = abs(_trip(_account(row), row, row.entry_price) - row.realized_net_pnl)
    price, average = row.entry_price, _average_entry(row)
    if printed >= TOLERANCE_USD and average is not None:
        price = average
        imported.at_average += 1
    account = imported.accounts.setdefault(row.model_id, _account(row))
    difference = _trip(account, row, price) - row.realized_net_pnl
    imported.trades += 1
    imported.matched_as_printed += printed < TOLERANCE_USD
    imported.error_as_printed = max(imported.error_as_printed, printed)
    imported.error = max(imported.error, abs(difference))
    if abs(difference) < TOLERANCE_USD:
        imported.matched += 1
    else:
        imported.unmatched.append((number, row.id, difference))


def _average_entry(row: Row) -> Decimal | None:
    """The entry price with which the exit realises what the venue says it did; None where it says nothing, or too much.

    exit_closed_pnl = sign * size * (exit_price - average) - exit_commission
    """
    if row.exit_closed_pnl is None:
        return None
    gross = row.exit_closed_pnl + row.exit_commission_dollars
    average = row.exit_price - row.sign * quotient(gross, row.size)
    return average if abs(average - row.entry_price) <= SLIPPAGE_MAX * row.entry_price else None


def _account(row: Row) -> Account:
    name = re.sub(r"[^a-z0-9]+", "-", row.model_id.lower()).strip("-")[:48] or "unnamed"
    account = Account(SEASON, name, CAPITAL)
    account.open(named_id("imported", row.model_id), datetime.fromtimestamp(row.entry_time, UTC))
    return account


def _trip(account: Account, row: Row, entry_price: Decimal) -> Decimal:
    """What entry and exit bring the account, net of commissions: it is flat in the instrument before and after."""
    before = account.cash
    account.fill(_fill(account, row, "entry", entry_price, row.entry_commission_dollars, row.entry_time))
    account.fill(_fill(account, row, "exit", row.exit_price, row.exit_commission_dollars, row.exit_time))
    account.ledger.fresh.clear()  # nothing stores them
    return account.cash - before


def _fill(
    account: Account, row: Row, leg: Literal["entry", "exit"], price: Decimal, fee: Decimal, seconds: float
) -> OrderFilled:
    return OrderFilled(
        event_id=named_id("imported", row.id, leg),
        at=datetime.fromtimestamp(seconds, UTC),
        season_id=SEASON,
        competitor_id=account.competitor_id,
        order_id=named_id("imported", row.id, leg, "order"),
        instrument=f"{row.symbol.upper()}-USD-PERP",
        trade_id=named_id("imported", row.id, leg, "trade"),
        side="buy" if (row.side == "long") == (leg == "entry") else "sell",
        price=price,
        quantity=row.size,
        fee=fee,
        liquidity="taker",
        remaining=ZERO,
        leverage=Decimal(1),
        purpose="decision",
        book_sequence=0,
        position_after=row.sign * row.size if leg == "entry" else ZERO,
    )
