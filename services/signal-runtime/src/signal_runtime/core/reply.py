"""A model's reply, as it came, becomes a Decision or one of the named errors. Tolerant of form, never of ambiguity.

The README of this service lists every form that is accepted, every normalisation and every refusal.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from contracts.signals import Action, TimeInForce

from signal_runtime.core.decision import CoinDecision, Decision
from signal_runtime.core.errors import AmbiguousReply, BadField, EmptyReply, NoDecision, ReplyTooLong
from signal_runtime.core.json_in_prose import json_values, without_thinking

REPLY_LENGTH_MAX = 128_000
COINS_MAX = 100
JUSTIFICATION_MAX, INVALIDATION_MAX = 4_000, 500
PLACES = Decimal("1e-18")
_SAYABLE = tuple(action for action in get_args(Action) if action not in ("amend_order", "change_exits"))
"""What these fields can express: which order to amend and what becomes of the exits they cannot."""

_coin = re.compile(r"^[A-Z0-9]{1,16}(-[A-Z0-9]{1,16}){0,3}$").match
_nothing = re.compile(r"^\s*(?:```(?:json)?\s*)?(?:\{\s*\}|\[\s*\])\s*(?:```)?\s*$").match
# "1,234" alone may be 1234 or 1.234; a point or a second group settles it.
_grouped = re.compile(r"^-?\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})$").match

Fields = Mapping[str, Any]


def parse_reply(text: str) -> Decision:
    """Raises a BadReply."""
    if len(text) > REPLY_LENGTH_MAX:
        raise ReplyTooLong(f"{len(text)} characters, at most {REPLY_LENGTH_MAX} are read")
    answer = without_thinking(text)
    if not answer.strip():
        raise EmptyReply("the reply has no text")
    if _nothing(answer):
        return Decision()
    coins: dict[str, CoinDecision] = {}
    for entry in _entries(answer):
        before = coins.setdefault(entry.coin, entry)
        if before != entry:
            raise AmbiguousReply(f"{entry.coin}: decided twice, and not alike")
    if len(coins) > COINS_MAX:
        raise BadField(f"{len(coins)} coins, at most {COINS_MAX}")
    return Decision(tuple(coins.values()))


def _entries(answer: str) -> Iterator[CoinDecision]:
    found = False
    for value in json_values(answer):
        for name, fields in _keyed(value):
            found = True
            yield _coin_decision(name, fields)
    if not found:
        raise NoDecision("no JSON object in it holds a `signal`")


def _keyed(value: Any) -> list[tuple[str | None, Fields]]:
    """(coin, fields) of each entry; empty where the value is no decision."""
    if isinstance(value, list):
        return [entry for element in value for entry in _keyed(element)]
    if not isinstance(value, dict):
        return []
    if "signal" in value:
        return [(None, value)]
    inner = {name: _unwrapped(entry) for name, entry in value.items() if isinstance(entry, dict)}
    return list(inner.items()) if any("signal" in entry for entry in inner.values()) else []


def _unwrapped(entry: Fields) -> Fields:
    """The prompt of Alpha Arena asked for `{"BTC": {"trade_signal_args": {…}}}`; its records hold both forms."""
    wrapped = entry.get("trade_signal_args")
    return wrapped if isinstance(wrapped, dict) and "signal" not in entry else entry


def _coin_decision(name: str | None, fields: Fields) -> CoinDecision:
    coin = _named_coin(name, fields)
    signal = _choice(coin, fields, "signal", _SAYABLE)
    if signal is None:
        raise BadField(f"{coin}.signal: missing")
    limit_price = _price(coin, fields, "limit_price")
    return CoinDecision(
        coin=coin,
        signal=signal,
        quantity=_quantity(coin, fields, signal),
        leverage=_leverage(coin, fields, signal),
        profit_target=_price(coin, fields, "profit_target"),
        stop_loss=_price(coin, fields, "stop_loss"),
        invalidation_condition=_text(coin, fields, "invalidation_condition", INVALIDATION_MAX),
        justification=_text(coin, fields, "justification", JUSTIFICATION_MAX),
        confidence=_number(coin, fields, "confidence", Decimal(0), Decimal(1)),
        risk_usd=_number(coin, fields, "risk_usd", Decimal(0), Decimal("1e18")),
        limit_price=limit_price,
        time_in_force=_choice(coin, fields, "time_in_force", get_args(TimeInForce)) if limit_price else None,
    )


def _named_coin(name: str | None, fields: Fields) -> str:
    """Key and field say the same, or one of them is absent."""
    said = [value for value in (name, fields.get("coin")) if value is not None]
    if not said:
        raise BadField("coin: missing")
    coins = [value.strip().upper() if isinstance(value, str) else "" for value in said]
    if not all(map(_coin, coins)):
        raise BadField(f"coin: {str(said[coins.index(next(c for c in coins if not _coin(c)))])[:40]!r} is no symbol")
    if len(set(coins)) > 1:
        raise AmbiguousReply(f"{coins[0]}: its `coin` says {coins[1]}")
    return coins[0]


def _quantity(coin: str, fields: Fields, signal: Action) -> Decimal | None:
    """The sign that models give a short's size is dropped where it agrees with the signal."""
    quantity = _number(coin, fields, "quantity", Decimal("-1e15"), Decimal("1e15"))
    if signal in ("buy_to_enter", "sell_to_enter"):
        if quantity is None or quantity == 0:
            raise BadField(f"{coin}.quantity: required above zero to {signal}")
        if quantity < 0 and signal == "buy_to_enter":
            raise AmbiguousReply(f"{coin}: buys a negative quantity")
    return abs(quantity) if quantity else None


