"""Marks, trades and bars until everything of their moment is in: then they liquidate, close and set off."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from contracts.market import BarClosed, MarkUpdated, TradePrinted

from order_executor.core import exits
from order_executor.core.account import AccountKey
from order_executor.core.exits import Find, Prices

Keys = Collection[AccountKey]


class Watch(NamedTuple):
    """For those who held a position or waited for a price when it came."""

    at: datetime
    instrument: str
    keys: list[AccountKey]
    price: Decimal
    find: Find
    """Whether it closes a position."""
    prices: Prices | None
    """None: a bar."""
    is_mark: bool
    """It liquidates, and an exit that began goes on."""


def of_mark(mark: MarkUpdated, printed: Decimal | None, at: datetime, keys: Keys) -> Watch:
    prices = exits.of_mark(mark, printed)
    find = partial(exits.on_prices, prices=prices)
    return Watch(at, mark.instrument, sorted(keys), mark.mark_price, find, prices, is_mark=True)


def of_trade(trade: TradePrinted, at: datetime, keys: Keys) -> Watch:
    prices = exits.of_trade(trade.price)
    find = partial(exits.on_prices, prices=prices)
    return Watch(at, trade.instrument, sorted(keys), trade.price, find, prices, is_mark=False)


def of_bar(bar: BarClosed, at: datetime, keys: Keys) -> Watch:
    return Watch(at, bar.instrument, sorted(keys), bar.close, partial(exits.on_bar, bar=bar), None, is_mark=False)
