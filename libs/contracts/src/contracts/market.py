"""What the markets did, and the one snapshot a round that every competitor is shown."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from contracts.base import Event, InstrumentEvent, Model, SeasonEvent
from contracts.types import (
    Confidence,
    Count,
    InstrumentId,
    Label,
    Leverage,
    Name,
    Number,
    Price,
    Quantity,
    Rate,
    Round,
    Sentiment,
    Sequence,
    Sha256,
    Side,
    Size,
    Time,
    UsdSize,
)

Interval = Literal["1m", "3m", "5m", "15m", "1h", "4h", "1d"]
Suspension = Literal["silent", "gap", "crossed", "absurd"]
"""Why market data does not stand for its prices: nothing came, something was lost, bids at or above asks, a size or
price out of all proportion."""
Level = tuple[Price, Quantity]
"""(price, quantity) of one side of the book."""


class MarginTier(Model):
    """One row of a venue's position tiers. `deduction` is Binance's cumulative maintenance amount, zero elsewhere."""

    floor: Size
    cap: Size
    unit: Literal["contracts", "notional"] = "notional"
    leverage_max: Leverage
    maintenance_margin_rate: Rate
    deduction: UsdSize


class InstrumentListed(InstrumentEvent):
    """A linear perpetual: what may be traded in which steps, at which fees and margins."""

    topic: ClassVar[str] = "market.instruments.v1"

    type: Literal["instrument_listed"] = "instrument_listed"
    venue: Label
    base: Label
    quote: Label
    tick_size: Price
    lot_size: Quantity
    quantity_min: Quantity
    quantity_max: Quantity
    notional_min: UsdSize
    contract_value: Quantity
    """Base units in one contract; quantities on the wire are always base units."""
    leverage_max: Leverage
    maker_fee_rate: Rate
    taker_fee_rate: Rate
    funding_interval_hours: Annotated[int, Field(ge=1, le=24)]
    tiers: Annotated[tuple[MarginTier, ...], Field(max_length=100)] = ()


class BookUpdated(InstrumentEvent):
    """The best levels of the book as of `at`, bids from the highest down, asks from the lowest up."""

    topic: ClassVar[str] = "market.quotes.v1"

    type: Literal["book_updated"] = "book_updated"
    venue: Label
    sequence: Sequence
    bids: Annotated[tuple[Level, ...], Field(max_length=50)]
    asks: Annotated[tuple[Level, ...], Field(max_length=50)]
    suspended: Suspension | None = None
    """No new orders, until a book says null again; the levels are the last good ones."""


class TradePrinted(InstrumentEvent):
    topic: ClassVar[str] = "market.trades.v1"

    type: Literal["trade_printed"] = "trade_printed"
    venue: Label
    venue_trade_id: Label
    price: Price
    quantity: Quantity
    aggressor: Side


class BarClosed(InstrumentEvent):
    """A bar that will not change any more; `at` is its close."""

    topic: ClassVar[str] = "market.bars.v1"

    type: Literal["bar_closed"] = "bar_closed"
    venue: Label
    interval: Interval
    opened_at: Time
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Size
    """Base units."""
    turnover: UsdSize
    trades: Count


class MarkUpdated(InstrumentEvent):
    topic: ClassVar[str] = "market.marks.v1"

    type: Literal["mark_updated"] = "mark_updated"
    venue: Label
    mark_price: Price
    index_price: Price | None = None
    last_price: Price | None = None
    funding_rate: Rate | None = None
    """Of one interval; longs pay shorts where it is above zero."""
    next_funding_at: Time | None = None
    open_interest: Size | None = None
    """Base units."""


class TimeAdvanced(Event):
    """A watermark: nothing at or before `at` follows in this partition."""

    topic: ClassVar[str] = "market.quotes.v1"

    type: Literal["time_advanced"] = "time_advanced"
    partition: Annotated[int, Field(ge=0, le=10_000)]
    closed_round: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    """Lockstep: every order of this round and of those before it is in `orders.v1`."""

    @property
    def key(self) -> str:
        return f"partition/{self.partition}"


NewsKind = Literal["news", "on_chain"]
OnChainMetric = Literal[
    "exchange_netflow", "active_addresses", "transaction_count", "large_transfers", "hash_rate", "stablecoin_supply"
]
Headline = Annotated[str, Field(min_length=1, max_length=200)]


class NewsPublished(Event):
    """Untrusted text from outside, read in quarantine: it is data, never an instruction."""

    topic: ClassVar[str] = "market.news.v1"

    type: Literal["news_published"] = "news_published"
    source: Label
    kind: NewsKind = "news"
    headline: Headline
    instruments: Annotated[tuple[InstrumentId, ...], Field(max_length=50)] = ()
    """Of the venue's, those that the text names."""
    sentiment: Sentiment | None = None
    """Of the text's own words; null of a reading on a chain."""
    confidence: Confidence | None = None
    """How much of the text speaks for that sentiment."""
    metric: OnChainMetric | None = None
    """`on_chain` only, with its value."""
    value: Number | None = None

    @property
    def key(self) -> str:
        return self.source


