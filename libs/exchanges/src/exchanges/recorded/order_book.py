"""One instrument's book, kept by Binance's documented rules for diff depth (USD-M futures).

Diffs are buffered until a snapshot comes. Those with `u < lastUpdateId` are dropped; the first one applied must reach
over the snapshot; from then on each `pu` is the `u` before. Anything else is a gap: the book is out of sync and says
nothing until the next snapshot. Update ids are shared by all symbols, so a snapshot's id may fall between `pu` and `U`
of an event that follows it without loss: `pu <= lastUpdateId <= u` is what "reaches over" means here.
"""

from bisect import bisect_left, insort
from collections import deque

from exchanges.recorded.frames import DepthDiff, PriceLevels
from exchanges.updates import Levels

BUFFERED_MAX = 20_000
"""Diffs kept while waiting for a snapshot: more than a minute of the fastest stream."""


class _Side:
    """Quantities by price, and the prices in order, so that the best levels need no sorting."""

    def __init__(self, *, descending: bool) -> None:
        self._sign = -1.0 if descending else 1.0
        self._quantities: dict[str, str] = {}
        self._order: list[float] = []
        self._written: dict[float, str] = {}
        """The venue's own writing of a price in the order."""

    def clear(self) -> None:
        self._quantities.clear()
        self._order.clear()
        self._written.clear()

    def apply(self, levels: PriceLevels) -> None:
        quantities, order, sign = self._quantities, self._order, self._sign
        for price, quantity in levels:
            if quantity[0] != "0" or quantity.strip("0."):
                if price not in quantities:
                    place = sign * float(price)
                    insort(order, place)
                    self._written[place] = price
                quantities[price] = quantity
            elif quantities.pop(price, None) is not None:
                place = sign * float(price)
                del order[bisect_left(order, place)]
                del self._written[place]

    def best(self, count: int) -> Levels:
        quantities = self._quantities
        return [(price, quantities[price]) for price in map(self._written.__getitem__, self._order[:count])]


class OrderBook:
    def __init__(self) -> None:
        self.sequence = 0
        """`u` of the last event applied."""
        self.in_sync = False
        self.gaps = 0
        self._anchored = False
        """An event has been applied since the snapshot."""
        self._bids, self._asks = _Side(descending=True), _Side(descending=False)
        self._waiting: deque[DepthDiff] = deque(maxlen=BUFFERED_MAX)

    def diff(self, event: DepthDiff) -> None:
        if not self.in_sync:
            self._waiting.append(event)
        elif self._follows(event):
            self._bids.apply(event.b)
            self._asks.apply(event.a)
            self.sequence, self._anchored = event.u, True
        elif self._anchored or event.u >= self.sequence:
            self._lose(event)

    def _follows(self, event: DepthDiff) -> bool:
        if self._anchored:
            return event.pu == self.sequence
        return event.pu <= self.sequence <= event.u

    def _lose(self, event: DepthDiff) -> None:
        self.in_sync, self.gaps = False, self.gaps + 1
        self._bids.clear()
        self._asks.clear()
        self._waiting.append(event)

    def snapshot(self, last_update_id: int, bids: PriceLevels, asks: PriceLevels) -> None:
        """Begin anew from it; one that is older than a book in sync changes nothing."""
        if self.in_sync and last_update_id <= self.sequence:
            return
        self._bids.clear()
        self._asks.clear()
        self._bids.apply(bids)
        self._asks.apply(asks)
        self.sequence, self.in_sync, self._anchored = last_update_id, True, False
        waiting, self._waiting = self._waiting, deque(maxlen=BUFFERED_MAX)
        for event in waiting:
            self.diff(event)

    def best(self, count: int) -> tuple[Levels, Levels]:
        return self._bids.best(count), self._asks.best(count)
