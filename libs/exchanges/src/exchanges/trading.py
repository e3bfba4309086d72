"""The one protocol of venues, trading side: one object an account.

What a venue says of a call is one of four things, and only one of them may be answered by sending again unasked:
it took the order, it refused it in its own words, it provably never looked at it (throttled), or nobody can tell.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

from contracts.signals import TimeInForce
from contracts.types import Side

OrderStatus = Literal["open", "filled", "cancelled", "expired", "rejected"]


class NewOrder(NamedTuple):
    client_order_id: str
    instrument: str
    side: Side
    quantity: Decimal
    """Base units; contracts and lots are the adapter's business."""
    limit_price: Decimal | None
    """None: at market, without a bound."""
    time_in_force: TimeInForce
    reduce_only: bool


class OrderReport(NamedTuple):
    """An order as the venue sees it; such a view may be older than a fill that was already told."""

    client_order_id: str
    venue_order_id: str
    instrument: str
    status: OrderStatus
    filled: Decimal
    detail: str = ""


class Trade(NamedTuple):
    """One execution; `trade_id` is unique within the account."""

    trade_id: str
    client_order_id: str
    instrument: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    """US dollars, negative where a rebate."""
    liquidity: Literal["maker", "taker"]
    at: datetime
    """The venue's own time."""


class Holding(NamedTuple):
    instrument: str
    quantity: Decimal
    """Above zero is long."""


class Taken(NamedTuple):
    venue_order_id: str = ""


class Refused(NamedTuple):
    """The venue's own structured no. `clock`: the request's time lay outside the window; nothing was looked at."""

    reason: Literal["rejected", "duplicate", "not_open", "clock"]
    detail: str = ""


class Throttled(NamedTuple):
    """Too many requests: not looked at, and none is welcome before `retry_after` has passed."""

    retry_after: timedelta
    banned: bool = False


class Ambiguous(NamedTuple):
    """Timeout, lost connection, 5xx, an answer that cannot be read: it may have been carried out or not."""

    detail: str


Answer = Taken | Refused | Throttled | Ambiguous


class Unavailable(Exception):
    """A question without an answer. It says nothing about orders or positions: a failed query is not `none`."""

    def __init__(self, detail: str, retry_after: timedelta = timedelta(0)) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Trading(Protocol):
    """Questions raise `Unavailable`; orders are answered by an `Answer` and raise nothing."""

    venue: str

    async def place(self, order: NewOrder, stamp: datetime, window: timedelta) -> Answer:
        """`stamp` is the venue's time; a request that arrives later than `stamp + window` must not be carried out."""

    async def cancel(self, client_order_id: str, instrument: str) -> Answer: ...

    async def order(self, client_order_id: str, instrument: str) -> OrderReport | None:
        """None: not found, which is not the same as not executed."""

    async def open_orders(self) -> Sequence[OrderReport]: ...

    async def closed_orders(self, since: datetime) -> Sequence[OrderReport]: ...

    async def trades(self, since: datetime) -> Sequence[Trade]: ...

    async def holdings(self) -> Sequence[Holding]: ...

    async def server_time(self) -> datetime: ...

    def stream(self) -> AsyncGenerator[OrderReport | Trade | None, None]:
        """None once it is connected, and at every heartbeat; raises `Unavailable` when the connection is gone."""

    async def close(self) -> None: ...
