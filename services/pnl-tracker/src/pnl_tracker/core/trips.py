"""Fills to round trips: from flat to flat, a flip ends one and begins the next."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pnl_tracker.core.money import ZERO
from pnl_tracker.core.position import Position


class Trip(NamedTuple):
    opened_at: datetime
    closed_at: datetime
    is_long: bool
    size: Decimal
    """USD: the largest cost that was held."""
    net: Decimal
    """Realised P&L less fees."""


@dataclass
class Trips:
    """One competitor's, by its fills in order."""

    _positions: dict[str, Position] = field(default_factory=dict)
    _sizes: dict[str, Decimal] = field(default_factory=dict)

    def take(self, instrument: str, signed: Decimal, price: Decimal, fee: Decimal, at: datetime) -> Trip | None:
        """The trip that this fill ended."""
        position = self._positions.setdefault(instrument, Position(instrument, at))
        is_long, opened_at, size = position.quantity > 0, position.opened_at, self._sizes.get(instrument, ZERO)
        change = position.fill(signed, price, fee, at)
        if change.closed_net is None:
            self._sizes[instrument] = max(size, abs(position.cost))
            return None
        self._sizes[instrument] = abs(position.cost)
        return Trip(opened_at, at, is_long, size, change.closed_net)
