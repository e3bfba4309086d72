"""A competitor's decision of one round, in the fields of the Alpha Arena format."""

import json
from dataclasses import dataclass
from decimal import Decimal

from contracts.signals import Action, TimeInForce
from contracts.types import plain


@dataclass(frozen=True, slots=True)
class CoinDecision:
    coin: str
    signal: Action
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


@dataclass(frozen=True, slots=True)
class Decision:
    coins: tuple[CoinDecision, ...] = ()
    """Each coin once. Empty: it touches nothing."""


_FIELDS = (
    "quantity", "stop_loss", "signal", "profit_target", "invalidation_condition", "justification", "confidence",
    "leverage", "risk_usd", "coin", "limit_price", "time_in_force",
)  # fmt: skip


def write_reply(decision: Decision) -> str:
    """The decision as the reply of a model that answers in JSON alone; `parse_reply` gives it back."""
    return "{" + ", ".join(f"{json.dumps(entry.coin)}: {_fields(entry)}" for entry in decision.coins) + "}"


def _fields(entry: CoinDecision) -> str:
    present = ((name, getattr(entry, name)) for name in _FIELDS)
    return "{" + ", ".join(f'"{name}": {_value(value)}' for name, value in present if value is not None) + "}"


def _value(value: Decimal | str) -> str:
    return plain(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
