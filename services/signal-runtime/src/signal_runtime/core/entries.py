"""Where in the JSON of a reply the decisions stand: keyed by coin, listed, wrapped; and what their fields are called.

A wrapper is looked through by its name only, so that `previous` or `example` never is a decision.
"""

import re
from collections.abc import Mapping
from typing import Any

from signal_runtime.core.errors import AmbiguousReply
from signal_runtime.core.json_in_prose import json_values

WRAPPERS = frozenset({
    "trade_signal_args", "signal_args", "signals", "trade_signals", "trading_signals", "decision", "decisions",
    "trading_decision", "trading_decisions", "trade", "trades", "action", "actions", "order", "orders", "coins",
    "response", "result", "results", "output", "answer", "final_answer", "data", "content", "text", "message",
    "choices", "json", "portfolio",
    "tool_calls", "tool_call", "tool_use", "function", "function_call", "arguments", "args", "parameters", "input",
})  # fmt: skip
ALIASES = {
    "symbol": "coin", "ticker": "coin",
    "take_profit": "profit_target", "tp": "profit_target", "target_price": "profit_target",
    "sl": "stop_loss", "stop": "stop_loss",
    "reason": "justification", "reasoning": "justification", "rationale": "justification",
}  # fmt: skip
"""Names that mean the same to everyone: passing over a `take_profit` would trade without it."""

FIELDS = frozenset({"quantity", "leverage", "profit_target", "stop_loss", "confidence", "risk_usd", "coin"})
"""Whoever has one of them beside decisions was to be one."""

Fields = Mapping[str, Any]
Entry = tuple[str | None, Fields]
_camel = re.compile(r"(?<=[a-z])(?=[A-Z])")


def entries(value: Any) -> list[Entry]:
    """(coin, fields) of each decision; empty where the value is none. The coin is None where only the fields say it."""
    if isinstance(value, list):
        return [entry for element in value for entry in entries(element)]
    if not isinstance(value, dict):
        return []
    if _is_decision(value):
        return [(None, _fields(value))]
    keyed = any(_key(name) not in WRAPPERS and _is_decision(inner) for name, inner in value.items())
    found = [entry for name, inner in value.items() for entry in _under(name, inner, keyed=keyed)]
    return found or [entry for name, inner in value.items() if isinstance(inner, str) for entry in _within(name, inner)]


def _under(name: str, inner: Any, *, keyed: bool) -> list[Entry]:
    """`keyed`: it stands beside a coin's decision."""
    if _key(name) in WRAPPERS:
        return entries(inner)
    if not isinstance(inner, dict):
        return []
    wrapped = [each for key, each in inner.items() if _key(key) in WRAPPERS and _is_decision(each)]
    if wrapped and not _is_decision(inner):
        return [(name, _fields(each)) for each in wrapped]
    named = _fields(inner)
    return [(name, named)] if "signal" in named or (keyed and FIELDS & named.keys()) else []


def _within(name: str, text: str) -> list[Entry]:
    """A wrapper's text, looked into where nothing beside it is a decision."""
    return [entry for value in json_values(text) for entry in entries(value)] if _key(name) in WRAPPERS else []


def _is_decision(value: Any) -> bool:
    return isinstance(value, dict) and any(_key(name) == "signal" for name in value)


def _fields(value: Mapping[str, Any]) -> Fields:
    """By their own names, whatever their case; what only repeats another is the same."""
    named: dict[str, Any] = {}
    for name, said in value.items():
        key = ALIASES.get(_key(name), _key(name))
        if key in named and named[key] != said and said is not None and named[key] is not None:
            raise AmbiguousReply(f"{name[:40]!r} says something else than another name of {key}")
        named[key] = said if named.get(key) is None else named[key]
    return named


def _key(name: str) -> str:
    """`Stop Loss`, `stop-loss`, `stopLoss` and `STOP_LOSS` are one name."""
    return _camel.sub("_", name.strip()).replace("-", "_").replace(" ", "_").casefold()
