"""Marks and bars until everything of their moment is in: then they liquidate, close and set off."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from contracts.market import BarClosed, MarkUpdated

from order_executor.core import exits
from order_executor.core.account import AccountKey
from order_executor.core.exits import Find

Keys = Collection[AccountKey]


class Watch(NamedTuple):
    """For those who held a position or waited for a price when it came."""

    at: datetime
    instrument: str
    keys: list[AccountKey]
    price: Decimal
    find: Find
    """Whether it closes a position."""
    mark: MarkUpdated | None
    """None: a bar."""


def of_mark(mark: MarkUpdated, at: datetime, keys: Keys) -> Watch:
    return Watch(at, mark.instrument, sorted(keys), mark.mark_price, partial(exits.on_mark, mark=mark), mark)


def of_bar(bar: BarClosed, at: datetime, keys: Keys) -> Watch:
    return Watch(at, bar.instrument, sorted(keys), bar.close, partial(exits.on_bar, bar=bar), None)
