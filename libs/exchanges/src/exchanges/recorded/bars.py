"""A file of one-minute bars (timestamp of the opening, open, high, low, close, volume in USD) as a venue.

Inside a minute nothing is known but four prices, so the path is a convention: the open at second 0, the nearer extreme
at 20 (the low of a rising bar, the high of a falling one), the other at 40, the close at 55; straight lines between, a
step every 5 s. A quarter of the volume trades at each of the four: the bars built from the trades are the file's.
The book is a convention as well: the spread is one basis point around the price, 20 levels a side one basis point apart
with 50,000 USD each. The mark is the path's price. Index price, funding and open interest are not in the file and stay
null.
"""

import csv
import gzip
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple, TextIO
from zlib import error as zlib_error

import msgspec
from contracts.market import InstrumentListed
from contracts.types import plain

from exchanges.defects import Defects
from exchanges.listing import LISTINGS, Listing, listed
from exchanges.updates import Bar, Book, Levels, Mark, Step, Trade, Update

MINUTE = timedelta(minutes=1)
STEP_S = 5
CORNERS_S = (0, 20, 40, 55)
LEVELS = 20
LEVEL_USD = Decimal(50_000)
BASIS_POINT = Decimal("0.0001")
HISTORY = timedelta(days=30)


class _Row(NamedTuple):
    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume_usd: Decimal


class RecordedBars:
    name = "bars-recorded"

    def __init__(self, path: Path) -> None:
        self._path, self.defects = path, Defects()
        base = path.name.partition("_")[0].upper()
        if base not in LISTINGS:
            raise ValueError(f"{path.name}: a bar file is named for its base asset, such as btc_perp_1m.csv.gz")
        self._listing = LISTINGS[base]
        first = next(_rows(path, Defects()), None)
        if first is None:
            raise ValueError(f"{path.name}: no bars")
        self.starts_at: datetime | None = first.opened_at

    def instruments(self, at: datetime) -> Sequence[InstrumentListed]:
        return [listed(self._listing, self.name, at)]

    def history(self, before: datetime) -> Iterator[Bar]:
        """The file's own bars of the 30 days before."""
        for row in _rows(self._path, Defects()):
            if row.opened_at + MINUTE > before:
                return
            if row.opened_at >= before - HISTORY:
                yield self._bar(row)

    def _bar(self, row: _Row) -> Bar:
        parts, prices = _quarters(row, self._listing), _corners(row)
        turnover = sum((price * part for price, part in zip(prices, parts, strict=True)), Decimal(0))
        return Bar(
            instrument=self._listing.instrument,
            opened_at=row.opened_at,
            open=plain(row.open),
            high=plain(row.high),
            low=plain(row.low),
            close=plain(row.close),
            volume=plain(sum(parts, Decimal(0))),
            turnover=plain(turnover),
            trades=len(prices),
        )

    def feed(self, start: datetime, resume: bytes | None = None) -> "BarsFeed":
        self.defects = Defects()
        after = start if resume is None else datetime.fromisoformat(msgspec.json.decode(resume)["at"])
        return BarsFeed(self._path, self._listing, self.defects, after, inclusive=resume is None)


class BarsFeed:
    def __init__(self, path: Path, listing: Listing, defects: Defects, after: datetime, *, inclusive: bool) -> None:
        self._path, self._listing, self._defects, self._after = path, listing, defects, after
        self._inclusive = inclusive
        self._at = after

    def state(self) -> bytes:
        return msgspec.json.encode({"at": self._at.isoformat()})

    def __iter__(self) -> Iterator[Step]:
        for row in _rows(self._path, self._defects):
            if row.opened_at + MINUTE > self._after:
                yield from self._minute(row)

    def _minute(self, row: _Row) -> Iterator[Step]:
        corners = dict(zip(CORNERS_S, zip(_corners(row), _quarters(row, self._listing), strict=True), strict=True))
        for second in range(0, 60, STEP_S):
            at = row.opened_at + timedelta(seconds=second)
            if at > self._after or (self._inclusive and at == self._after):
                self._at = at
                yield Step(at, self._updates(at, _price_at(row, second, self._listing), corners.get(second)))

    def _updates(self, at: datetime, price: Decimal, trade: tuple[Decimal, Decimal] | None) -> list[Update]:
        instrument, sequence = self._listing.instrument, int(at.timestamp())
        written, updates = plain(price), list[Update]()
        if trade is not None:
            side = "buy" if at.second in (0, 40) else "sell"
            updates.append(Trade(at, instrument, str(sequence), plain(trade[0]), plain(trade[1]), side))
        updates.append(Book(at, instrument, sequence, *_book(price, self._listing)))
        updates.append(Mark(at, instrument, written, last_price=written))
        return updates


def _rows(path: Path, defects: Defects) -> Iterator[_Row]:
    count = 0
    try:
        with _opened(path) as file:
            for count, line in enumerate(csv.DictReader(file), 2):
                try:
                    yield _row(line)
                except (KeyError, TypeError, ValueError, InvalidOperation):
                    defects.note("bad bar", f"{path.name}:{count}")
    except (EOFError, gzip.BadGzipFile, zlib_error) as error:
        defects.ended_by = f"{path.name} is damaged after line {count}: {error}"


def _opened(path: Path) -> TextIO:
    return TextIOWrapper(gzip.open(path, "rb")) if path.suffix == ".gz" else path.open(encoding="utf-8", newline="")


def _row(line: dict[str, str]) -> _Row:
    opened_at = datetime.fromisoformat(line["timestamp"])
    numbers = [Decimal(line[name]) for name in ("open", "high", "low", "close", "volume")]
    if not all(number.is_finite() and number > 0 for number in numbers[:4]) or not numbers[4].is_finite():
        raise ValueError("a price is a number above zero")
    return _Row(opened_at if opened_at.tzinfo else opened_at.replace(tzinfo=UTC), *numbers)


def _corners(row: _Row) -> tuple[Decimal, ...]:
    nearer, other = (row.low, row.high) if row.close >= row.open else (row.high, row.low)
    return row.open, nearer, other, row.close


def _quarters(row: _Row, listing: Listing) -> list[Decimal]:
    """Base units traded at each corner, at least a lot."""
    lot = Decimal(listing.lot_size)
    return [max(lot, (row.volume_usd / 4 / price // lot) * lot) for price in _corners(row)]


def _price_at(row: _Row, second: int, listing: Listing) -> Decimal:
    corners = _corners(row)
    if second in CORNERS_S:
        return corners[CORNERS_S.index(second)]
    index = max(i for i, corner in enumerate(CORNERS_S) if corner < second)
    begin, end = CORNERS_S[index : index + 2]
    price = corners[index] + (corners[index + 1] - corners[index]) * (second - begin) / (end - begin)
    return price.quantize(Decimal(listing.tick_size), ROUND_HALF_EVEN)


def _book(price: Decimal, listing: Listing) -> tuple[Levels, Levels]:
    tick, lot = Decimal(listing.tick_size), Decimal(listing.lot_size)
    gap = max(tick, (price * BASIS_POINT / tick).to_integral_value(ROUND_HALF_EVEN) * tick)
    half = max(tick, (gap / 2 / tick).to_integral_value(ROUND_HALF_EVEN) * tick)
    quantity = plain(max(lot, LEVEL_USD / price // lot * lot))
    bids = [(plain(price - half - gap * level), quantity) for level in range(LEVELS) if price > half + gap * level]
    return bids, [(plain(price + half + gap * level), quantity) for level in range(LEVELS)]
