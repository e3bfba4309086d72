"""What the gate remembers of one competitor: its round so far, what rests, and how its account has fared."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from contracts.money import ZERO
from contracts.portfolios import PositionView
from contracts.signals import SignalProposed, Trigger
from contracts.types import Side

from risk_gate.core.breakers import BreakerState
from risk_gate.core.history import History

RESTING_MAX = 100
"""Orders of one competitor that it may still amend; the oldest is forgotten first."""


@dataclass(slots=True)
class RoundOrders:
    """Base units that this round's approved orders in one instrument buy and sell, and the mark at the last of them."""

    bought: Decimal = ZERO
    sold: Decimal = ZERO
    reduced: Decimal = ZERO
    """By market orders that only reduce, above zero is bought."""
    adds: int = 0
    """Orders that add to a position."""
    mark: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        return self.bought - self.sold + self.reduced

    @property
    def opens(self) -> bool:
        return bool(self.bought or self.sold)


@dataclass(slots=True)
class RestingOrder:
    """An approved order that may rest or wait, as it was last approved; the venue alone knows what became of it.

    It may have refused an amend, so what counts as more is held against the least that was ever approved.
    """

    instrument: str
    side: Side
    quantity: Decimal
    leverage: Decimal
    reduce_only: bool = False
    limit_price: Decimal | None = None
    trigger: Trigger | None = None
    least: Decimal | None = None
    """Base units."""
    mildest: Decimal | None = None
    """USD: the limit price furthest from the market."""

    def follows(self, earlier: "RestingOrder") -> None:
        """It replaces that one by an amend."""
        self.least = min(earlier.least or earlier.quantity, self.quantity)
        prices = [each for each in (earlier.mildest or earlier.limit_price, self.limit_price) if each is not None]
        self.mildest = (min if self.side == "buy" else max)(prices, default=None)

    def grows_by(self, amend: SignalProposed) -> bool:
        """Whether the change may raise the risk: a larger size, a keener price, another trigger."""
        if self.reduce_only:
            return False
        price, known = amend.limit_price, self.mildest or self.limit_price
        keener = price is not None and known is not None and (price > known if self.side == "buy" else price < known)
        return keener or amend.trigger is not None or (amend.quantity or ZERO) > (self.least or self.quantity)


@dataclass(slots=True)
class Standing:
    round: int = 0
    judged: bool = False
    parts: list[int] = field(default_factory=list)
    """The parts of this round's decision that were decided."""
    approved: int = 0
    rejected: int = 0
    held: int = 0
    orders: int = 0
    """Approved in this round that may take on risk."""
    since_opening: dict[str, RoundOrders] = field(default_factory=dict)
    """By instrument."""
    approved_margin: Decimal = ZERO
    """USD of the portfolio's free margin that this round's orders may use up."""
    resting: dict[str, RestingOrder] = field(default_factory=dict)
    """By client order id."""
    opened_at: dict[str, datetime] = field(default_factory=dict)
    """By instrument: since when the last round's portfolio held its position."""
    added: dict[str, int] = field(default_factory=dict)
    """By instrument: approved orders of earlier rounds that add to its position."""
    closed_at: dict[str, datetime] = field(default_factory=dict)
    """By instrument: the opening at which its position was found closed."""
    history: History = field(default_factory=History)
    breakers: dict[str, BreakerState] = field(default_factory=dict)
    """By name."""

    @property
    def tripped(self) -> str | None:
        """The breaker that keeps the competitor from new risk."""
        return next((name for name, state in self.breakers.items() if state.halts), None)

    def begin(self, number: int) -> None:
        """A new round: its portfolio holds whatever became of the orders before."""
        for instrument, orders in self.since_opening.items():
            self.added[instrument] = self.added.get(instrument, 0) + orders.adds
        self.round, self.judged, self.parts = number, False, []
        self.approved = self.rejected = self.held = self.orders = 0
        self.since_opening, self.approved_margin = {}, ZERO

    def see(self, positions: tuple[PositionView, ...], opening: datetime, remembered: timedelta) -> None:
        """Compare the round's positions with the last round's."""
        now = {each.instrument: each.opened_at for each in positions}
        for instrument, opened_at in self.opened_at.items():
            if now.get(instrument) != opened_at:
                self.closed_at[instrument] = opening
                self.added.pop(instrument, None)
        self.opened_at = now
        self.added = {name: count for name, count in self.added.items() if name in now}
        self.closed_at = {name: at for name, at in self.closed_at.items() if opening - at < remembered}

    def adds(self, instrument: str) -> int:
        """To the position that is open, or that this round's orders open."""
        return self.added.get(instrument, 0) + self.round_orders(instrument).adds

    def round_orders(self, instrument: str) -> RoundOrders:
        return self.since_opening.get(instrument) or RoundOrders()

    def commit(self, instrument: str, signed: Decimal, mark: Decimal, *, reduces: bool, adds: bool = False) -> None:
        """An approved order that is worked at once, or that may take on risk."""
        orders = self.since_opening.setdefault(instrument, RoundOrders())
        orders.mark = mark
        if reduces:
            orders.reduced += signed
            return
        self.orders += 1
        orders.adds += adds
        orders.bought += max(signed, ZERO)
        orders.sold += max(-signed, ZERO)

    def rest(self, name: str, order: RestingOrder, *, amends: bool) -> None:
        """Under a name that was taken the venue accepts no other order: the first stays the one that is known."""
        earlier = self.resting.get(name)
        if amends and earlier is not None:
            order.follows(earlier)
        elif earlier is not None:
            return
        self.resting.pop(name, None)
        self.resting[name] = order
        if len(self.resting) > RESTING_MAX:
            del self.resting[next(iter(self.resting))]
