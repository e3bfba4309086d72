"""The market and the account that a recorded prompt of Alpha Arena shows: all that is known of what its model saw.

`### ALL BTC DATA … current_price = 114029.5`, `Available Cash: …`, `**Current Account Value:** …` and each position as
a Python dictionary. What is not there or out of its bounds is None, never made up.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from signal_runtime.core.errors import BadReply
from signal_runtime.core.json_in_prose import json_values

PROMPT_LENGTH_MAX = 1_000_000
PRICE_MAX, QUANTITY_MAX, USD_MAX, LEVERAGE_MAX = Decimal(10**9), Decimal(10**12), Decimal(10**12), Decimal(200)
COINS_MAX = 50

_NUMBER = r"(-?\d{1,20}(?:\.\d{1,20})?)"
_coins = re.compile(r"ALL ([A-Z0-9]{1,16}) DATA\b[^#]{0,200}?current_price\s*=\s*" + _NUMBER).findall
_cash = re.compile(r"Available Cash\W{0,10}?" + _NUMBER).search
_value = re.compile(r"Current Account Value\W{0,10}?" + _NUMBER).search
_time = re.compile(r"current time is (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)").search
_positions = re.compile(r"live positions").search
_symbol = re.compile(r"[A-Z0-9]{1,16}").fullmatch


@dataclass(frozen=True, slots=True)
class Held:
    coin: str
    quantity: Decimal
    """Above zero is long."""
    entry_price: Decimal
    leverage: Decimal


@dataclass(frozen=True, slots=True)
class Shown:
    prices: dict[str, Decimal]
    at: datetime | None
    equity: Decimal | None
    available: Decimal | None
    held: tuple[Held, ...] | None


def shown(prompt: str) -> Shown:
    text = prompt[:PROMPT_LENGTH_MAX]
    prices = {coin: price for coin, said in _coins(text) if (price := _bounded(said, PRICE_MAX)) and price > 0}
    return Shown(
        dict(list(prices.items())[:COINS_MAX]), _moment(text), _found(_value(text)), _found(_cash(text)), _held(text)
    )  # fmt: skip


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) if (found := _time(text)) else None
    except ValueError:
        return None


def _found(match: re.Match[str] | None) -> Decimal | None:
    return _bounded(match[1], USD_MAX) if match else None


def _bounded(said: Any, most: Decimal) -> Decimal | None:
    try:
        number = Decimal(str(said))
    except InvalidOperation:
        return None
    return round(number, 12) if number.is_finite() and abs(number) <= most else None


def _held(text: str) -> tuple[Held, ...] | None:
    """None where the prompt has no such section or it cannot be read."""
    begins = _positions(text)
    if begins is None:
        return None
    try:
        values = list(json_values(text[begins.end() :]))
    except BadReply:
        return None
    listed = [each for value in values for each in (value if isinstance(value, list) else [value])]
    found = {held.coin: held for each in listed if (held := _position(each))}
    return tuple(found.values())[:COINS_MAX]


def _position(value: Any) -> Held | None:
    if not isinstance(value, dict) or not isinstance(value.get("symbol"), str) or not _symbol(value["symbol"]):
        return None
    quantity, entry = _bounded(value.get("quantity"), QUANTITY_MAX), _bounded(value.get("entry_price"), PRICE_MAX)
    leverage = _bounded(value.get("leverage"), LEVERAGE_MAX)
    if not quantity or entry is None or entry <= 0:
        return None
    return Held(value["symbol"], quantity, entry, max(leverage or Decimal(1), Decimal(1)))
