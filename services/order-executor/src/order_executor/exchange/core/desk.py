"""All orders of one unit at outside venues: who may send now, whom a word of the venue's is about, what is known there.

An account trades an instrument only while no order of its own there is unknown, and at all only once the venue's open
orders, trades and holdings were seen to agree with what is known here.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from contracts.base import Event
from contracts.money import ZERO
from contracts.orders import ExitChangeApproved, LiquidationOrdered, OrderAmendApproved, OrderApproved
from contracts.orders import OrderCancelApproved as CancelApproved

from order_executor.exchange.core import intents, reports
from order_executor.exchange.core.machine import Call, decide
from order_executor.exchange.core.orders import AT_VENUE, Intent, Order
from order_executor.exchange.core.reports import Instruction
from order_executor.exchange.core.rules import Rules
from order_executor.exchange.core.said import CancelAsked, Report, Restarted, Said, Seen, Send, Tick, Trade, Traded

AccountKey = tuple[str, str]
HELD_FOR = timedelta(milliseconds=250)
"""An intent that may not go yet is looked at again then."""
REMEMBERED_FOR = timedelta(hours=1)
"""Orders that ended stay in memory so long: their trades may still be told again."""


class Wanted(NamedTuple):
    """A call that may be made at any time and any number of times."""

    account: AccountKey
    call: Call
    client_order_id: str
    instrument: str


class Booked(NamedTuple):
    """A trade that was applied; one row of the record for ever."""

    order: Intent
    trade: Trade
    at: datetime


class Snapshot(NamedTuple):
    """What the venue says of an account. `asked_at` is before the first question: what came later may be missing."""

    at: datetime
    asked_at: datetime
    open: Sequence[Report]
    trades: Sequence[Trade]
    holdings: Mapping[str, Decimal]


@dataclass(slots=True)
class Account:
    positions: dict[str, Decimal] = field(default_factory=dict)
    """The sum of the trades, by instrument."""
    orders: dict[str, Order] = field(default_factory=dict)
    """By client order id: all that are not final, and those that ended lately."""
    names: set[str] = field(default_factory=set)
    unknown: dict[str, set[str]] = field(default_factory=dict)
    """Client order ids by instrument."""
    watermark: datetime | None = None
    """Trades before it were asked for."""
    agrees: bool = False
    """Since this process began the venue was once seen to agree in everything."""
    differences: tuple[str, ...] = ()


class Desk:
    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.accounts: dict[AccountKey, Account] = {}
        self.changed: dict[str, Order] = {}
        self.booked: list[Booked] = []
        self.moved: set[AccountKey] = set()
        """Accounts whose watermark is to be saved."""
        self.wanted: list[Wanted] = []
        self.prevented = 0
        """How often what looked failed was found at the venue: each would have been a second order."""
        self._account_of: dict[str, AccountKey] = {}
        self._timers: list[tuple[datetime, str]] = []

    def restore(
        self, orders: Iterable[Order], positions: Mapping[tuple[str, str, str], Decimal],
        names: Iterable[tuple[str, str, str]], watermarks: Mapping[AccountKey, datetime],
    ) -> None:  # fmt: skip
        """After a restart, or a take-over: as it was committed. `resume` goes on from there."""
        for key, watermark in watermarks.items():
            self._account(key).watermark = watermark
        for (season, competitor, instrument), quantity in positions.items():
            self._account((season, competitor)).positions[instrument] = quantity
        for season, competitor, name in names:
            self._account((season, competitor)).names.add(name)
        for order in orders:
            self._keep(order)

    def resume(self, at: datetime) -> list[Event]:
        """Once, before anything else is told."""
        names = [order.intent.client_order_id for order in self.orders() if not order.is_final]
        return [told for name in names for told in self.tell(name, Restarted(at))]

    def order(self, client_order_id: str) -> Order | None:
        key = self._account_of.get(client_order_id)
        return None if key is None else self.accounts[key].orders.get(client_order_id)

    def orders(self) -> Iterator[Order]:
        return (order for account in self.accounts.values() for order in account.orders.values())

    # what the risk gate lets through

    def approve(self, event: OrderApproved, at: datetime) -> Sequence[Event]:
        account, order = (
            self._account((event.season_id, event.competitor_id)),
            Order(intents.of_order(event, self.rules)),
        )
        if reason := intents.not_carried(event):
            return [reports.rejected(order, at, "VENUE_ERROR", reason)]
        if event.client_order_id in account.names:
            return [reports.rejected(order, at, "DUPLICATE_CLIENT_ORDER_ID", event.client_order_id)]
        if event.client_order_id:
            account.names.add(event.client_order_id)
        self._enter(order, at)
        return ()

    def instruct(self, event: Instruction, at: datetime) -> Sequence[Event]:
        match event:
            case CancelApproved():
                return self._cancel(event, at)
            case LiquidationOrdered():
                self._enter(Order(intents.of_close(event, self.rules)), at)
                return ()
            case OrderAmendApproved():
                detail = "an order at an exchange is cancelled and entered anew, not amended"
                return [reports.not_offered(event, event.instrument, at, "AMEND_INVALID", detail)]
            case ExitChangeApproved():
                detail = "exit plans are not carried to an exchange"
                return [reports.not_offered(event, event.instrument, at, "VENUE_ERROR", detail)]

    def _cancel(self, event: CancelApproved, at: datetime) -> Sequence[Event]:
        """On arrival: to take back risk needs no deadline. One named, or all of the instrument, or all."""
        name = event.target_client_order_id
        orders = [
            order
            for order in self._account((event.season_id, event.competitor_id)).orders.values()
            if not order.is_final
            and event.instrument in (None, order.intent.instrument)
            and name in ("", order.intent.given_name)
        ]
        if name and not orders and event.instrument is not None:
            return [reports.not_offered(event, event.instrument, at, "ORDER_UNKNOWN", name)]
        said = CancelAsked(at, "competitor")
        return [told for order in orders for told in self.tell(order.intent.client_order_id, said)]

    def _enter(self, order: Order, at: datetime) -> None:
        self._adopt(replace(order, wake_at=order.intent.effective_at), at)

    # what the venue says

    def tell(self, client_order_id: str, said: Said) -> Sequence[Event]:
        """Of an order that nobody here knows nothing follows: the next sweep names it."""
        order = self.order(client_order_id)
        if order is None:
            return ()
        after, events, wanted = decide(order, said, self.rules)
        if after is not order:
            self.prevented += (
                order.state == "unknown" and after.state not in ("unknown", "intent") and after.told_accepted
            )
            self._adopt(after, said.at)
        intent = order.intent
        self.wanted += [Wanted(intent.account, call, intent.client_order_id, intent.instrument) for call in wanted]
        return events

    def trade(self, trade: Trade, at: datetime) -> Sequence[Event]:
        """Applied once by its id. The position is the sum of what was applied."""
        order = self.order(trade.client_order_id)
        if order is None or trade.trade_id in order.trades:
            return ()
        account, intent = self.accounts[order.intent.account], order.intent
        signed = trade.quantity if intent.side == "buy" else -trade.quantity
        position = account.positions.get(intent.instrument, ZERO) + signed
        account.positions[intent.instrument] = position
        self.booked.append(Booked(intent, trade, at))
        return self.tell(trade.client_order_id, Traded(at, trade, position))

    def sweep(self, key: AccountKey, snapshot: Snapshot) -> list[Event]:
        """Everything the venue says of an account, held against what is known here. Nothing is made up to fit."""
        account, at = self._account(key), snapshot.at
        events = [told for trade in snapshot.trades for told in self.trade(trade, at)]
        for report in snapshot.open:
            events += self.tell(report.client_order_id, Seen(at, report))
        account.differences = tuple(self._differences(account, snapshot))
        account.agrees = account.agrees or not account.differences
        account.watermark = max(account.watermark or snapshot.asked_at, snapshot.asked_at)
        self.moved.add(key)
        self._ask_for_missing(account, snapshot)
        self._forget(account, snapshot.asked_at - REMEMBERED_FOR)
        return events

    def _differences(self, account: Account, snapshot: Snapshot) -> Iterator[str]:
        known = account.orders
        yield from (
            f"order {each.client_order_id} is not ours" for each in snapshot.open if each.client_order_id not in known
        )
        yield from (
            f"trade {each.trade_id} is not ours" for each in snapshot.trades if each.client_order_id not in known
        )
        for order in self._missing(account, snapshot):
            yield f"order {order.intent.client_order_id} is {order.state} here and not open at the venue"
        for instrument in sorted({*account.positions, *snapshot.holdings}):
            ours, theirs = account.positions.get(instrument, ZERO), snapshot.holdings.get(instrument, ZERO)
            if ours != theirs:
                yield f"position {instrument} is {ours} here and {theirs} at the venue"

    def _missing(self, account: Account, snapshot: Snapshot) -> list[Order]:
        """At the venue as far as we know, for longer than the question is old, and not in its list of open orders."""
        open_ids = {report.client_order_id for report in snapshot.open}
        return [
            order
            for order in account.orders.values()
            if order.state in AT_VENUE
            and order.intent.client_order_id not in open_ids
            and (order.changed_at is None or order.changed_at < snapshot.asked_at)
        ]

    def _ask_for_missing(self, account: Account, snapshot: Snapshot) -> None:
        for order in self._missing(account, snapshot):
            intent = order.intent
            self.wanted.append(Wanted(intent.account, "query", intent.client_order_id, intent.instrument))

    def _forget(self, account: Account, before: datetime) -> None:
        old = [
            client_order_id
            for client_order_id, order in account.orders.items()
            if order.is_final and order.changed_at is not None and order.changed_at < before
        ]
        for client_order_id in old:
            del account.orders[client_order_id], self._account_of[client_order_id]

    # what time does

    def tick(self, at: datetime) -> list[Event]:
        events: list[Event] = []
        while self._timers and self._timers[0][0] <= at:
            _, client_order_id = heapq.heappop(self._timers)
            order = self.order(client_order_id)
            if order is None or order.wake_at is None:
                continue
            if order.wake_at > at:
                continue  # another timer of its own stands for that
            events += self._wake(order, at)
        return events

    def _wake(self, order: Order, at: datetime) -> Sequence[Event]:
        name = order.intent.client_order_id
        if order.state != "intent" or at >= order.intent.valid_until:
            return self.tell(name, Tick(at))
        if self.may_send(order.intent):
            return self.tell(name, Send(at))
        self._keep(replace(order, wake_at=min(at + HELD_FOR, order.intent.valid_until)))
        return ()

    def may_send(self, intent: Intent) -> bool:
        account = self.accounts[intent.account]
        return account.agrees and not account.unknown.get(intent.instrument)

    # bookkeeping

    def _account(self, key: AccountKey) -> Account:
        account = self.accounts.get(key)
        if account is None:
            account = self.accounts[key] = Account()
        return account

    def _adopt(self, order: Order, at: datetime) -> None:
        order = replace(order, changed_at=at)
        self.changed[order.intent.client_order_id] = order
        self._keep(order)

    def _keep(self, order: Order) -> None:
        intent = order.intent
        account = self._account(intent.account)
        account.orders[intent.client_order_id] = order
        self._account_of[intent.client_order_id] = intent.account
        unknown = account.unknown.setdefault(intent.instrument, set())
        (unknown.add if order.state == "unknown" else unknown.discard)(intent.client_order_id)
        if order.wake_at is not None:
            heapq.heappush(self._timers, (order.wake_at, intent.client_order_id))
