"""An order on its way to an outside venue and there.

An *intent* is what the risk gate approved, and waits for its moment. *Sending* is committed before the request leaves:
from then on the order may be at the venue. Its answer makes it *acked* or *rejected*; any outcome that proves neither
makes it *unknown*, until the venue is seen to have it or provably never had it. *Open*, *partially filled* and
*pending cancel* are the venue's; *filled*, *cancelled*, *expired* and *rejected* are final, but for one thing: a trade
is applied whenever it is told.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from contracts.executions import CancelReason, Purpose
from contracts.money import ZERO
from contracts.signals import MarginMode, OrderType, TimeInForce
from contracts.types import Side

State = Literal[
    "intent", "sending", "unknown", "acked", "open", "partially_filled", "pending_cancel",
    "filled", "cancelled", "expired", "rejected",
]  # fmt: skip
FINAL: frozenset[State] = frozenset({"filled", "cancelled", "expired", "rejected"})
AT_VENUE: frozenset[State] = frozenset({"acked", "open", "partially_filled", "pending_cancel"})
Ended = Literal["filled", "cancelled", "expired", "rejected"]


@dataclass(frozen=True, slots=True)
class Intent:
    order_id: UUID
    client_order_id: str
    """The venue's name for it (ids.py)."""
    season_id: str
    competitor_id: str
    round: int | None
    instrument: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    bound: Decimal | None
    """The edge of the price band on this order's side: a market order is sent as a limit there. Null: unbounded."""
    time_in_force: TimeInForce
    reduce_only: bool
    leverage: Decimal
    margin_mode: MarginMode
    purpose: Purpose
    effective_at: datetime
    valid_until: datetime
    """From then on it is not sent any more."""
    expires_at: datetime | None = None
    """When what rests of it is taken back."""
    given_name: str = ""
    """The competitor's own name for it."""
    traceparent: str = ""

    @property
    def account(self) -> tuple[str, str]:
        return self.season_id, self.competitor_id

    @property
    def price(self) -> Decimal | None:
        """What stands in the request; null: at market."""
        return self.bound if self.limit_price is None else self.limit_price


@dataclass(frozen=True, slots=True)
class Order:
    intent: Intent
    state: State = "intent"
    sends: int = 0
    send_by: datetime | None = None
    """The venue carries the last request out by then, or never."""
    wake_at: datetime | None = None
    """When time alone changes something."""
    told_accepted: bool = False
    trades: dict[str, Decimal] = field(default_factory=dict)
    """Quantity by the venue's trade id. Filled is their sum, never a counter."""
    venue_filled: Decimal = ZERO
    """The most that any view of the venue's said was filled."""
    ended: Ended | None = None
    """The venue said so; final once its trades are in."""
    detail: str = ""
    cancel_reason: CancelReason | None = None
    lapses: bool = False
    """It is being taken back because its time is up."""
    unknown_since: datetime | None = None
    absences: int = 0
    """Conclusive looks that did not find it."""
    paged: bool = False
    changed_at: datetime | None = None

    @property
    def filled(self) -> Decimal:
        return sum(self.trades.values(), ZERO)

    @property
    def remaining(self) -> Decimal:
        return max(ZERO, self.intent.quantity - self.filled)

    @property
    def is_final(self) -> bool:
        return self.state in FINAL
