"""Records of the public topics to changes of the feed.

Marks and mark-caused portfolios are kept as bytes and parsed when a frame is due: of those that came in between only
the last of a key (and of an equity slot) is looked at, so a season at full speed costs little more than its headers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chassis.step import Partition, Record
from contracts.base import Event
from contracts.competition import RoundClosed, RoundOpened
from contracts.executions import OrderFilled
from contracts.portfolios import PortfolioUpdated
from contracts.wire import BadRecord, decode

from dashboard_api.core.changes import Change, from_event
from dashboard_api.core.equity import EquityPoint, point, slot
from dashboard_api.core.feed import Feed
from dashboard_api.core.fold import Fact, fold
from dashboard_api.core.rounds import Rounds
from dashboard_api.core.trades import Trade, TradeBook
from dashboard_api.handlers import MARKS

PORTFOLIOS = "portfolios.v1"


@dataclass
class Standing:
    """What the read model says of the durable topics: where it stands, and what it knows there."""

    offsets: dict[Partition, int] = field(default_factory=dict)
    seen: dict[tuple[Partition, str], int] = field(default_factory=dict)
    books: dict[Partition, TradeBook] = field(default_factory=dict)


class Intake:
    def __init__(
        self, feed: Feed, equity_step: timedelta, standing: Standing, equity_from: Mapping[Partition, int]
    ) -> None:
        self._feed, self._step, self._equity_from = feed, equity_step, equity_from
        self._books, self._seen = standing.books, standing.seen
        self.rounds = Rounds()
        self._late: dict[tuple[Any, ...], Record] = {}
        self.points: dict[tuple[str, str, datetime], EquityPoint] = {}
        """To be written; whoever writes them clears it."""
        self.counts: dict[str, int] = {}
        self.bad = 0

    def take(self, record: Record) -> bool:
        """Whether there is something to tell."""
        headers = dict(record.headers)
        kind = headers.get("ce_type", b"").decode("ascii", "replace").removeprefix("arena.")
        if kind == "time_advanced" or self._is_repeat(record, headers):
            return False
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if record.topic == MARKS:
            self._late[MARKS, record.key] = record
        elif record.topic == PORTFOLIOS and b'"cause":"mark"' in record.value and "ce_time" in headers:
            self._late[PORTFOLIOS, record.key, self._slot(headers["ce_time"])] = record
        else:
            self._now(record)
        return True

    def catch_up(self) -> None:
        """Parse what was put off."""
        records = sorted(self._late.values(), key=lambda record: (record.topic, record.partition, record.offset))
        self._late.clear()
        for record in records:
            self._now(record)

    def _now(self, record: Record) -> None:
        try:
            event: Event = decode(record.topic, record.value, record.headers)
        except BadRecord:
            self.bad += 1  # the read model sets it aside with the reason
            return
        if isinstance(event, PortfolioUpdated):
            self._draw(event, record)
        book = self._books.setdefault(Partition(record.topic, record.partition), TradeBook())
        facts = fold(book, event)
        told = [self._change(fact, event, record) for fact in facts]
        shown = None if facts else from_event(event)
        for change in (*told, shown) if shown else told:
            self._feed.offer(change)

    def _change(self, fact: Fact, event: Event, record: Record) -> Change:
        match fact:
            case OrderFilled():
                return Change("fill", fact, event.traceparent, record.timestamp)
            case Trade():
                return Change("trade", fact, event.traceparent)
            case RoundOpened() | RoundClosed():
                return Change("round", self.rounds.add(fact))
            case _:
                return Change("decision", fact, event.traceparent)

    def _draw(self, portfolio: PortfolioUpdated, record: Record) -> None:
        new = point(portfolio, self._step)
        if self._feed.board.belongs(portfolio.season_id):
            self._feed.board.draw(new)
        if record.offset >= self._equity_from.get(Partition(record.topic, record.partition), 0):
            known = self.points.get(new[:3])
            if known is None or known.seq < new.seq:
                self.points[new[:3]] = new

    def _slot(self, time: bytes) -> datetime | None:
        try:
            return slot(datetime.fromisoformat(time.decode()), self._step)
        except ValueError:
            return None

    def _is_repeat(self, record: Record, headers: Mapping[str, bytes]) -> bool:
        source, sequence = headers.get("ce_source"), headers.get("ce_sequence", b"")
        if source is None or not sequence.isdigit():
            return False
        where = Partition(record.topic, record.partition), source.decode("utf-8", "replace")
        if int(sequence) <= self._seen.get(where, -1):
            return True
        self._seen[where] = int(sequence)
        return False
