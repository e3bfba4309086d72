"""Finds the JSON in what a language model wrote: fences, prose, thinking, full-width punctuation around and in it.

Only what begins like a decision is looked at (`{"` or `[{`), so that an array of numbers in the prose never is one.
What begins so and never ends is a truncated reply: its whole inner objects are not taken for the decision.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

from signal_runtime.core.errors import AmbiguousReply, NoDecision, TruncatedReply

NESTING_MAX = 16
NUMBER_LENGTH_MAX = 40

_begins = re.compile(r'[{｛]\s*["“”＂]|[\[［【]\s*[{｛]').search
_STRUCTURE = str.maketrans("｛｝［］【】：，　", "{}[][]:, ")
_OPENING, _CLOSING = "{[", "}]"
_QUOTES = '"＂“”'


def without_thinking(text: str) -> str:
    """Servers of reasoning models leave `<think> … </think>` before the answer, sometimes without its beginning."""
    before, closing, answer = text.rpartition("</think>")
    if not closing and before == "" and answer.lstrip().startswith("<think>"):
        raise TruncatedReply("it ends within its thinking")
    return answer


def json_values(text: str) -> Iterator[Any]:
    """Every JSON object or list of objects in the text, in order; numbers as Decimal. Raises what `errors` names."""
    at, not_json = 0, ""
    found = False
    while begins := _begins(text, at):
        region, at = _region(text, begins.start())
        try:
            value = json.loads(
                region,
                parse_float=_number,
                parse_int=_number,
                parse_constant=_no_constant,
                object_pairs_hook=_unique,
            )
        except json.JSONDecodeError as error:
            not_json = not_json or f"line {error.lineno} column {error.colno} of what looks like JSON: {error.msg}"
            continue
        found = True
        yield value
    if not found and not_json:
        raise NoDecision(not_json)


def _region(text: str, start: int) -> tuple[str, int]:
    """From the bracket at `start` to its closing one, punctuation made ASCII outside strings; and where that ends."""
    out: list[str] = []
    depth, quote, at = 0, "", start
    while at < len(text):
        char = text[at]
        if quote:
            at += _in_string(out, text, at, quote)
            quote = "" if _closes(char, quote) else quote
            continue
        at += 1
        char = char.translate(_STRUCTURE)
        if char in _QUOTES:
            quote, char = char, '"'
        depth += (char in _OPENING) - (char in _CLOSING)
        out.append(char)
        if depth > NESTING_MAX:
            raise NoDecision(f"brackets nest deeper than {NESTING_MAX}")
        if depth == 0:
            return "".join(out), at
    raise TruncatedReply("its JSON does not end")


def _closes(char: str, quote: str) -> bool:
    return char == quote if quote in '"＂' else char in "“”"


def _in_string(out: list[str], text: str, at: int, quote: str) -> int:
    """Copy one character of a string, an escape as a whole; how many characters that were."""
    char = text[at]
    if char == "\\":
        out.append(text[at : at + 2])
        return 2
    if _closes(char, quote):
        out.append('"')
    else:
        out.append('\\"' if char == '"' else char if char >= " " else f"\\u{ord(char):04x}")
    return 1


def _number(written: str) -> Decimal:
    if len(written) > NUMBER_LENGTH_MAX:
        raise NoDecision(f"a number of {len(written)} characters")
    return Decimal(written)


def _no_constant(name: str) -> NoReturn:
    raise NoDecision(f"{name} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise AmbiguousReply(f"{repeated[:40]!r} stands twice in one object")
    return value
