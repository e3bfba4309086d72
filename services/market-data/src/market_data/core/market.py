"""The whole market of one venue: what the feed says goes in, records come out, in order of their time."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from contracts.base import named_id
from contracts.market import BarClosed, InstrumentSnapshot, MarketSnapshot, NewsItem, NewsPublished
from contracts.wire import Encoded, encode

from market_data.core import records
from market_data.core.bars import MINUTE, Bar, floored
from market_data.core.conflation import Conflated
from market_data.core.instrument import Instrument, dump_mark, load_mark
from market_data.core.news.quarantine import Read, Reading, Refused, read_news, read_on_chain
from market_data.core.records import Levels, Marked, Quote
from market_data.core.snapshot import Compute, snapshot
from market_data.core.trust import Suspension

NEWS_SHOWN = 10
LEVELS = 20


class MarkRow(NamedTuple):
    """A mark for the history."""

    at: datetime
    instrument: str
    mark: Marked


class Market:
    def __init__(
        self,
        venue: str,
        instruments: Iterable[str],
        compute: Compute,
        *,
        begins_at: datetime,
        book_grid: timedelta = timedelta(milliseconds=100),
        mark_grid: timedelta = timedelta(seconds=1),
        silent_after: timedelta | None = None,
    ) -> None:
        """`silent_after`: an instrument without a book for so long is suspended; None: never."""
        whole_minutes_from = floored(begins_at + MINUTE - timedelta(microseconds=1), MINUTE)
        self._venue, self._compute, self._silent_after = venue, compute, silent_after
        self.instruments = {name: Instrument(name, whole_minutes_from) for name in sorted(instruments)}
        self._books: Conflated[Quote] = Conflated(book_grid)
        self._marks: Conflated[Marked] = Conflated(mark_grid)
        self._news: deque[NewsItem] = deque(maxlen=NEWS_SHOWN)
        self._assets = {name.split("-", 1)[0]: name for name in self.instruments}
        self.refused: Counter[str] = Counter()
        """News that the quarantine kept, by reason."""
        self._minute_ends = floored(begins_at, MINUTE) + MINUTE
        self._out: list[Encoded] = []
        self.bars: list[BarClosed] = []
        """Closed since they were last taken, for the history; so the marks."""
        self.marks: list[MarkRow] = []

    def book(self, at: datetime, instrument: str, sequence: int, bids: Levels, asks: Levels) -> None:
        self._before(at)
        self._books.put(at, instrument, Quote(sequence, bids[:LEVELS], asks[:LEVELS]))

    def gap(self, at: datetime, instrument: str) -> None:
        self._before(at)
        self._books.drop(instrument)
        self.instruments[instrument].trust.see_gap()
        self._tell_trust(at, self.instruments[instrument])

    def trade(self, at: datetime, instrument: str, trade_id: str, price: str, quantity: str, aggressor: str) -> None:
        self._before(at)
        known = self.instruments[instrument]
        known.minute.trade(at, Decimal(price), Decimal(quantity))
        known.last_price = price
        self._out.append(records.trade_record(self._venue, at, instrument, trade_id, price, quantity, aggressor))

    def mark(self, at: datetime, instrument: str, mark: Marked) -> None:
        self._before(at)
        if mark.last_price is None:
            mark = mark._replace(last_price=self.instruments[instrument].last_price)
        self._marks.put(at, instrument, mark)

    def news(self, at: datetime, source: str, headline: str, body: str = "") -> None:
        """Goes out as the quarantine read it, or to the dead letters with the reason."""
        self._told(at, lambda: read_news(source, headline, body, self._assets), (source, headline, body))

    def on_chain(self, at: datetime, source: str, metric: str, asset: str, value: str) -> None:
        self._told(
            at, lambda: read_on_chain(source, metric, asset, value, self._assets), (source, metric, asset, value)
        )

    def _told(self, at: datetime, read: Callable[[], Read | Reading], raw: tuple[str, ...]) -> None:
        self._before(at)
        try:
            found = read()
        except Refused as refused:
            self.refused[refused.reason] += 1
            self._out.append(records.dead_letter(at, str(refused), raw))
            return
        fields = {"at": at, "kind": "news" if isinstance(found, Read) else "on_chain", **found._asdict()}
        self._news.append(NewsItem.model_validate(fields))
        event_id = named_id("market-data", self._venue, "news", found.source, at.isoformat(), found.headline)
        self._out.append(encode(NewsPublished.model_validate({"event_id": event_id, **fields})))

    def advance(self, through: datetime) -> list[Encoded]:
        """Nothing at or before `through` will follow: what came out since the last call."""
        self._let_out(through)
        if through >= self._minute_ends:
            self._close_minutes(through)
        if self._silent_after is not None:
            self._listen(through, self._silent_after)
        out, self._out = self._out, []
        return out

    def _before(self, at: datetime) -> None:
        """All that is due before `at` comes out first; what happens at a grid point still belongs to it."""
        if self._books.is_due(at) or self._marks.is_due(at):
            self._let_out(at - timedelta(microseconds=1))
        if at >= self._minute_ends:
            self._close_minutes(at)

    def _let_out(self, through: datetime) -> None:
        if self._books.is_due(through):
            for at, instrument, quote in self._books.let_out():
                self._show(at, self.instruments[instrument], quote)
        if self._marks.is_due(through):
            for at, instrument, mark in self._marks.let_out():
                self._mark(at, self.instruments[instrument], mark)

    def _show(self, at: datetime, known: Instrument, quote: Quote) -> None:
        if not known.trust.see_book(at, quote.bids, quote.asks):
            self._tell_trust(at, known)
            return
        known.quoted(quote)
        known.told = known.trust.suspended
        self._out.append(records.book_record(self._venue, at, known.name, quote, known.told))

    def _mark(self, at: datetime, known: Instrument, mark: Marked) -> None:
        is_good = known.trust.see_mark(at, mark.mark_price or "")
        self._tell_trust(at, known)
        if is_good:
            known.marked(at, mark)
            self.marks.append(MarkRow(at, known.name, mark))
            self._out.append(records.mark_record(self._venue, at, known.name, mark))

    def _listen(self, through: datetime, silent_after: timedelta) -> None:
        for known in self.instruments.values():
            known.trust.see_time(through, silent_after)
            self._tell_trust(through, known)

    def _tell_trust(self, at: datetime, known: Instrument) -> None:
        """The last good levels again, where trust in them has changed; nothing before the first book."""
        if known.top is not None and known.trust.suspended != known.told:
            known.told = known.trust.suspended
            self._out.append(records.book_record(self._venue, at, known.name, known.top, known.told))

    @property
    def suspended(self) -> dict[str, Suspension]:
        """Why, by instrument; those that may be traded are not in it."""
        return {name: why for name, known in self.instruments.items() if (why := known.trust.suspended) is not None}

    def _close_minutes(self, through: datetime) -> None:
        self._minute_ends = floored(through, MINUTE) + MINUTE
        for name, known in self.instruments.items():
            if (bar := known.close(through)) is not None:
                event = self._bar_closed(name, bar)
                self.bars.append(event)
                self._out.append(encode(event))

    def _bar_closed(self, instrument: str, bar: Bar) -> BarClosed:
        event_id = named_id("market-data", self._venue, "bar", instrument, "1m", bar.opened_at.isoformat())
        return BarClosed(
            event_id=event_id,
            at=bar.opened_at + MINUTE,
            instrument=instrument,
            venue=self._venue,
            interval="1m",
            opened_at=bar.opened_at,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            turnover=bar.turnover,
            trades=bar.trades,
        )

    def snapshot(self, season_id: str, round: int, at: datetime, instruments: Sequence[str]) -> MarketSnapshot:
        """As of `at`, to which it has been advanced. An instrument that the venue does not have is all null."""
        known = [self.instruments.get(name) or Instrument(name, at) for name in instruments]
        shown: list[InstrumentSnapshot] = [instrument.snapshot(self._compute) for instrument in known]
        return snapshot(season_id, round, at, self._venue, shown, list(self._news))

    def settle(self, through: datetime) -> None:
        """After closed minutes of the past were loaded."""
        for known in self.instruments.values():
            known.settle(through)

    def taken(self) -> tuple[list[BarClosed], list[MarkRow]]:
        """The history's new rows, once."""
        bars, marks = self.bars, self.marks
        self.bars, self.marks = [], []
        return bars, marks

    def dump(self) -> dict[str, Any]:
        """JSON of where the market stands after `advance`; the history's rows and the longer bars are not in it."""
        books_at, books = self._books.waiting
        marks_at, marks = self._marks.waiting
        return {
            "instruments": {name: known.dump() for name, known in self.instruments.items()},
            "books": [books_at and books_at.isoformat(), {name: list(quote) for name, quote in books.items()}],
            "marks": [marks_at and marks_at.isoformat(), {name: dump_mark(mark) for name, mark in marks.items()}],
            "news": [item.model_dump(mode="json") for item in self._news],
            "minute_ends": self._minute_ends.isoformat(),
        }

    def load(self, dumped: dict[str, Any]) -> None:
        for name, known in dumped["instruments"].items():
            self.instruments[name].load(known)
        at, books = dumped["books"]
        self._books.restore(at and datetime.fromisoformat(at), {name: _quote(*quote) for name, quote in books.items()})
        at, marks = dumped["marks"]
        self._marks.restore(at and datetime.fromisoformat(at), {name: load_mark(mark) for name, mark in marks.items()})
        self._news.extend(NewsItem.model_validate(item) for item in dumped["news"])
        self._minute_ends = datetime.fromisoformat(dumped["minute_ends"])


def _quote(sequence: int, bids: list[list[str]], asks: list[list[str]]) -> Quote:
    return Quote(sequence, [(price, size) for price, size in bids], [(price, size) for price, size in asks])
