"""What an order is told: by its competitor, by the venue, by time. `at` is when we learned it."""

from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

from contracts.types import Side


class Report(Protocol):
    """An order as the venue sees it."""

    @property
    def client_order_id(self) -> str: ...
    @property
    def venue_order_id(self) -> str: ...
    @property
    def instrument(self) -> str: ...
    @property
    def status(self) -> Literal["open", "filled", "cancelled", "expired", "rejected"]: ...
    @property
    def filled(self) -> Decimal: ...
    @property
    def detail(self) -> str: ...


class Trade(Protocol):
    """One execution at the venue."""

    @property
    def trade_id(self) -> str: ...
    @property
    def client_order_id(self) -> str: ...
    @property
    def instrument(self) -> str: ...
    @property
    def side(self) -> Side: ...
    @property
    def price(self) -> Decimal: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def fee(self) -> Decimal: ...
    @property
    def liquidity(self) -> Literal["maker", "taker"]: ...
    @property
    def at(self) -> datetime: ...


class Send(NamedTuple):
    """Nothing stands in the way: it may go to the venue once this is committed."""

    at: datetime


class Taken(NamedTuple):
    """The venue's answer to the order: it has it."""

    at: datetime
    venue_order_id: str


class Refused(NamedTuple):
    """The venue's own no to the order. `duplicate`: it knows the id already."""

    at: datetime
    reason: Literal["rejected", "duplicate"]
    detail: str


class NotTaken(NamedTuple):
    """Provably never looked at: throttled, or never sent."""

    at: datetime
    again_at: datetime


class Ambiguous(NamedTuple):
    """It may have been carried out or not."""

    at: datetime
    detail: str


class Seen(NamedTuple):
    """By a query or by the stream."""

    at: datetime
    report: Report


class Absent(NamedTuple):
    """In none of the venue's lists, asked from `asked_at` on."""

    at: datetime
    asked_at: datetime


class Traded(NamedTuple):
    at: datetime
    trade: Trade
    position_after: Decimal


class CancelAsked(NamedTuple):
    at: datetime
    reason: Literal["competitor", "operator"]


class CancelAnswered(NamedTuple):
    """Whatever the answer: the order's end is believed when it is seen."""

    at: datetime


class Tick(NamedTuple):
    at: datetime


class Restarted(NamedTuple):
    """Another process goes on; whether what was to be sent was sent nobody remembers."""

    at: datetime


Said = (
    Send | Taken | Refused | NotTaken | Ambiguous | Seen | Absent | Traded | CancelAsked | CancelAnswered | Tick
    | Restarted
)  # fmt: skip
