"""What is known of one instrument, and its way into a snapshot and into the saved progress."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.market import InstrumentSnapshot, Interval

from market_data.core.bars import Bar, Minute, RollUp, bar_of
from market_data.core.records import Marked, Quote
from market_data.core.snapshot import AVERAGED, Compute, average, series
from market_data.core.trust import Suspension, Trust

INTRADAY, CONTEXT = timedelta(minutes=3), timedelta(hours=4)
# An average begins with the oldest bar kept. Of 3-minute bars so many are kept that this weighs nothing in it.
INTRADAY_KEPT, CONTEXT_KEPT = 1_000, 180
INTRADAY_MINUTES = 3 * (INTRADAY_KEPT + 1)
"""The minutes of the bars kept, and of one that may not be whole."""
HISTORY = CONTEXT * CONTEXT_KEPT
"""How far back bars are of use."""


class Instrument:
    def __init__(self, name: str, since: datetime) -> None:
        self.name = name
        self.minute = Minute(since)
        self.intraday, self.context = RollUp(INTRADAY, INTRADAY_KEPT), RollUp(CONTEXT, CONTEXT_KEPT)
        self.last_price: str | None = None
        self.bid: str | None = None
        self.ask: str | None = None
        """Of the book that was published last; so is the mark."""
        self.mark: Marked | None = None
        self.interests: deque[Decimal] = deque(maxlen=AVERAGED)
        """Open interest at the close of the latest 3-minute intervals."""
        self.interest_sampled_at = since
        self.trust = Trust()
        self.told: Suspension | None = None
        """As the book that was published last says it."""
        self.top: Quote | None = None
        """The best levels of the last good book."""

    def quoted(self, quote: Quote) -> None:
        self.bid = quote.bids[0][0] if quote.bids else None
        self.ask = quote.asks[0][0] if quote.asks else None
        self.top = Quote(quote.sequence, quote.bids[:1], quote.asks[:1])

    def marked(self, at: datetime, mark: Marked) -> None:
        self.mark = mark
        if mark.open_interest is not None and at >= self.interest_sampled_at + INTRADAY:
            self.interests.append(Decimal(mark.open_interest))
            self.interest_sampled_at = at

    def add(self, minute: Bar) -> None:
        self.intraday.add(minute)
        self.context.add(minute)

    def preload(self, minutes: Iterable[Bar]) -> None:
        """Closed minutes of the past; `settle` afterwards."""
        whole = list(minutes)
        for minute in whole[-INTRADAY_MINUTES:]:
            self.intraday.add(minute)
        for minute in whole:
            self.context.add(minute)

    def close(self, through: datetime) -> Bar | None:
        """The minute that is over by now, if it traded."""
        bar = self.minute.closed(through)
        if bar is not None:
            self.add(bar)
        self.settle(through)
        return bar

    def settle(self, through: datetime) -> None:
        """Close the longer bars that are over by now."""
        self.intraday.close(through)
        self.context.close(through)

    def snapshot(self, compute: Compute) -> InstrumentSnapshot:
        mark = self.mark or Marked(None, None, None, None, None, None)
        return InstrumentSnapshot(
            instrument=self.name,
            bid=decimal(self.bid),
            ask=decimal(self.ask),
            mark_price=decimal(mark.mark_price),
            index_price=decimal(mark.index_price),
            last_price=decimal(self.last_price),
            funding_rate=decimal(mark.funding_rate),
            next_funding_at=mark.next_funding_at,
            open_interest=decimal(mark.open_interest),
            open_interest_average=average(list(self.interests)),
            intraday=_series("3m", self.intraday, compute),
            context=_series("4h", self.context, compute),
        )

    def dump(self) -> dict[str, Any]:
        """Everything but the longer bars, which are made again from the minutes that were written down."""
        bar = self.minute.bar
        return {
            "last_price": self.last_price,
            "bid": self.bid,
            "ask": self.ask,
            "mark": None if self.mark is None else dump_mark(self.mark),
            "interests": [str(interest) for interest in self.interests],
            "interest_sampled_at": self.interest_sampled_at.isoformat(),
            "trust": self.trust.dump(),
            "told": self.told,
            "top": self.top,
            "bar": None if bar is None else {name: str(getattr(bar, name)) for name in Bar.__slots__},
        }

    def load(self, dumped: dict[str, Any]) -> None:
        self.last_price, self.bid, self.ask = dumped["last_price"], dumped["bid"], dumped["ask"]
        self.mark = None if dumped["mark"] is None else load_mark(dumped["mark"])
        self.interests.extend(map(Decimal, dumped["interests"]))
        self.interest_sampled_at = datetime.fromisoformat(dumped["interest_sampled_at"])
        if "trust" in dumped:  # progress that was saved before there was such a thing has none
            self._load_trust(dumped["trust"], dumped["told"], dumped["top"])
        if (bar := dumped["bar"]) is not None:
            self.minute.bar = bar_of(datetime.fromisoformat(bar.pop("opened_at")), **bar)

    def _load_trust(self, trust: list[Any], told: Suspension | None, top: list[Any] | None) -> None:
        self.trust, self.told = Trust.loaded(trust), told
        if top is not None:
            sequence, bids, asks = top
            self.top = Quote(sequence, [(p, q) for p, q in bids], [(p, q) for p, q in asks])


def _series(interval: Interval, bars: RollUp, compute: Compute) -> Any:
    return series(interval, bars.length, list(bars.bars), compute)


def decimal(written: str | None) -> Decimal | None:
    return None if written is None else Decimal(written)


def dump_mark(mark: Marked) -> list[str | None]:
    return [value.isoformat() if isinstance(value, datetime) else value for value in mark]


def load_mark(dumped: list[Any]) -> Marked:
    mark = Marked(*dumped)
    funding_at = mark.next_funding_at
    return mark._replace(next_funding_at=None if funding_at is None else datetime.fromisoformat(str(funding_at)))
