"""One snapshot a round: the same bytes for everyone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from typing import Any

from contracts.base import named_id
from contracts.canonical import snapshot_bytes
from contracts.market import IndicatorSeries, InstrumentSnapshot, Interval, MarketSnapshot, NewsItem

from market_data.core.bars import Bar

POINTS = 10
AVERAGED = 20
"""Bars of an average; null until there are as many."""
_PLACES = Decimal(1).scaleb(-18)

Series = list[float | None]


@dataclass(frozen=True)
class Indicators:
    """One value a bar, oldest first; None until warm."""

    ema20: Series
    ema50: Series
    macd: Series
    rsi7: Series
    rsi14: Series
    atr3: Series
    atr14: Series


Compute = Callable[[Sequence[float], Sequence[float], Sequence[float]], Indicators]
"""(highs, lows, closes), oldest first."""


def number(value: float | None) -> Decimal | None:
    """The shortest decimal that is this float again, to at most 18 places."""
    if value is None:
        return None
    written = Decimal(repr(value))
    exponent = written.as_tuple().exponent
    assert isinstance(exponent, int), "indicators are finite or None"
    return written.quantize(_PLACES, ROUND_HALF_EVEN) if exponent < -18 else written


def series(interval: Interval, length: timedelta, bars: Sequence[Bar], compute: Compute) -> IndicatorSeries:
    """The last ten points; computed over all bars there are."""
    found = compute(
        [float(bar.high) for bar in bars], [float(bar.low) for bar in bars], [float(bar.close) for bar in bars]
    )
    latest = bars[-POINTS:]
    columns: dict[str, Any] = {name: tuple(map(number, values[-POINTS:])) for name, values in vars(found).items()}
    return IndicatorSeries(
        interval=interval,
        closes_at=tuple(bar.opened_at + length for bar in latest),
        close=tuple(bar.close for bar in latest),
        volume=tuple(bar.volume for bar in latest),
        volume_average=average([bar.volume for bar in bars[-AVERAGED:]]),
        **columns,
    )


def average(values: Sequence[Decimal]) -> Decimal | None:
    if len(values) < AVERAGED:
        return None
    return (sum(values, Decimal(0)) / len(values)).quantize(Decimal("1e-12"), ROUND_HALF_EVEN)


def snapshot(
    season_id: str,
    round: int,
    at: datetime,
    venue: str,
    instruments: Sequence[InstrumentSnapshot],
    news: Sequence[NewsItem],
) -> MarketSnapshot:
    unsigned = MarketSnapshot(
        event_id=named_id("market-data", venue, "snapshot", season_id, round),
        at=at,
        season_id=season_id,
        round=round,
        venue=venue,
        instruments=tuple(instruments),
        news=tuple(news),
        sha256="0" * 64,
    )
    return unsigned.model_copy(update={"sha256": sha256(snapshot_bytes(unsigned)).hexdigest()})
