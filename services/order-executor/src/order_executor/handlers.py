"""What the venue reads, what it keeps, who decides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

import structlog
from chassis.step import Connection, Out, Writing
from chassis.timed import MarketRecord
from contracts.base import Event
from contracts.executions import OrderFilled
from contracts.market import BarClosed, BookUpdated, MarkUpdated, TradePrinted
from contracts.orders import OrderApproved
from contracts.wire import BadRecord

from order_executor import core, store
from order_executor.core import INSTRUCTIONS, Market, Terms, Venue

OWN_TOPIC = OrderApproved.topic
MARKET_TOPICS = [BookUpdated.topic, TradePrinted.topic, MarkUpdated.topic, BarClosed.topic]

log = structlog.get_logger(__name__)


class TermsMissing(RuntimeError):
    """An order came before its season or instrument: end, and find them announced after the restart."""


class PaperVenue:
    """The timed stage: one venue for each partition of `orders.v1`."""

    merged: ClassVar[bool] = False
    watermark_topic: str | None = OrderFilled.topic

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._venues: dict[int, Venue] = {}
        self._moments: dict[int, store.Moment] = {}

    def sizes(self) -> dict[str, int]:
        """For the metrics: what is held in memory."""
        accounts = [account for venue in self._venues.values() for account in venue.accounts.values()]
        return {
            "accounts": len(accounts),
            "positions": sum(1 for account in accounts for each in account.positions.values() if each.quantity),
            "open_orders": sum(1 for account in accounts for _ in account.open_orders()),
        }

    def moment(self, partition: int) -> datetime | None:
        """Orders of one moment meet the same book: the market as of that moment, all of it and nothing later."""
        return self._venues[partition].awaits

    async def load(self, db: Connection, partition: int) -> None:
        self._moments.pop(partition, None)
        self._venues[partition] = await store.load(db, partition, Market(self._terms, readable))

    def own(self, partition: int, event: Any) -> Sequence[Event | Out]:
        self._expect_terms(event)
        return self._venues[partition].own(event)

    def _expect_terms(self, event: Any) -> None:
        if isinstance(event, OrderApproved) and not self._terms.knows(event.season_id, event.instrument):
            raise TermsMissing(f"{event.season_id} {event.instrument}")
        if isinstance(event, INSTRUCTIONS) and event.season_id not in self._terms.rules:
            raise TermsMissing(event.season_id)

    def market(self, partition: int, record: MarketRecord) -> Sequence[Event | Out]:
        return self._venues[partition].market(record)

    def recall(self, partition: int, record: MarketRecord) -> None:
        self._venues[partition].recall(record)

    def passed(self, partition: int, through: datetime) -> Sequence[Event | Out]:
        return self._venues[partition].passed(through)

    def watermark(self, partition: int) -> bool:
        return partition in self._venues

    async def save(self, out: Writing) -> None:
        await store.save(out, self._venues.items(), self._moments)


def readable(record: core.MarketRecord) -> Any:
    """The record's event; None, with a line in the log, where it breaks its contract: one bad record stops no venue."""
    try:
        return record.event
    except BadRecord as error:
        log.error("market record passed over", instrument=record.instrument, at=str(record.at), reason=str(error))
        return None
