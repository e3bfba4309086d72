"""What happened at the fake exchange, whatever it told anybody."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)
FEE_RATE = Decimal("0.0005")


@dataclass(slots=True)
class TrueTrade:
    trade_id: str
    client_order_id: str
    instrument: str
    side: str
    price: Decimal
    quantity: Decimal
    liquidity: str
    at: float

    def said(self) -> dict[str, Any]:
        return {
            "type": "trade", "trade_id": self.trade_id, "client_order_id": self.client_order_id,
            "instrument": self.instrument, "side": self.side, "price": str(self.price),
            "quantity": str(self.quantity), "fee": str(self.price * self.quantity * FEE_RATE),
            "liquidity": self.liquidity, "at": self.at,
        }  # fmt: skip


@dataclass(slots=True)
class TrueOrder:
    venue_order_id: str
    client_order_id: str
    instrument: str
    side: str
    quantity: Decimal
    price: Decimal | None
    time_in_force: str
    at: float
    status: str = "open"
    filled: Decimal = ZERO
    hidden_until: float = 0.0
    stale_until: float = 0.0
    stale: tuple[str, Decimal] = ("open", ZERO)
    """Status and filled that are shown until then."""

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    def said(self, now: float) -> dict[str, Any]:
        status, filled = self.stale if now < self.stale_until else (self.status, self.filled)
        return {
            "type": "order", "venue_order_id": self.venue_order_id, "client_order_id": self.client_order_id,
            "instrument": self.instrument, "status": status, "filled": str(filled), "at": self.at,
        }  # fmt: skip


@dataclass(slots=True)
class Account:
    """Every order that was ever placed, in order: one id may stand there twice, and that is what tests look for."""

    orders: list[TrueOrder] = field(default_factory=list)
    trades: list[TrueTrade] = field(default_factory=list)

    def latest(self, client_order_id: str) -> TrueOrder | None:
        return next((each for each in reversed(self.orders) if each.client_order_id == client_order_id), None)

    def holdings(self) -> dict[str, Decimal]:
        held: dict[str, Decimal] = {}
        for each in self.trades:
            signed = each.quantity if each.side == "buy" else -each.quantity
            held[each.instrument] = held.get(each.instrument, ZERO) + signed
        return {instrument: quantity for instrument, quantity in held.items() if quantity}


class Truth:
    """Ids are unique among open orders only, as at most venues: what has ended may be placed again."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.prices: dict[str, Decimal] = {}
        self.fill_share = Decimal(1)
        """How much of an order that takes is filled at once; the rest of an IOC is cancelled."""
        self._numbers = 0

    def account(self, name: str) -> Account:
        return self.accounts.setdefault(name, Account())

    def place(self, name: str, asked: dict[str, Any], now: float) -> TrueOrder | None:
        """None: an open order has the id."""
        account, price = self.account(name), asked["limit_price"]
        there = account.latest(asked["client_order_id"])
        if there is not None and there.status == "open":
            return None
        order = TrueOrder(
            self._number("v"), asked["client_order_id"], asked["instrument"], asked["side"],
            Decimal(asked["quantity"]), None if price is None else Decimal(price), asked["time_in_force"], now,
        )  # fmt: skip
        account.orders.append(order)
        return order

    def work(self, name: str, order: TrueOrder, now: float) -> Iterator[TrueTrade]:
        """An order that takes is filled by the share, at the instrument's price; one that only rests waits."""
        price = self.prices.get(order.instrument, Decimal(100))
        crosses = order.price is None or (order.price >= price if order.side == "buy" else order.price <= price)
        if crosses and order.time_in_force != "POST_ONLY":
            yield from self.fill(name, order, order.remaining * self.fill_share, now, price, "taker")
        if order.time_in_force in ("IOC", "FOK") and order.status == "open":
            order.status = "cancelled"

    def fill(
        self, name: str, order: TrueOrder, quantity: Decimal, now: float, price: Decimal | None = None,
        liquidity: str = "maker",
    ) -> Iterator[TrueTrade]:  # fmt: skip
        quantity = min(quantity, order.remaining)
        if quantity <= 0:
            return
        at_price = price or order.price or Decimal(100)
        trade = TrueTrade(
            self._number("t"), order.client_order_id, order.instrument, order.side, at_price, quantity, liquidity, now
        )
        order.filled += quantity
        if not order.remaining:
            order.status = "filled"
        self.account(name).trades.append(trade)
        yield trade

    def _number(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}{self._numbers}"
