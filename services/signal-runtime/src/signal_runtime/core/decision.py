"""A competitor's decision of one round, in the fields of the Alpha Arena format."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from contracts.signals import Condition, TimeInForce
from contracts.types import plain

Signal = Literal["hold", "buy_to_enter", "sell_to_enter", "close_position", "cancel_orders", "change_exits"]
Comparison = Literal["below", "above"]
Interval = Literal["1m", "3m", "5m", "15m", "1h", "4h"]


@dataclass(frozen=True, slots=True)
class CoinDecision:
    coin: str
    signal: Signal
    quantity: Decimal | None = None
    """Base units, never negative: the signal says the side. With close_position null means all of it."""
    leverage: Decimal | None = None
    profit_target: Decimal | None = None
    stop_loss: Decimal | None = None
    invalidation_condition: str = ""
    justification: str = ""
    confidence: Decimal | None = None
    risk_usd: Decimal | None = None
    limit_price: Decimal | None = None
    """Ours beyond the format: null is a market order."""
    time_in_force: TimeInForce | None = None
    """With limit_price only; null is IOC."""
    invalidation: Condition | None = None
    """Ours beyond the format: what the venue checks and closes the position on."""


@dataclass(frozen=True, slots=True)
class Decision:
    coins: tuple[CoinDecision, ...] = ()
    """Each coin once. Empty: it touches nothing."""


_FIELDS = (
    "quantity", "stop_loss", "signal", "profit_target", "invalidation_condition", "justification", "confidence",
    "leverage", "risk_usd", "coin", "limit_price", "time_in_force", "invalidation",
)  # fmt: skip


def write_reply(decision: Decision) -> str:
    """The decision as the reply of a model that answers in JSON alone; `parse_reply` gives it back."""
    return "{" + ", ".join(f"{json.dumps(entry.coin)}: {_fields(entry)}" for entry in decision.coins) + "}"


def _fields(entry: CoinDecision) -> str:
    present = ((name, getattr(entry, name)) for name in _FIELDS)
    return "{" + ", ".join(f'"{name}": {_value(value)}' for name, value in present if value is not None) + "}"


def _value(value: Decimal | str | Condition) -> str:
    if isinstance(value, Condition):
        return value.model_dump_json()
    return plain(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
