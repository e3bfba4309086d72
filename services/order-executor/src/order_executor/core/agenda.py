"""What waits for its moment: orders and instructions until they take effect, open orders until they expire."""

from datetime import datetime
from heapq import heappop, heappush
from typing import NamedTuple
from uuid import UUID

from contracts.orders import (
    ExitChangeApproved,
    LiquidationOrdered,
    OrderAmendApproved,
    OrderCancelApproved,
    TradingHalted,
)

from order_executor.core.orders import Order

Instruction = OrderCancelApproved | OrderAmendApproved | ExitChangeApproved | LiquidationOrdered | TradingHalted
"""What the gate lets through besides orders."""
INSTRUCTIONS = OrderCancelApproved, OrderAmendApproved, ExitChangeApproved, LiquidationOrdered, TradingHalted


class Due(NamedTuple):
    """The order in which what takes effect at one moment does so."""

    effective_at: datetime
    competitor_id: str
    season_id: str
    round: int
    """What the gate ordered of itself belongs to no round and comes first."""
    part: int
    item_id: UUID


class Agenda:
    def __init__(self) -> None:
        self._due: list[Due] = []
        self._items: dict[UUID, Order | Instruction] = {}
        self._expiries: list[tuple[datetime, str, str, int, UUID]] = []
        self._expiring: dict[UUID, Order] = {}

    def wait(self, item: Order | Instruction) -> None:
        due = _due(item)
        self._items[due.item_id] = item
        heappush(self._due, due)

    @property
    def next_at(self) -> datetime | None:
        return self._due[0].effective_at if self._due else None

    def pop(self) -> tuple[datetime, Order | Instruction]:
        due = heappop(self._due)
        return due.effective_at, self._items.pop(due.item_id)

    def expires(self, order: Order) -> None:
        """Take note of an open order's end, if it has one."""
        if order.expires_at is not None and order.order_id not in self._expiring:
            self._expiring[order.order_id] = order
            name = order.expires_at, order.competitor_id, order.season_id, order.number, order.order_id
            heappush(self._expiries, name)

    @property
    def next_expiry(self) -> datetime | None:
        while self._expiries and not self._expiring[self._expiries[0][-1]].is_open:
            del self._expiring[heappop(self._expiries)[-1]]
        return self._expiries[0][0] if self._expiries else None

    def pop_expired(self) -> Order:
        return self._expiring.pop(heappop(self._expiries)[-1])


def _due(item: Order | Instruction) -> Due:
    if isinstance(item, TradingHalted):
        return Due(item.at, item.competitor_id, item.season_id, 0, 0, item.event_id)
    if isinstance(item, Order):
        number, part, item_id = item.round or 0, item.part, item.order_id
    elif isinstance(item, LiquidationOrdered):
        number, part, item_id = 0, 0, item.event_id
    else:
        number, part, item_id = item.round, item.part, item.event_id
    return Due(item.effective_at, item.competitor_id, item.season_id, number, part, item_id)
