"""Double entry, append-only. One transaction an event; its entries add up to zero, exactly.

Debits are above zero: what the competitor has (`cash`, `position:…` at cost) and what it spent (`fees`, `funding`).
Credits are below: where it came from (`capital`, `realised_pnl`) and, for a position, the other side of the contract
(`counterparty:…`), because a perpetual's cost is owed, never paid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from pnl_tracker.core.money import ZERO

CASH, CAPITAL, REALISED_PNL, FEES, FUNDING = "cash", "capital", "realised_pnl", "fees", "funding"
_POSITION = "position:"


class Unbalanced(Exception):
    """A transaction that does not add up to zero: a bug, and nothing may be built on it."""


class Entry(NamedTuple):
    event_id: UUID
    """The event that caused it: all entries of one event are one transaction."""
    trade_id: UUID | None
    at: datetime
    account: str
    amount: Decimal


@dataclass(slots=True)
class Ledger:
    """One competitor's books: the balance of each account, and the entries that are not stored yet."""

    balances: dict[str, Decimal] = field(default_factory=dict)
    trade_ids: set[int] = field(default_factory=set)
    fresh: list[Entry] = field(default_factory=list)

    def deposit(self, event_id: UUID, at: datetime, amount: Decimal) -> None:
        self._post(event_id, None, at, {CASH: amount, CAPITAL: -amount})

    def trade(
        self, event_id: UUID, trade_id: UUID, at: datetime, instrument: str,
        *, cost: Decimal, realised: Decimal, fee: Decimal,
    ) -> None:  # fmt: skip
        """`cost`: by how much the position's cost changes. A trade that was posted before must not come again."""
        if trade_id.int in self.trade_ids:
            raise ValueError(f"trade {trade_id} is in the ledger")
        self.trade_ids.add(trade_id.int)
        moved = {
            _POSITION + instrument: cost,
            f"counterparty:{instrument}": -cost,
            CASH: realised - fee,
            REALISED_PNL: -realised,
            FEES: fee,
        }
        self._post(event_id, trade_id, at, moved)

    def funding(self, event_id: UUID, at: datetime, payment: Decimal) -> None:
        self._post(event_id, None, at, {FUNDING: payment, CASH: -payment})

    def explains(self, cash: Decimal, costs: Mapping[str, Decimal]) -> bool:
        """Whether the entries add up to zero and hold this cash and these positions at cost, none missing, none more.

        Equity is cash plus the positions' value less their cost, so it agrees to the last digit exactly then.
        """
        total, explained = ZERO, 0
        for account, balance in self.balances.items():
            total += balance
            if balance and account.startswith(_POSITION):
                if costs.get(account[len(_POSITION) :]) != balance:
                    return False
                explained += 1
        return total == 0 and self.balances.get(CASH, ZERO) == cash and explained == sum(map(bool, costs.values()))

    def _post(self, event_id: UUID, trade_id: UUID | None, at: datetime, amounts: Mapping[str, Decimal]) -> None:
        total, balances = ZERO, self.balances
        for account, amount in amounts.items():
            if amount:
                total += amount
                balances[account] = balances.get(account, ZERO) + amount
                self.fresh.append(Entry(event_id, trade_id, at, account, amount))
        if total:
            raise Unbalanced(f"{event_id}: {amounts}")
