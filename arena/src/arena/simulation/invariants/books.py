"""Of the money: reckoned here once more from the fills alone, and held against what venue and tracker say."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from contracts.base import child_of
from contracts.executions import AccountStated, FundingSettled, OrderFilled, PositionLiquidated
from contracts.portfolios import PortfolioUpdated, ReconciliationReported
from pnl_tracker.core.money import exact

from arena.simulation.database import Move
from arena.simulation.invariants.base import Invariant
from arena.simulation.log import Record

ROUNDED = Decimal("0.000001")
"""The venue rounds each product to twelve places: a million of them stay below it."""
LEDGER_EVERY = 50
"""Commits between two looks at the whole ledger."""


@dataclass
class _Account:
    """Cash-flow books: what was bought was paid, what was sold was earned."""

    flows: Decimal = Decimal()
    fees: Decimal = Decimal()
    funding: Decimal = Decimal()
    fills: int = 0
    positions: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def worth(self, capital: Decimal, marks: dict[str, Decimal]) -> Decimal:
        held = sum((quantity * marks[name] for name, quantity in self.positions.items() if quantity), Decimal())
        return capital + self.flows + held - self.fees - self.funding


class EquityIsExplained(Invariant):
    name = "equity_is_explained"
    says = "equity = 10,000 + realised + unrealised - fees - funding, exactly, and what the fills alone come to"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._accounts: defaultdict[str, _Account] = defaultdict(_Account)
        self._after: dict[Any, tuple[Decimal, Decimal, Decimal, int, dict[str, Decimal]]] = {}
        self._seq: defaultdict[str, int] = defaultdict(int)

    def sees(self, record: Record, event: Any) -> None:  # noqa: ARG002  # one form for all
        with exact():
            match event:
                case OrderFilled() | FundingSettled() | PositionLiquidated():
                    self._moves(event)
                case AccountStated():
                    self._stated(event)
                case PortfolioUpdated():
                    self._told(event)
                case ReconciliationReported() if not event.agrees:
                    self.fail(
                        f"{event.competitor_id}: {[difference.subject for difference in event.differences]} differ"
                    )

    def _moves(self, event: Any) -> None:
        account = self._accounts[event.competitor_id]
        if isinstance(event, OrderFilled):
            signed = event.quantity if event.side == "buy" else -event.quantity
            account.flows -= signed * event.price
            account.fees += event.fee
            account.fills += 1
            account.positions[event.instrument] += signed
        elif isinstance(event, FundingSettled):
            if account.positions[event.instrument] != event.quantity:
                self.fail(
                    f"{event.competitor_id} pays for {event.quantity}, it holds {account.positions[event.instrument]}"
                )
            account.funding += event.payment
        else:
            account.fees += event.fee
        state = account.flows, account.fees, account.funding, account.fills, dict(account.positions)
        self._after[child_of(event.event_id, "portfolio")] = state

    def _stated(self, event: AccountStated) -> None:
        account = self._accounts[event.competitor_id]
        held = {name: quantity for name, quantity in account.positions.items() if quantity}
        if {each.instrument: each.quantity for each in event.positions} != held or event.fills != account.fills:
            self.fail(
                f"{event.competitor_id}: the venue has {event.positions} and {event.fills} fills, they come to {held}"
            )
        cost = sum((each.cost for each in event.positions), Decimal())
        differences = (
            event.fees - account.fees,
            event.funding - account.funding,
            event.realised_pnl - account.flows - cost,
        )
        if any(abs(difference) > ROUNDED for difference in differences):
            self.fail(
                f"{event.competitor_id}: fees, funding, realised as the venue states them differ by {differences}"
            )

    def _told(self, event: PortfolioUpdated) -> None:
        if event.seq != self._seq[event.competitor_id] + 1:
            self.fail(f"{event.competitor_id}: portfolio {event.seq} after {self._seq[event.competitor_id]}")
        self._seq[event.competitor_id] = event.seq
        equity = event.capital + event.realised_pnl + event.unrealised_pnl - event.fees - event.funding
        if event.equity != equity or event.capital != self.plan.file.rules.capital or not event.books_balanced:
            self.fail(
                f"{event.competitor_id}: equity {event.equity}, its parts {equity}; balanced: {event.books_balanced}"
            )
        if (after := self._after.get(event.event_id)) is not None:
            self._is_that(event, _Account(*after[:4], defaultdict(Decimal, after[4])))

    def _is_that(self, event: PortfolioUpdated, account: _Account) -> None:
        held = {name: quantity for name, quantity in account.positions.items() if quantity}
        marks = {each.instrument: each.mark_price for each in event.positions}
        if {each.instrument: each.quantity for each in event.positions} != held or event.fills != account.fills:
            self.fail(f"{event.competitor_id}: portfolio {event.seq} shows {event.positions}, the fills come to {held}")
        worth = account.worth(event.capital, marks)
        if abs(worth - event.equity) > ROUNDED or event.fees != account.fees or event.funding != account.funding:
            self.fail(f"{event.competitor_id}: portfolio {event.seq} says {event.equity}, the fills come to {worth}")


class BooksBalance(Invariant):
    name = "ledger_sums_to_zero"
    says = "each event's entries add up to zero, and cash is what the account says"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._commits = 0

    def committed(self, service: str, moves: Sequence[Move]) -> None:  # noqa: ARG002  # one form for all
        if service == "pnl-tracker":
            self._commits += 1
            if self._commits % LEDGER_EVERY == 0:
                self.ends()

    def ends(self) -> None:
        sums: defaultdict[Any, Decimal] = defaultdict(Decimal)
        cash: defaultdict[str, Decimal] = defaultdict(Decimal)
        database = self.world.database("pnl-tracker")
        with exact():
            for row in database.tables["ledger_entries"].rows.values():
                sums[row[4]] += row[8]
                if row[7] == "cash":
                    cash[row[3]] += row[8]
            if off := {event: amount for event, amount in sums.items() if amount}:
                self.fail(f"the entries of {next(iter(off))} add up to {next(iter(off.values()))}")
            for row in database.rows("accounts"):
                has = row["capital"] + row["realised_pnl"] - row["fees"] - row["funding"]
                if cash[row["competitor_id"]] != has:
                    self.fail(
                        f"{row['competitor_id']}: {cash[row['competitor_id']]} cash in the ledger, {has} in the account"
                    )


class VenueAgreesWithLedger(Invariant):
    name = "venue_agrees_with_ledger"
    says = "at rest the venue's account and the tracker's are the same: money, fills, positions and their cost"

    def ends(self) -> None:
        venue, ledger = self.world.database("order-executor"), self.world.database("pnl-tracker")
        booked = {row["competitor_id"]: row for row in ledger.rows("accounts")}
        for row in venue.rows("accounts"):
            books = booked.get(row["competitor_id"])
            if books is None:
                if row["fills"]:
                    self.fail(f"{row['competitor_id']} traded and has no books")
                continue
            for ours, theirs in (
                ("realised_pnl",) * 2,
                ("fees",) * 2,
                ("funding",) * 2,
                ("liquidation_fees",) * 2,
                ("written_off",) * 2,
                ("insurance", "insurance_fund"),
                ("fills",) * 2,
            ):
                if abs(row[ours] - books[theirs]) > ROUNDED:
                    self.fail(f"{row['competitor_id']} {ours}: the venue has {row[ours]}, the ledger {books[theirs]}")
        places = [
            {
                (row["competitor_id"], row["instrument"]): row["quantity"]
                for row in database.rows("positions")
                if row["quantity"]
            }
            for database in (venue, ledger)
        ]
        if places[0] != places[1]:
            self.fail(f"positions differ: {set(places[0].items()) ^ set(places[1].items())}")
