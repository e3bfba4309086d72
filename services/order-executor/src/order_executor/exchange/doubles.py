"""For tests of the core: what a venue says of an order and of a trade."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from order_executor.testing import BTC, at


@dataclass(frozen=True)
class View:
    """What the venue says of an order."""

    client_order_id: str
    status: Any = "open"
    filled: Decimal = Decimal(0)
    venue_order_id: str = "v1"
    instrument: str = BTC
    detail: str = ""


@dataclass(frozen=True)
class Execution:
    client_order_id: str
    trade_id: str
    quantity: Decimal
    price: Decimal = Decimal(100)
    fee: Decimal = Decimal("0.05")
    instrument: str = BTC
    side: Any = "buy"
    liquidity: Any = "taker"
    at: datetime = field(default_factory=lambda: at(0))