def _leverage(coin: str, fields: Fields, signal: Action) -> Decimal | None:
    """ "10x" is 10; zero with a hold or a close is absent."""
    value = fields.get("leverage")
    written = value.strip().removesuffix("x").removesuffix("X") if isinstance(value, str) else value
    leverage = _number(coin, {"leverage": written}, "leverage", Decimal(0), Decimal(200))
    if leverage == 0 and signal in ("hold", "close_position"):
        return None
    if leverage is not None and leverage < 1:
        raise BadField(f"{coin}.leverage: must be from 1 and at most 200")
    return leverage


def _price(coin: str, fields: Fields, name: str) -> Decimal | None:
    """Zero is how models write "none"."""
    return _number(coin, fields, name, Decimal(0), Decimal("1e12")) or None


def _number(coin: str, fields: Fields, name: str, low: Decimal, high: Decimal) -> Decimal | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    number = value if isinstance(value, Decimal) else _written_number(coin, name, value)
    if not low <= number <= high:
        raise BadField(f"{coin}.{name}: must be from {low:f} and at most {high:f}")
    exponent = number.as_tuple().exponent
    return number.quantize(PLACES) if isinstance(exponent, int) and exponent < -18 else number


def _written_number(coin: str, name: str, value: Any) -> Decimal:
    if not isinstance(value, str) or len(value) > 40:
        raise BadField(f"{coin}.{name}: is {type(value).__name__}, not a number")
    written = value.strip().replace("$", "", 1)
    if _grouped(written):
        written = written.replace(",", "")
    elif "," in written:
        raise AmbiguousReply(f"{coin}.{name}: {value!r} has a comma that may be either")
    try:
        number = Decimal(written)
    except InvalidOperation:
        raise BadField(f"{coin}.{name}: {value!r} is not a number") from None
    if not number.is_finite() or "_" in written:
        raise BadField(f"{coin}.{name}: {value!r} is not a number")
    return number


def _choice(coin: str, fields: Fields, name: str, choices: Sequence[Any]) -> Any:
    value = fields.get(name)
    if value is None:
        return None
    said = "_".join(value.split()).replace("-", "_").casefold() if isinstance(value, str) else ""
    for choice in choices:
        if said == choice.casefold():
            return choice
    raise BadField(f"{coin}.{name}: {str(value)[:40]!r} is none of {', '.join(choices)}")


def _text(coin: str, fields: Fields, name: str, length_max: int) -> str:
    """Cut to its bound; without control characters and half surrogates, which no database keeps."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadField(f"{coin}.{name}: is {type(value).__name__}, not text")
    kept = (char for char in value if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
    return "".join(kept).strip()[:length_max]
