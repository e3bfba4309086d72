"""A model's reply, as it came, becomes a Decision or one of the named errors. Tolerant of form, never of ambiguity.

The README of this service lists every form that is accepted, every normalisation and every refusal.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, get_args

from contracts.signals import Condition, TimeInForce

from signal_runtime.core import said
from signal_runtime.core.decision import CoinDecision, Comparison, Decision, Interval, Signal
from signal_runtime.core.entries import Fields, entries
from signal_runtime.core.errors import AmbiguousReply, BadField, EmptyReply, NoDecision, ReplyTooLong
from signal_runtime.core.json_in_prose import json_values, unpacked, without_thinking

REPLY_LENGTH_MAX = 128_000
COINS_MAX = 100
JUSTIFICATION_MAX, INVALIDATION_MAX = 4_000, 500

_coin = re.compile(r"[A-Z0-9]{1,16}(-[A-Z0-9]{1,16}){0,3}").fullmatch
_nothing = re.compile(r"(?:```(?:json)?\s*)?(?:\{\s*\}|\[\s*\])(?:\s*```)?").fullmatch


def parse_reply(text: str) -> Decision:
    """Raises a BadReply."""
    if len(text) > REPLY_LENGTH_MAX:
        raise ReplyTooLong(f"{len(text)} characters, at most {REPLY_LENGTH_MAX} are read")
    answer = unpacked(without_thinking(text)).strip().strip("\ufeff").strip()
    if not answer:
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
        for name, fields in entries(value):
            found = True
            yield _coin_decision(name, fields)
    if not found:
        raise NoDecision("no JSON object in it holds a `signal`")


def _coin_decision(name: str | None, fields: Fields) -> CoinDecision:
    coin = _named_coin(name, fields)
    signal = said.choice(coin, fields, "signal", get_args(Signal))
    if signal is None:
        raise BadField(f"{coin}.signal: missing")
    limit_price = said.price(coin, fields, "limit_price")
    condition, words = _invalidation(coin, fields)
    return _whole(CoinDecision(
        coin=coin,
        signal=signal,
        quantity=_quantity(coin, fields, signal),
        leverage=_leverage(coin, fields, signal),
        profit_target=said.price(coin, fields, "profit_target"),
        stop_loss=said.price(coin, fields, "stop_loss"),
        invalidation_condition=words,
        invalidation=condition,
        justification=said.text(coin, fields, "justification", JUSTIFICATION_MAX),
        confidence=said.confidence(coin, fields),
        risk_usd=said.usd(coin, fields, "risk_usd"),
        limit_price=limit_price,
        time_in_force=said.choice(coin, fields, "time_in_force", get_args(TimeInForce)) if limit_price else None,
    ))  # fmt: skip


def _whole(part: CoinDecision) -> CoinDecision:
    legs = (part.profit_target, part.stop_loss, part.invalidation)
    if part.signal == "change_exits" and all(leg is None for leg in legs):
        raise BadField(f"{part.coin}: change_exits names no profit_target, stop_loss or invalidation")
    return part


def _named_coin(name: str | None, fields: Fields) -> str:
    """Key and field say the same, or one of them is absent."""
    names = [value for value in (name, fields.get("coin")) if value is not None]
    if not names:
        raise BadField("coin: missing")
    coins = [_symbol(value) for value in names]
    if len(set(coins)) > 1:
        raise AmbiguousReply(f"{coins[0]}: its `coin` says {coins[1]}")
    return coins[0]


def _symbol(value: Any) -> str:
    """ASCII before it is made upper case: `ſ` would become an S."""
    symbol = value.strip().upper() if isinstance(value, str) and value.isascii() else ""
    if not _coin(symbol):
        raise BadField(f"coin: {str(value)[:40]!r} is no symbol")
    return symbol


def _quantity(coin: str, fields: Fields, signal: Signal) -> Decimal | None:
    """The sign that models give a short's size is dropped where it agrees with the signal."""
    quantity = said.quantity(coin, fields)
    if signal in ("buy_to_enter", "sell_to_enter"):
        if quantity is None or quantity == 0:
            raise BadField(f"{coin}.quantity: required above zero to {signal}")
        if quantity < 0 and signal == "buy_to_enter":
            raise AmbiguousReply(f"{coin}: buys a negative quantity")
    return abs(quantity) if quantity else None


def _leverage(coin: str, fields: Fields, signal: Signal) -> Decimal | None:
    """Zero of what enters nothing is absent."""
    leverage = said.leverage(coin, fields)
    if leverage == 0 and signal not in ("buy_to_enter", "sell_to_enter"):
        return None
    if leverage is not None and leverage < 1:
        raise BadField(f"{coin}.leverage: must be from 1 and at most {said.LEVERAGE_MAX}")
    return leverage


def _invalidation(coin: str, fields: Fields) -> tuple[Condition | None, str]:
    """`invalidation` is what the venue checks, `invalidation_condition` the words; an object there is the former.

    Words alone are never taken for a condition: the venue closes nothing on what it only believes to have understood.
    """
    checked, words = fields.get("invalidation"), fields.get("invalidation_condition")
    if isinstance(words, dict):
        if checked is not None and checked != words:
            raise AmbiguousReply(f"{coin}: invalidation and invalidation_condition are two conditions")
        checked, words = words, words.get("text")
    if isinstance(checked, str):
        words, checked = words or checked, None
    spoken = said.text(coin, {"invalidation_condition": words}, "invalidation_condition", INVALIDATION_MAX)
    return (None if checked is None else _condition(coin, checked)), spoken


def _condition(coin: str, value: Any) -> Condition:
    about = f"{coin}.invalidation"
    if not isinstance(value, dict):
        raise BadField(f"{about}: is {type(value).__name__}, not an object")
    comparison = said.choice(about, value, "comparison", get_args(Comparison))
    price = said.price(about, value, "price")
    if comparison is None or price is None:
        raise BadField(f"{about}.{'price' if comparison else 'comparison'}: missing")
    return Condition(
        comparison=comparison, price=price, interval=said.choice(about, value, "interval", get_args(Interval))
    )
