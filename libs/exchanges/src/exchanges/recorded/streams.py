"""Raw Binance USD-M stream files as a venue; the local receive time is arena time.

The recording has no mark price stream: the mark is the middle of the best bid and ask (of `bookTicker`, which is ahead
of the depth stream and never patches it). Index price, funding and open interest were not recorded and stay null.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
from contracts.market import InstrumentListed
from contracts.types import EPOCH, plain

from exchanges.defects import Defects
from exchanges.listing import LISTINGS, Listing, listed
from exchanges.recorded.frames import BookTicker, DepthDiff, Frame, TradeFrame, decode
from exchanges.recorded.lines import head, merged
from exchanges.recorded.order_book import OrderBook
from exchanges.updates import Bar, Book, Gap, Mark, Step, Trade, Update

STEP_US = 100_000
LEVELS = 20
_MICROSECOND = timedelta(microseconds=1)


class _Market:
    """One instrument of the recording, between two steps."""

    def __init__(self, listing: Listing) -> None:
        self.instrument = listing.instrument
        self.book = OrderBook()
        self.changed_us = 0
        """When the book changed since the last step; 0: it did not."""
        self.ticker: BookTicker | None = None
        self.ticked_us = 0
        self.last_price: str | None = None
        self.trades: list[Trade] = []
        self.lost_us = 0
        """When the book lost its sequence since the last step; 0: it did not."""


class RecordedStreams:
    name = "binance-usdm-recorded"

    def __init__(self, paths: Sequence[Path], *, step_us: int = STEP_US) -> None:
        self._paths, self._step_us = list(paths), step_us
        self._listings = [_listing_of(path) for path in self._paths]
        self.defects = Defects()
        self.starts_at: datetime | None = _first_time(self._paths)

    def instruments(self, at: datetime) -> Sequence[InstrumentListed]:
        return [listed(listing, self.name, at) for listing in dict.fromkeys(self._listings)]

    def history(self, before: datetime) -> Sequence[Bar]:  # noqa: ARG002  # nothing was recorded before the streams
        return ()

    def feed(self, start: datetime, resume: bytes | None = None) -> "StreamsFeed":
        """Everything from `start` on; what came before is applied to the books in silence."""
        self.defects = Defects()
        after = start if resume is None else datetime.fromisoformat(msgspec.json.decode(resume)["at"])
        return StreamsFeed(self._paths, self._listings, self.defects, after, self._step_us)


class StreamsFeed:
    """Frames applied to books; at the end of each step, what they came to."""

    def __init__(
        self, paths: Sequence[Path], listings: Sequence[Listing], defects: Defects, after: datetime, step_us: int
    ) -> None:
        self._paths, self._defects, self._after, self._step_us = paths, defects, after, step_us
        markets = {listing: _Market(listing) for listing in listings}
        self._markets = list(markets.values())
        self._by_file = [markets[listing] for listing in listings]
        self._by_symbol = {f"{listing.base}USDT": market for listing, market in markets.items()}
        self.frames = 0
        self._at = after

    def state(self) -> bytes:
        return msgspec.json.encode({"at": self._at.isoformat()})

    def __iter__(self) -> Iterator[Step]:
        after_us, step_us = (self._after - EPOCH) // _MICROSECOND, self._step_us
        end_us = 0
        for received, number, frame in merged(self._paths, self._defects):
            if received > end_us:
                if end_us:
                    yield from self._steps(end_us, received, after_us)
                end_us = -(-received // step_us) * step_us
            self._take(received, number, frame)
        if end_us > after_us:
            yield self._step(end_us)

    def _steps(self, end_us: int, until_us: int, after_us: int) -> Iterator[Step]:
        """The step that ended, and the silent ones up to the next frame: time passes in them too."""
        for at_us in range(end_us, until_us, self._step_us):
            step = self._step(at_us)
            if at_us > after_us:
                yield step

    def _take(self, received: int, number: int, line: bytes) -> None:
        self.frames += 1
        try:
            frame = decode(line)
        except msgspec.MsgspecError as error:
            self._defects.note(f"bad frame ({error})", f"frame {self.frames}")
            return
        data = frame.data
        if data is None:
            self._take_snapshot(received, self._by_file[number], frame)
        elif (market := self._by_symbol.get(data.s)) is None:
            self._defects.note(f"unknown symbol {data.s}", f"frame {self.frames}")
        elif type(data) is BookTicker:
            market.ticker, market.ticked_us = data, received
        elif type(data) is DepthDiff:
            self._apply(received, market, data)
        elif type(data) is TradeFrame:
            self._print(received, market, data)

    def _take_snapshot(self, received: int, market: _Market, frame: Frame) -> None:
        if frame.lastUpdateId is None:
            self._defects.note("neither a stream nor a snapshot", f"frame {self.frames}")
            return
        market.book.snapshot(frame.lastUpdateId, frame.bids, frame.asks)
        market.changed_us = received

    def _apply(self, received: int, market: _Market, event: DepthDiff) -> None:
        gaps = market.book.gaps
        market.book.diff(event)
        market.changed_us = received
        if market.book.gaps > gaps:
            self._defects.note(f"gap in the depth of {market.instrument}", f"update {event.u}")
            market.lost_us = received

    def _print(self, received: int, market: _Market, trade: TradeFrame) -> None:
        if not trade.q.strip("0."):  # Binance prints settlements of nothing as trades of quantity zero
            return
        side = "sell" if trade.m else "buy"
        market.trades.append(Trade(_time(received), market.instrument, str(trade.t), trade.p, trade.q, side))
        market.last_price = trade.p

    def _step(self, end_us: int) -> Step:
        updates: list[Update] = []
        for market in self._markets:
            updates += market.trades
            market.trades = []
            if market.lost_us and not market.book.in_sync:
                updates.append(Gap(_time(market.lost_us), market.instrument))
            if market.changed_us and market.book.in_sync:
                bids, asks = market.book.best(LEVELS)
                updates.append(Book(_time(market.changed_us), market.instrument, market.book.sequence, bids, asks))
            if market.ticker is not None and market.ticked_us:
                mid = plain((Decimal(market.ticker.b) + Decimal(market.ticker.a)) / 2)
                updates.append(Mark(_time(market.ticked_us), market.instrument, mid, last_price=market.last_price))
            market.changed_us = market.ticked_us = market.lost_us = 0
        updates.sort(key=lambda update: update.at)
        self._at = _time(end_us)
        return Step(self._at, updates)


def _time(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)


def _listing_of(path: Path) -> Listing:
    """A snapshot names no symbol: it is that of its file, told by the first frame that has one."""
    for line in head(path, 1_000):
        try:
            data = decode(line).data
        except msgspec.MsgspecError:
            continue
        if data is not None and data.s.removesuffix("USDT") in LISTINGS:
            return LISTINGS[data.s.removesuffix("USDT")]
    raise ValueError(f"{path.name}: none of its first 1,000 frames is of a symbol that is known")


def _first_time(paths: Sequence[Path]) -> datetime:
    first = next(iter(merged(paths, Defects())), None)
    if first is None:
        raise ValueError(f"{paths[0].name}: no line with a time")
    return _time(first[0])
