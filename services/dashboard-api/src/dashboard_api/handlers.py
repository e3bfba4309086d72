"""What the read model reads and keeps."""

from collections.abc import Sequence

from chassis.step import Connection, Out, Partition, Writing
from contracts.base import Event
from contracts.topics import TOPICS

from dashboard_api.core.fold import Fact, fold
from dashboard_api.core.trades import TradeBook
from dashboard_api.store import load_book, save_facts, save_open_trades

DURABLE = ("executions.v1", "signals.v1", "orders.v1", "rounds.v1")
"""Kept in Postgres by the step, each record once."""
STANDING = ("competition.v1", "market.instruments.v1")
LATEST = ("portfolios.v1", "leaderboard.v1")
"""Both compacted: the broker itself keeps the last of each key."""
MARKS = "market.marks.v1"
STREAMED = (*STANDING, *DURABLE, *LATEST, MARKS)

if any(not TOPICS[name].public for name in STREAMED):
    raise RuntimeError("the page shows public topics only")


class ReadModel:
    """The stage: nothing goes out, facts are kept."""

    def __init__(self) -> None:
        self._books: dict[Partition, TradeBook] = {}
        self._facts: list[Fact] = []

    async def load(self, db: Connection, partition: Partition) -> None:
        self._books[partition] = await load_book(db, partition)

    async def prepare(self, events: Sequence[Event]) -> None:
        """Nothing to wait for."""

    def decide(self, partition: Partition, event: Event) -> Sequence[Event | Out]:
        self._facts += fold(self._books[partition], event)
        return ()

    async def save(self, out: Writing) -> None:
        save_facts(out, self._facts)
        save_open_trades(out, self._books)
        self._facts.clear()
