"""One unit of the venue: the accounts of one partition, their waiting orders, and the markets they look at."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from heapq import heappop, heappush
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from contracts.base import Event
from contracts.orders import OrderApproved, OrderEvent
from contracts.types import EPOCH

from order_executor.core import exits, funding
from order_executor.core.account import Account, AccountKey, Closing, Position
from order_executor.core.changes import Changes
from order_executor.core.desk import Desk
from order_executor.core.exits import Trigger
from order_executor.core.funding import Stamp
from order_executor.core.market import Market, MarketRecord
from order_executor.core.orders import Due, Order, approved

_NOBODY: frozenset[AccountKey] = frozenset()

Find = Callable[[Position], Trigger | None]


class Watch(NamedTuple):
    """A mark or bar that may trigger exits of those who held a position when it came."""

    at: datetime
    instrument: str
    keys: list[AccountKey]
    price: Decimal
    find: Find


class Venue:
    def __init__(self, market: Market | None = None) -> None:
        self.now = EPOCH
        self.info = market or Market()
        self.accounts: dict[AccountKey, Account] = {}
        self.stamps: dict[str, Stamp] = {}
        """The funding that falls due next, by instrument in which anybody holds a position."""
        self.changes = Changes()
        self._desk = Desk(self.info, self.changes)
        self._watches: deque[Watch] = deque()
        self._pending: list[Due] = []
        self._waiting: dict[UUID, Order] = {}
        self._holders: dict[str, set[AccountKey]] = {}
        self._resting: dict[str, set[AccountKey]] = {}

    def restore(
        self, now: datetime, stamps: Mapping[str, Stamp], accounts: Iterable[Account], orders: Iterable[Order]
    ) -> None:
        """Go on from what was saved; `orders` are the open ones."""
        self.now, self.stamps = now, dict(stamps)
        self.accounts = {account.key: account for account in accounts}
        for order in sorted(orders, key=lambda each: each.number):
            if order.status == "pending":
                self._wait(order)
            else:
                self._account(order).rest(order)
        for account in self.accounts.values():
            for instrument in {*account.positions, *account.orders}:
                self._reindex(account, instrument)

    @property
    def awaits(self) -> datetime | None:
        """The moment at which the next pending order is due."""
        return self._pending[0].effective_at if self._pending else None

    def own(self, event: OrderEvent) -> Sequence[Event]:
        """An approved order waits for its moment; the gate's other verdicts are not for the venue."""
        if isinstance(event, OrderApproved):
            order = approved(event)
            self._wait(order)
            self.changes.orders[order.order_id] = order
        return ()

    def market(self, record: MarketRecord) -> Sequence[Event]:
        events = self._catch_up(record.at, whole=False)
        self.now = max(self.now, record.at)
        self.info.remember(record)
        name = record.instrument
        match record.kind:
            case "book_updated" if keys := self._resting.get(name):
                events += self._reach(name, keys)
            case "mark_updated" if (keys := self._holders.get(name)) and (mark := self.info.read(record)):
                self._plan_funding(name)
                self._watch(name, keys, mark.mark_price, partial(exits.on_mark, mark=mark))
            case "bar_closed" if (keys := self._holders.get(name)) and (bar := self.info.read(record)):
                self._watch(name, keys, bar.close, partial(exits.on_bar, bar=bar))
        return events

    def recall(self, record: MarketRecord) -> None:
        self.info.remember(record)

    def passed(self, through: datetime) -> Sequence[Event]:
        """Every market record at or before `through` is in. What is to be saved is saved after this.

        An order of that very moment waits on, for others may come beside it.
        """
        events = self._catch_up(through, whole=True)
        self.now = max(self.now, through)
        return events

    def _catch_up(self, to: datetime, *, whole: bool) -> list[Event]:
        events: list[Event] = []
        while due := self._next_due(to, whole=whole):
            events += due()
        return events

    def _next_due(self, to: datetime, *, whole: bool) -> Callable[[], Sequence[Event]] | None:
        """What happens next before `to`; at one moment funding first, then exits, then orders.

        Exits meet the market as of the end of their moment: the book that gapped with the mark, not the one before it.
        """
        found: list[tuple[datetime, int, Callable[[], Sequence[Event]]]] = []
        if self.stamps:
            name = min(self.stamps, key=lambda each: (self.stamps[each].at, each))
            if self.stamps[name].at <= to:
                found.append((self.stamps[name].at, 0, partial(self._settle, name)))
        if self._watches and (self._watches[0].at < to or (whole and self._watches[0].at == to)):
            found.append((self._watches[0].at, 1, self._enforce))
        if self._pending and self._pending[0].effective_at < to:
            found.append((self._pending[0].effective_at, 2, self._execute))
        return min(found, key=itemgetter(0, 1))[2] if found else None

    def _execute(self) -> Sequence[Event]:
        due = heappop(self._pending)
        order = self._waiting.pop(due.order_id)
        account = self._account(order)
        self.now = max(self.now, due.effective_at)
        events = self._desk.execute(account, order, self.now)
        self._reindex(account, order.instrument)
        return events

    def _settle(self, instrument: str) -> Sequence[Event]:
        due = self.stamps.pop(instrument)
        self.now = max(self.now, due.at)
        events: list[Event] = []
        for key in sorted(self._holders.get(instrument, _NOBODY)):
            account = self.accounts[key]
            events.append(funding.settle(account, account.positions[instrument], due))
            self.changes.accounts[key] = account
        return events

    def _reach(self, instrument: str, keys: set[AccountKey]) -> Sequence[Event]:
        events: list[Event] = []
        for key in sorted(keys):
            events += self._desk.reach(self.accounts[key], instrument, self.now)
            self._reindex(self.accounts[key], instrument)
        return events

    def _watch(self, instrument: str, keys: set[AccountKey], price: Decimal, find: Find) -> None:
        self._watches.append(Watch(self.now, instrument, sorted(keys), price, find))

    def _enforce(self) -> Sequence[Event]:
        watch = self._watches.popleft()
        self.now = max(self.now, watch.at)
        events: list[Event] = []
        for key in watch.keys:
            account = self.accounts[key]
            position = account.positions[watch.instrument]
            if trigger := _trigger(position, watch):
                self.changes.accounts[key] = account
                events += self._desk.close(account, position, trigger, self.now)
                self._reindex(account, watch.instrument)
        return events

    def _wait(self, order: Order) -> None:
        self._waiting[order.order_id] = order
        heappush(self._pending, order.due)

    def _account(self, order: Order) -> Account:
        key = AccountKey(order.competitor_id, order.season_id)
        if key not in self.accounts:
            self.accounts[key] = Account(order.season_id, order.competitor_id)
        return self.accounts[key]

    def _reindex(self, account: Account, instrument: str) -> None:
        """Market events of an instrument reach only those who hold or want something in it."""
        _mark(self._resting, instrument, account.key, wanted=bool(account.orders.get(instrument)))
        _mark(self._holders, instrument, account.key, wanted=bool(account.held(instrument)))
        if instrument not in self._holders:
            self.stamps.pop(instrument, None)
        elif instrument not in self.stamps:
            self._plan_funding(instrument)

    def _plan_funding(self, instrument: str) -> None:
        mark = self.info.mark(instrument)
        if mark and (due := funding.stamp(mark, self.now)):
            self.stamps[instrument] = due


def _mark(index: dict[str, set[AccountKey]], instrument: str, key: AccountKey, *, wanted: bool) -> None:
    if wanted:
        index.setdefault(instrument, set()).add(key)
    elif instrument in index:
        index[instrument].discard(key)
        if not index[instrument]:
            del index[instrument]


def _trigger(position: Position, watch: Watch) -> Trigger | None:
    """An exit that began goes on, wherever the price is by now."""
    if position.closing is not None:
        return Trigger(position.closing.purpose, position.closing.trigger_price, watch.price)
    if trigger := watch.find(position):
        position.closing = Closing(trigger.purpose, trigger.trigger_price)
    return trigger
