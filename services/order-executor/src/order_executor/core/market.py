"""What the venue needs to know of a market record, and the last book, mark and terms of each instrument."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from contracts.competition import SeasonChanged, SeasonRules
from contracts.margin import tiers_of
from contracts.market import BookUpdated, InstrumentListed, MarginTier, MarkUpdated
from contracts.money import ZERO


class MarketRecord(Protocol):
    """A record whose headers are read and whose value is parsed when somebody asks for the event."""

    @property
    def at(self) -> datetime: ...
    @property
    def instrument(self) -> str: ...
    @property
    def kind(self) -> str:
        """The event's type: `book_updated`, `mark_updated`, `bar_closed` …"""
        ...

    @property
    def event(self) -> Any: ...


class Fees(NamedTuple):
    maker: Decimal
    taker: Decimal


@dataclass(slots=True)
class Terms:
    """What instruments and seasons prescribe: the same for every unit."""

    instruments: dict[str, InstrumentListed] = field(default_factory=dict)
    tiers: dict[str, tuple[MarginTier, ...]] = field(default_factory=dict)
    rules: dict[str, SeasonRules] = field(default_factory=dict)

    def list(self, instrument: InstrumentListed) -> None:
        self.instruments[instrument.instrument] = instrument
        self.tiers[instrument.instrument] = tiers_of(instrument)

    def adopt(self, season: SeasonChanged) -> None:
        self.rules[season.season_id] = season.rules

    def knows(self, season_id: str, instrument: str) -> bool:
        return season_id in self.rules and instrument in self.instruments

    def capital(self, season_id: str) -> Decimal:
        """The opening balance of every account."""
        return self.rules[season_id].capital if season_id in self.rules else ZERO

    def open_orders_max(self, season_id: str) -> int:
        return self.rules[season_id].open_orders_max

    def order_age_max(self, season_id: str) -> timedelta:
        return timedelta(seconds=self.rules[season_id].order_age_max_s)

    def liquidation_fee(self, season_id: str, instrument: str) -> Decimal:
        """The taker fee, as OKX charges forced liquidations; a rebate is none."""
        return max(ZERO, self.fees(season_id, instrument).taker)

    def fees(self, season_id: str, instrument: str) -> Fees:
        """The season's where it sets them, else the instrument's own."""
        rules, own = self.rules[season_id], self.instruments[instrument]
        maker = own.maker_fee_rate if rules.maker_fee_rate is None else rules.maker_fee_rate
        taker = own.taker_fee_rate if rules.taker_fee_rate is None else rules.taker_fee_rate
        return Fees(maker, taker)


@dataclass(slots=True)
class Market:
    """The last books, marks and trades of one unit's time."""

    terms: Terms = field(default_factory=Terms)
    read: Callable[[MarketRecord], Any] = lambda record: record.event
    """The record's event; None where it breaks its contract."""
    books: dict[str, MarketRecord] = field(default_factory=dict)
    marks: dict[str, MarketRecord] = field(default_factory=dict)
    trades: dict[str, MarketRecord] = field(default_factory=dict)

    def remember(self, record: MarketRecord) -> None:
        if record.kind == "book_updated":
            self.books[record.instrument] = record
        elif record.kind == "mark_updated":
            self.marks[record.instrument] = record
        elif record.kind == "trade_printed":
            self.trades[record.instrument] = record

    def book(self, instrument: str) -> BookUpdated | None:
        record = self.books.get(instrument)
        return self.read(record) if record else None

    def printed(self, instrument: str) -> Decimal | None:
        """The price of the last trade; None until the first."""
        record = self.trades.get(instrument)
        trade = self.read(record) if record else None
        return trade.price if trade else None

    def mark(self, instrument: str) -> MarkUpdated | None:
        record = self.marks.get(instrument)
        return self.read(record) if record else None
