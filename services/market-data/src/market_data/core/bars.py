"""Bars: built from trades minute by minute, rolled up into longer ones. Only what is closed and whole leaves here.

A minute without a trade has no bar: no price and no volume are invented for it. A longer bar is made of the minutes
that there are. The minute or longer interval in which the data began is not whole and is left out.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from contracts.types import EPOCH

MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Bar:
    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = Decimal(0)
    turnover: Decimal = Decimal(0)
    trades: int = 0

    def absorb(self, later: "Bar") -> None:
        self.high, self.low, self.close = max(self.high, later.high), min(self.low, later.low), later.close
        self.volume += later.volume
        self.turnover += later.turnover
        self.trades += later.trades


def bar_of(
    opened_at: datetime, open: str, high: str, low: str, close: str, volume: str, turnover: str, trades: str | int
) -> Bar:
    """As it was written down."""
    return Bar(
        opened_at, Decimal(open), Decimal(high), Decimal(low), Decimal(close), Decimal(volume), Decimal(turnover),
        int(trades),
    )  # fmt: skip


def floored(at: datetime, length: timedelta) -> datetime:
    return EPOCH + (at - EPOCH) // length * length


class Minute:
    """The minute under way of one instrument."""

    def __init__(self, since: datetime) -> None:
        self._since = since
        """Trades are complete from here on."""
        self.bar: Bar | None = None

    def trade(self, at: datetime, price: Decimal, quantity: Decimal) -> None:
        bar = self.bar
        if bar is None:
            bar = self.bar = Bar(floored(at, MINUTE), price, price, price, price)
        elif price > bar.high:
            bar.high = price
        elif price < bar.low:
            bar.low = price
        bar.close = price
        bar.volume += quantity
        bar.turnover += price * quantity
        bar.trades += 1

    def closed(self, through: datetime) -> Bar | None:
        """The bar, once its minute is over: a trade at the very end belongs to the next one."""
        bar = self.bar
        if bar is None or bar.opened_at + MINUTE > through:
            return None
        self.bar = None
        return bar if bar.opened_at >= self._since else None


@dataclass
class RollUp:
    """Closed bars of a longer interval, the latest `kept` of them."""

    length: timedelta
    kept: int
    since: datetime | None = None
    """The opening of the first minute there is; set by it."""
    bars: deque[Bar] = field(default_factory=deque)
    _under_way: Bar | None = None

    def add(self, minute: Bar) -> None:
        """Minutes come in order."""
        opened_at = floored(minute.opened_at, self.length)
        self.since = self.since or minute.opened_at
        self.close(minute.opened_at)
        if self._under_way is None:
            self._under_way = Bar(
                opened_at, minute.open, minute.high, minute.low, minute.close, minute.volume, minute.turnover,
                minute.trades,
            )  # fmt: skip
        else:
            self._under_way.absorb(minute)

    def close(self, through: datetime) -> None:
        """Close the bar under way if its interval is over."""
        bar = self._under_way
        if bar is None or bar.opened_at + self.length > through:
            return
        self._under_way = None
        if self.since is not None and bar.opened_at >= self.since:
            self.bars.append(bar)
            if len(self.bars) > self.kept:
                self.bars.popleft()