class IndicatorSeries(Model):
    """Indicators of one interval, oldest first; null until the indicator is warm."""

    interval: Interval
    closes_at: Annotated[tuple[Time, ...], Field(max_length=100)]
    close: Annotated[tuple[Price, ...], Field(max_length=100)]
    volume: Annotated[tuple[Size, ...], Field(max_length=100)]
    ema20: Annotated[tuple[Number | None, ...], Field(max_length=100)]
    ema50: Annotated[tuple[Number | None, ...], Field(max_length=100)]
    macd: Annotated[tuple[Number | None, ...], Field(max_length=100)]
    rsi7: Annotated[tuple[Number | None, ...], Field(max_length=100)]
    rsi14: Annotated[tuple[Number | None, ...], Field(max_length=100)]
    atr3: Annotated[tuple[Number | None, ...], Field(max_length=100)]
    atr14: Annotated[tuple[Number | None, ...], Field(max_length=100)]
    volume_average: Number | None = None


class InstrumentSnapshot(Model):
    instrument: InstrumentId
    bid: Price | None
    ask: Price | None
    mark_price: Price | None
    index_price: Price | None
    last_price: Price | None
    funding_rate: Rate | None
    next_funding_at: Time | None
    open_interest: Size | None
    open_interest_average: Number | None
    intraday: IndicatorSeries
    """3-minute bars."""
    context: IndicatorSeries
    """4-hour bars."""


class NewsItem(Model):
    at: Time
    source: Label
    kind: NewsKind = "news"
    headline: Headline
    instruments: Annotated[tuple[InstrumentId, ...], Field(max_length=50)] = ()
    sentiment: Sentiment | None = None
    confidence: Confidence | None = None
    metric: OnChainMetric | None = None
    value: Number | None = None


class MarketSnapshot(SeasonEvent):
    """The same bytes for everyone: `sha256` is that of `contracts.canonical.snapshot_bytes(snapshot)`."""

    topic: ClassVar[str] = "market.snapshots.v1"

    type: Literal["market_snapshot"] = "market_snapshot"
    round: Round
    venue: Name
    instruments: Annotated[tuple[InstrumentSnapshot, ...], Field(max_length=100)]
    news: Annotated[tuple[NewsItem, ...], Field(max_length=50)] = ()
    sha256: Sha256

    @model_validator(mode="after")
    def _each_instrument_once(self) -> "MarketSnapshot":
        names = [entry.instrument for entry in self.instruments]
        if len(set(names)) != len(names):
            raise ValueError("instruments: each may stand in a snapshot once")
        return self


MarketEvent = Annotated[
    BookUpdated | TradePrinted | BarClosed | MarkUpdated | TimeAdvanced, Field(discriminator="type")
]
QuoteEvent = Annotated[BookUpdated | TimeAdvanced, Field(discriminator="type")]
TradeEvent = Annotated[TradePrinted | TimeAdvanced, Field(discriminator="type")]
BarEvent = Annotated[BarClosed | TimeAdvanced, Field(discriminator="type")]
MarkEvent = Annotated[MarkUpdated | TimeAdvanced, Field(discriminator="type")]
