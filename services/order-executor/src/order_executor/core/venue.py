"""One unit of the venue: the accounts of one partition, their waiting orders, and the markets they look at."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter

from contracts.base import Event
from contracts.orders import OrderApproved, OrderEvent
from contracts.types import EPOCH

from order_executor.core import funding, triggers, watches
from order_executor.core.account import Account, AccountKey, Closing
from order_executor.core.agenda import INSTRUCTIONS, Agenda, Instruction
from order_executor.core.changes import Changes
from order_executor.core.closing import Closer
from order_executor.core.desk import Desk
from order_executor.core.exits import Reached
from order_executor.core.funding import Stamp
from order_executor.core.instructions import Instructed
from order_executor.core.interest import Interest
from order_executor.core.liquidation import Liquidator
from order_executor.core.margins import Margins
from order_executor.core.market import Market, MarketRecord
from order_executor.core.orders import Order, approved
from order_executor.core.resting import Resting
from order_executor.core.statements import day_end, stated
from order_executor.core.watches import Keys, Watch


class Venue:
    def __init__(self, market: Market | None = None) -> None:
        self.now = EPOCH
        self.info = market or Market()
        self.accounts: dict[AccountKey, Account] = {}
        self.stamps: dict[str, Stamp] = {}
        """The funding that falls due next, by instrument in which anybody holds a position."""
        self.changes = Changes()
        self._agenda = Agenda()
        self._margins = Margins(self.info)
        self._desk = Desk(self.info, self._margins, self._agenda, self.changes)
        self._book = Resting(self.info, self._margins, self._desk, self.changes)
        self._closer = Closer(self._desk)
        self._instructed = Instructed(self._desk, self._closer, self.changes)
        self._liquidator = Liquidator(self.info, self._margins, self._desk, self.changes)
        self._watches: deque[Watch] = deque()
        self._interest = Interest()
        self._seen: dict[str, MarketRecord] = {}
        """By instrument the last book that every resting order has seen; one that came since saw it on arrival."""
        self._day_ends = EPOCH

    def restore(
        self, now: datetime, stamps: Mapping[str, Stamp], accounts: Iterable[Account], orders: Iterable[Order],
        instructions: Iterable[Instruction] = (),
    ) -> None:  # fmt: skip
        """Go on from what was saved; `orders` are the open ones, `instructions` those not carried out."""
        self.now = now
        self.accounts = {account.key: account for account in accounts}
        for order in sorted(orders, key=lambda each: each.number):
            if order.status == "pending":
                self._agenda.wait(order)
            else:
                self._account(order).keep(order)
                self._agenda.expires(order)
        for event in instructions:
            self._agenda.wait(event)
        for account in self.accounts.values():
            self._reindex(account)
        self.stamps = dict(stamps)  # last: an account that is flat would take away what the next one's position awaits

    @property
    def awaits(self) -> datetime | None:
        """The moment at which the next order or instruction is due."""
        return self._agenda.next_at

    def own(self, event: OrderEvent) -> Sequence[Event]:
        """What the gate let through waits for its moment; its other verdicts are not for the venue."""
        if isinstance(event, OrderApproved):
            order = approved(event)
            self._agenda.wait(order)
            self.changes.orders[order.order_id] = order
        elif isinstance(event, INSTRUCTIONS):
            self._agenda.wait(event)
            self.changes.instructions[event.event_id] = event
        return ()

    def market(self, record: MarketRecord) -> Sequence[Event]:
        events = self._catch_up(record.at, whole=False)
        self.now = max(self.now, record.at)
        name, resting = record.instrument, self._interest.resting(record.instrument)
        if record.kind == "book_updated" and resting:
            self._see_book(name, resting)  # the one before: trades of its own moment came after it
        self.info.remember(record)
        match record.kind:
            case "book_updated" if resting:
                events += self._reach(name, resting)
            case "trade_printed":
                if resting:
                    events += self._trade(record, resting)
                if (keys := self._interest.in_trades(name)) and (trade := self.info.read(record)):
                    self._watches.append(watches.of_trade(trade, self.now, keys))
            case "mark_updated" if (keys := self._interest.in_marks(name)) and (mark := self.info.read(record)):
                self._plan_funding(name)
                self._watches.append(watches.of_mark(mark, self.info.printed(name), self.now, keys))
            case "bar_closed" if (keys := self._interest.holding(name)) and (bar := self.info.read(record)):
                self._watches.append(watches.of_bar(bar, self.now, keys))
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
        """What happens next before `to`; at one moment the day's end, funding, expiries, what marks cause, orders.

        Marks act on the market as of the end of their moment: the book that gapped with them, not the one before it.
        """
        found: list[tuple[datetime, int, Callable[[], Sequence[Event]]]] = []
        if self._day_ends <= self.now:
            self._day_ends = day_end(self.now)
        if self._day_ends <= to and self.accounts:
            found.append((self._day_ends, 0, self._state))
        if self.stamps:
            name = min(self.stamps, key=lambda each: (self.stamps[each].at, each))
            if self.stamps[name].at <= to:
                found.append((self.stamps[name].at, 1, partial(self._settle, name)))
        if (expiry := self._agenda.next_expiry) is not None and expiry <= to:
            found.append((expiry, 2, self._expire))
        if self._watches and (self._watches[0].at < to or (whole and self._watches[0].at == to)):
            found.append((self._watches[0].at, 3, self._enforce))
        if (effective_at := self._agenda.next_at) is not None and effective_at < to:
            found.append((effective_at, 4, self._execute))
        return min(found, key=itemgetter(0, 1))[2] if found else None

    def _execute(self) -> Sequence[Event]:
        effective_at, item = self._agenda.pop()
        self.now = max(self.now, effective_at)
        account = self._account(item)
        if isinstance(item, Order):
            events = self._desk.execute(account, item, self.now)
        else:
            self.changes.instructions[item.event_id] = None
            events = self._instructed.carry_out(account, item, self.now)
        self._reindex(account)
        return events

    def _state(self) -> Sequence[Event]:
        self.now = self._day_ends
        return [stated(self.accounts[key], self.now, "day end") for key in sorted(self.accounts)]

    def _settle(self, instrument: str) -> Sequence[Event]:
        due = self.stamps.pop(instrument)
        self.now = max(self.now, due.at)
        events: list[Event] = []
        for key in sorted(self._interest.holding(instrument)):
            account = self.accounts[key]
            events.append(funding.settle(account, account.positions[instrument], due))
            self.changes.accounts[key] = account
        return events

    def _expire(self) -> Sequence[Event]:
        order = self._agenda.pop_expired()
        assert order.expires_at is not None
        self.now = max(self.now, order.expires_at)
        account = self._account(order)
        event = self._desk.expire(account, order, self.now)
        self._reindex(account)
        return [event]

    def _see_book(self, instrument: str, keys: Keys) -> None:
        record = self.info.books.get(instrument)
        if record is None or self._seen.get(instrument) is record:
            return
        self._seen[instrument] = record
        if (book := self.info.read(record)) is not None:
            for key in keys:
                self._book.seen(self.accounts[key], book)

    def _reach(self, instrument: str, keys: Keys) -> Sequence[Event]:
        book = self.info.book(instrument)
        if book is None:
            return ()
        return self._each(keys, lambda account: self._book.reach(account, book, self.now))

    def _trade(self, record: MarketRecord, keys: Keys) -> Sequence[Event]:
        trade, book = self.info.read(record), self.info.books.get(record.instrument)
        if trade is None:
            return ()
        if book is not None and book.at < record.at:
            self._see_book(record.instrument, keys)
        return self._each(keys, lambda account: self._book.traded(account, trade, self.now))

    def _each(self, keys: Keys, act: Callable[[Account], Sequence[Event]]) -> list[Event]:
        events: list[Event] = []
        for key in sorted(keys):
            if said := act(self.accounts[key]):
                self._reindex(self.accounts[key])
                events += said
        return events

    def _enforce(self) -> Sequence[Event]:
        watch = self._watches.popleft()
        self.now = max(self.now, watch.at)
        return self._each(watch.keys, partial(self._watched, watch))

    def _watched(self, watch: Watch, account: Account) -> Sequence[Event]:
        """First the liquidation, then exits, then orders that waited for the price."""
        if watch.prices is None:
            return self._exit(account, watch)
        events: list[Event] = []
        if account.held(watch.instrument):
            if watch.is_mark:
                events += self._liquidator.check(account, watch.instrument, self.now)
            events += self._exit(account, watch)
        for order, price in triggers.reached(account.waiting.get(watch.instrument, ()), watch.prices):
            events += self._desk.set_off(account, order, price, self.now)
        return events

    def _exit(self, account: Account, watch: Watch) -> Sequence[Event]:
        """An exit that began goes on, wherever the price is by now."""
        position = account.positions[watch.instrument]
        if (closing := position.closing) is not None:
            if watch.prices is not None and not watch.is_mark:
                return ()
            reached = Reached(closing.purpose, closing.trigger_price, watch.price)
        elif found := watch.find(position):
            reached, position.closing = found, Closing(found.purpose, found.trigger_price)
        else:
            return ()
        self.changes.accounts[account.key] = account
        return self._closer.close(account, position, reached, self.now)

    def _account(self, item: Order | Instruction) -> Account:
        key = AccountKey(item.competitor_id, item.season_id)
        if key not in self.accounts:
            capital = self.info.terms.capital(item.season_id)
            self.accounts[key] = Account(item.season_id, item.competitor_id, capital)
        return self.accounts[key]

    def _reindex(self, account: Account) -> None:
        for instrument in self._interest.update(account):
            if not self._interest.holding(instrument):
                self.stamps.pop(instrument, None)
            elif instrument not in self.stamps:
                self._plan_funding(instrument)

    def _plan_funding(self, instrument: str) -> None:
        """For the latest mark, where anybody holds the instrument."""
        mark = self.info.mark(instrument)
        if self._interest.holding(instrument) and mark and (due := funding.stamp(mark, self.now)):
            self.stamps[instrument] = due
