"""Double entry, append-only. One transaction an event; its entries add up to zero, exactly.

Debits are above zero: what the competitor has (`cash`, `position:…` at cost) and what it spent (`fees`,
`fees:liquidation`, `funding`). Credits are below: where it came from (`capital`, `realised_pnl`) and, for a position,
the other side of the contract (`counterparty:…`), because a perpetual's cost is owed, never paid.

Beside them stands the competitor's insurance fund, whose money is not the competitor's: `insurance:fund` is what it
has. It came from `insurance:fees`, which the competitor paid, and `insurance:takeover`, what the positions it took over
brought (a debit where they lost); what was missing beyond the fund came from nowhere: `insurance:written_off`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from pnl_tracker.core.money import ZERO

CASH, CAPITAL, REALISED_PNL, FEES, FUNDING = "cash", "capital", "realised_pnl", "fees", "funding"
LIQUIDATION_FEES = "fees:liquidation"
FUND, WRITTEN_OFF = "insurance:fund", "insurance:written_off"
FUND_FEES, TAKEOVER = "insurance:fees", "insurance:takeover"
_POSITION, _COUNTERPARTY = "position:", "counterparty:"


def position_of(account: str) -> str | None:
    """The instrument whose position the account is."""
    return account[len(_POSITION) :] if account.startswith(_POSITION) else None


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
    costs: dict[str, Decimal] = field(default_factory=dict)
    """The balances of the open positions, by instrument."""
    imbalance: Decimal = ZERO
    """What all entries add up to: not zero only where stored entries were lost or altered."""
    trade_ids: set[int] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    """How many entries each account has."""
    fresh: list[Entry] = field(default_factory=list)

    @classmethod
    def of(cls, balances: dict[str, Decimal], trade_ids: set[int], counts: dict[str, int] | None = None) -> "Ledger":
        """The books as stored: `balances` are the sums of the entries, `counts` their numbers."""
        costs = {account[len(_POSITION) :]: sum_ for account, sum_ in balances.items() if account.startswith(_POSITION)}
        open_costs = {instrument: cost for instrument, cost in costs.items() if cost}
        return cls(balances, open_costs, sum(balances.values(), ZERO), trade_ids, counts or {})

    def deposit(self, event_id: UUID, at: datetime, amount: Decimal) -> None:
        self._post(event_id, None, at, ((CASH, amount), (CAPITAL, -amount)))

    def trade(
        self, event_id: UUID, trade_id: UUID, at: datetime, instrument: str,
        *, cost: Decimal, realised: Decimal, fee: Decimal,
    ) -> None:  # fmt: skip
        """`cost`: by how much the position's cost changes. A trade that was posted before must not come again."""
        if trade_id.int in self.trade_ids:
            raise ValueError(f"trade {trade_id} is in the ledger")
        self.trade_ids.add(trade_id.int)
        self.costs[instrument] = held = self.costs.get(instrument, ZERO) + cost
        if not held:
            del self.costs[instrument]
        moved = (
            (_POSITION + instrument, cost),
            (_COUNTERPARTY + instrument, -cost),
            (CASH, realised - fee),
            (REALISED_PNL, -realised),
            (FEES, fee),
        )
        self._post(event_id, trade_id, at, moved)

    def funding(self, event_id: UUID, at: datetime, payment: Decimal) -> None:
        self._post(event_id, None, at, ((FUNDING, payment), (CASH, -payment)))

    def liquidation(
        self, event_id: UUID, at: datetime, *, fee: Decimal, insurance_change: Decimal, written_off: Decimal
    ) -> None:
        """The competitor pays the fee to its fund; the fund gains `insurance_change` in all, the fee in it."""
        moved = (
            (CASH, -fee),
            (LIQUIDATION_FEES, fee),
            (FUND, insurance_change),
            (WRITTEN_OFF, -written_off),
            (FUND_FEES, -fee),
            (TAKEOVER, fee - insurance_change + written_off),
        )
        self._post(event_id, None, at, moved)

    def explains(self, cash: Decimal, costs: Mapping[str, Decimal]) -> bool:
        """Whether the entries add up to zero and hold this cash and these positions at cost, none missing, none more.

        Equity is cash plus the positions' value less their cost, so it agrees to the last digit exactly then.
        """
        return not self.imbalance and self.balances.get(CASH, ZERO) == cash and self.costs == costs

    def _post(
        self, event_id: UUID, trade_id: UUID | None, at: datetime, amounts: Sequence[tuple[str, Decimal]]
    ) -> None:
        total, balances, counts = ZERO, self.balances, self.counts
        for account, amount in amounts:
            if amount:
                total += amount
                balances[account] = balances.get(account, ZERO) + amount
                counts[account] = counts.get(account, 0) + 1
                self.fresh.append(Entry(event_id, trade_id, at, account, amount))
        if total:
            raise Unbalanced(f"{event_id}: {amounts}")
