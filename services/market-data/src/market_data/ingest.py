"""The venue's words into the core."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from exchanges.updates import Bar, Book, Gap, Mark, News, OnChain, Step, Trade, Update

from market_data.core.bars import bar_of
from market_data.core.market import Market
from market_data.core.records import Marked


def take(market: Market, updates: Iterable[Update]) -> None:
    for update in updates:
        if type(update) is Book:
            market.book(*update)
        elif type(update) is Trade:
            market.trade(*update)
        elif type(update) is Mark:
            market.mark(update.at, update.instrument, Marked(*update[2:]))
        elif type(update) is Gap:
            market.gap(*update)
        elif type(update) is News:
            market.news(*update)
        elif type(update) is OnChain:
            market.on_chain(*update)


def split(updates: Sequence[Update], at: datetime) -> tuple[list[Update], list[Update]]:
    """Those at or before `at`, and the others."""
    early = [update for update in updates if update.at <= at]
    return early, [update for update in updates if update.at > at]


def preload(market: Market, bars: Iterable[Bar]) -> None:
    """Closed minutes of the past, in order within an instrument."""
    for name, minutes in groupby(bars, key=lambda bar: bar.instrument):
        if name in market.instruments:
            market.instruments[name].preload(bar_of(*minute[1:]) for minute in minutes)


def with_beats(steps: Iterable[Step], begins_at: datetime, beat: timedelta) -> Iterator[tuple[Step, bool]]:
    """Live: empty steps in between, so that time passes evenly; True where the feed itself made the step."""
    through = begins_at
    for step in steps:
        while through + beat < step.at:
            through += beat
            yield Step(through, []), False
        through = step.at
        yield step, True
