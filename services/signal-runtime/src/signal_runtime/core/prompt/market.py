"""The market section: each instrument's prices, and a table for each of its two intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from contracts.market import IndicatorSeries, InstrumentListed, InstrumentSnapshot

from signal_runtime.core.prompt.numbers import DASH, exact, fixed, moment, percent, places
from signal_runtime.core.prompt.rules import coin_of
from signal_runtime.core.view import View

T = TypeVar("T")

RSI_PLACES = 1
Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    header: str
    rows: Sequence[str]
    """Oldest first."""

    def lines(self, points: int) -> list[str]:
        return [self.title, self.header, *_newest(self.rows, points)]


@dataclass(frozen=True, slots=True)
class Block:
    """One instrument."""

    head: Sequence[str]
    tables: Sequence[Table]

    def lines(self, points: int) -> list[str]:
        return ["", *self.head, *(line for table in self.tables for line in table.lines(points))]

    def newest(self, index: int) -> list[str]:
        """The `index`-th newest bar of each table that has so many."""
        return [table.rows[-1 - index] for table in self.tables if index < len(table.rows)]

    def __len__(self) -> int:
        """Bars of the longer table."""
        return max((len(table.rows) for table in self.tables), default=0)


def blocks(view: View, words: Mapping[str, Any], points: int) -> list[Block]:
    """In the order of the rules; an instrument that has no price says so."""
    shown = {entry.instrument: entry for entry in view.snapshot.instruments}
    return [
        _block(view, name, shown.get(name), words["market"], words["absent"], points)
        for name in view.season.rules.instruments
    ]


def _block(view: View, name: str, now: InstrumentSnapshot | None, said: Words, absent: str, points: int) -> Block:
    spec, title = view.specs.get(name), said["coin"].format(coin=coin_of(view, name), instrument=name)
    if now is None or spec is None:
        return Block([title, said["no_market"]], ())
    unpriced = [said["no_market"]] if now.bid is None or now.ask is None else []
    tables = [
        _table(now.intraday, spec, said["intraday"], said, absent, points),
        _table(now.context, spec, said["context"], said, absent, points),
    ]
    return Block([title, *unpriced, *_head(view, now, spec, said, absent)], tables)


def _head(view: View, now: InstrumentSnapshot, spec: InstrumentListed, said: Words, absent: str) -> list[str]:
    price = places(spec.tick_size)
    return [
        said["prices"].format(
            bid=fixed(now.bid, price, absent),
            ask=fixed(now.ask, price, absent),
            mark=fixed(now.mark_price, price, absent),
            index=fixed(now.index_price, price, absent),
            last=fixed(now.last_price, price, absent),
        ),
        said["funding"].format(
            rate=absent if now.funding_rate is None else f"{percent(now.funding_rate)} %",
            hours=spec.funding_interval_hours,
            next_at=absent if now.next_funding_at is None else f"{moment(now.next_funding_at)} UTC",
        ),
        said["interest"].format(
            latest=_coins(now.open_interest, spec, absent), average=_coins(now.open_interest_average, spec, absent)
        ),
        said["steps"].format(
            tick=exact(spec.tick_size, absent),
            lot=exact(spec.lot_size, absent),
            coin=spec.base,
            quantity_min=exact(spec.quantity_min, absent),
            quantity_max=exact(spec.quantity_max, absent),
            notional_min=exact(spec.notional_min, absent),
            leverage_max=exact(min(spec.leverage_max, view.season.rules.leverage_max), absent),
        ),
    ]


def _coins(size: Decimal | None, spec: InstrumentListed, absent: str) -> str:
    return absent if size is None else f"{size:.2f} {spec.base}"


def _table(series: IndicatorSeries, spec: InstrumentListed, title: str, said: Words, absent: str, points: int) -> Table:
    lot = places(spec.lot_size)
    rows = _rows(_Same(series), places(spec.tick_size), lot, points)
    names = (said["closes"], said["close"], said["volume"], "EMA20,EMA50,MACD,RSI7,RSI14,ATR3,ATR14")
    average = fixed(series.volume_average, lot, absent)
    return Table(title.format(average=average), ",".join(names) if rows else said["no_bars"], rows)


class _Same:
    """A series by its identity: a round's snapshot is one object for all competitors, and written once for them."""

    __slots__ = ("series",)

    def __init__(self, series: IndicatorSeries) -> None:
        self.series = series

    def __hash__(self) -> int:
        return id(self.series)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.series is other.series


@lru_cache(maxsize=256)
def _rows(same: _Same, price: int, lot: int, points: int) -> tuple[str, ...]:
    """EMA one place finer than the tick, MACD and ATR two: averages and differences say more than the tick does."""
    series = same.series
    rows = min(points, len(series.close))
    columns = [
        _times(series, rows),
        _column(series.close, price, rows),
        _column(series.volume, lot, rows),
        _column(series.ema20, price + 1, rows),
        _column(series.ema50, price + 1, rows),
        _column(series.macd, price + 2, rows),
        _column(series.rsi7, RSI_PLACES, rows),
        _column(series.rsi14, RSI_PLACES, rows),
        _column(series.atr3, price + 2, rows),
        _column(series.atr14, price + 2, rows),
    ]
    return tuple(",".join(row) for row in zip(*columns, strict=True))


def _times(series: IndicatorSeries, rows: int) -> list[str]:
    shape = "%H:%M" if series.interval == "3m" else "%m-%d %H:%M"
    return _padded([format(at, shape) for at in _newest(series.closes_at, rows)], rows)


def _column(values: Sequence[Decimal | None], decimals: int, rows: int) -> list[str]:
    shape = f"z.{decimals}f"  # z: no minus zero
    return _padded([DASH if value is None else format(value, shape) for value in _newest(values, rows)], rows)


def _newest(values: Sequence[T], rows: int) -> Sequence[T]:
    return values[max(len(values) - rows, 0) :]


def _padded(written: list[str], rows: int) -> list[str]:
    """A series may begin later than the bars."""
    return [DASH] * (rows - len(written)) + written
