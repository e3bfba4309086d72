"""One desk for each partition of `orders.v1`, part of the money step: what it learns is committed with what it says."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from chassis.crash_points import crash_point
from chassis.step import Connection, Writing
from contracts.base import Event
from contracts.orders import (
    ExitChangeApproved,
    LiquidationOrdered,
    OrderAmendApproved,
    OrderApproved,
    OrderCancelApproved,
)

from order_executor.exchange import store
from order_executor.exchange.clock import VenueClock
from order_executor.exchange.core import AccountKey, Desk, Rules, Wanted
from order_executor.exchange.core.desk import Account

Word = Callable[[Desk, datetime], Sequence[Event]]
"""What somebody outside learned, as what to tell the desk at which time."""
INSTRUCTIONS = (OrderCancelApproved, OrderAmendApproved, ExitChangeApproved, LiquidationOrdered)
INBOX_MAX = 10_000
"""Of words, a unit."""


class ExchangeVenue:
    """What is heard from the venue waits here for the next turn. A crash before its commit loses nothing: it is asked
    for again, by the order's id or from the account's watermark on."""

    def __init__(self, rules: Rules, clock: VenueClock, sender: str) -> None:
        """`sender` names this process: what it was told to send, no other sends."""
        self.rules, self.clock, self.sender = rules, clock, sender
        self.desks: dict[int, Desk] = {}
        self.news = asyncio.Event()
        """There may be something to send or to ask."""
        self.to_send: dict[str, datetime] = {}
        """`send_by` of what is being committed as sending, by client order id."""
        self._inbox: dict[int, deque[Word]] = {}
        self._unit_of: dict[AccountKey, int] = {}
        self._through: dict[int, datetime] = {}
        self._saved = False

    # for the step

    async def load(self, db: Connection, partition: int) -> None:
        desk = self.desks[partition] = Desk(self.rules)
        self._inbox[partition] = deque([Desk.resume])  # what that says belongs to the next commit
        await store.load(db, partition, desk)
        for order in desk.orders():  # unknown now, whatever an earlier owner was about to send
            self.to_send.pop(order.intent.client_order_id, None)
        self._unit_of |= dict.fromkeys(desk.accounts, partition)
        self.news.set()

    def own(self, partition: int, event: Any) -> Sequence[Event]:
        desk, at = self.desks[partition], self.clock.now()
        if isinstance(event, OrderApproved):
            told = desk.approve(event, at)
        elif isinstance(event, INSTRUCTIONS):
            told = desk.instruct(event, at)
        else:
            return ()
        self._unit_of[event.season_id, event.competitor_id] = partition
        return self._not_before(partition, told)

    def passed(self, partition: int, through: datetime) -> None:
        self._through[partition] = through

    def heard(self, partition: int) -> Sequence[Event] | None:
        desk = self.desks.get(partition)
        if desk is None:
            return None
        if self._saved:
            self._saved = False
            crash_point("exchange.after_commit")
        desk.rules = self.rules
        inbox, at = self._inbox[partition], self.clock.now()
        told: list[Event] = []
        while inbox:
            told += inbox.popleft()(desk, at)
        told += desk.tick(at)
        if desk.wanted:
            self.news.set()
        return self._not_before(partition, told) if told or desk.changed or desk.booked or desk.moved else None

    def save(self, out: Writing) -> None:
        changed = [order for desk in self.desks.values() for order in desk.changed.values()]
        for order in changed:
            if order.state == "sending" and order.send_by is not None:
                self.to_send[order.intent.client_order_id] = order.send_by
            else:
                self.to_send.pop(order.intent.client_order_id, None)
        store.save(out, self.desks.items(), self.sender)
        if changed:
            self._saved = True
            self.news.set()
            crash_point("exchange.before_commit")

    def _not_before(self, partition: int, events: Sequence[Event]) -> Sequence[Event]:
        """The unit's time was told: nothing may be said of an earlier one."""
        floor = self._through.get(partition)
        return [
            event if floor is None or event.at >= floor else event.model_copy(update={"at": floor}) for event in events
        ]

    # for those who speak with the venue

    def tell(self, key: AccountKey, word: Word) -> None:
        """What does not fit is dropped: the next sweep learns it again."""
        partition = self._unit_of.get(key)
        if partition is not None and len(self._inbox[partition]) < INBOX_MAX:
            self._inbox[partition].append(word)

    def take_wanted(self) -> list[Wanted]:
        wanted = [each for desk in self.desks.values() for each in desk.wanted]
        for desk in self.desks.values():
            desk.wanted = []
        return wanted

    def accounts(self) -> Iterator[tuple[AccountKey, Account]]:
        return ((key, account) for desk in self.desks.values() for key, account in desk.accounts.items())

    def account(self, key: AccountKey) -> Account | None:
        partition = self._unit_of.get(key)
        return None if partition is None else self.desks[partition].accounts.get(key)

    def agrees(self) -> bool:
        """The startup gate: whether every account was seen to agree with the venue."""
        return self.clock.is_measured and all(account.agrees for _, account in self.accounts())
