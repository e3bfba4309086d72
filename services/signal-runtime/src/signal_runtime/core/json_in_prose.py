"""Finds the JSON in what a language model wrote: fences, prose, thinking, full-width punctuation around and in it.

Only what begins like a decision is looked at (`{"`, `{'` or `[{`): an array of numbers in the prose never is one.
What begins so and never ends is a truncated reply: its whole inner objects are not taken for the decision.
"""

import html
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

from signal_runtime.core.errors import AmbiguousReply, NoDecision, TruncatedReply
from signal_runtime.core.loose_json import as_json

NUMBER_LENGTH_MAX = 40
OBJECTS_MAX = 500

# Every repetition is bounded or has one way to match: a hostile reply must not cost more than its length.
_begins = re.compile(
    r"""[{｛]\s*(?:(?://|\#)[^\n]{0,200}\n\s*|/\*[^*]{0,200}\*/\s*){0,4}["“”＂']|[\[［【]\s*[{｛]"""
).search
_thinking_ends = re.compile(r"</(?:think|thinking|thought|thoughts|reasoning|scratchpad|analysis)>", re.IGNORECASE)
_thinking_begins = re.compile(r"\s*<(?:think|thinking|thought|thoughts|reasoning|scratchpad|analysis)>", re.IGNORECASE)


def without_thinking(text: str) -> str:
    """Servers of reasoning models leave `<think> … </think>` before the answer, sometimes without its beginning."""
    answer = _thinking_ends.split(text)[-1]
    if _thinking_begins.match(answer):
        raise TruncatedReply("it ends within its thinking")
    return answer


def unpacked(text: str) -> str:
    """A reply that is itself one JSON string, or escaped as HTML, as what it stands for; any other as it is."""
    stripped = text.strip().strip("\ufeff").strip()
    if stripped.startswith('"{') or stripped.startswith('"['):
        try:
            inner = json.loads(stripped)
        except json.JSONDecodeError:
            return text
        return inner if isinstance(inner, str) else text
    return text if _begins(text) or "&quot;" not in text else html.unescape(text)


def json_values(text: str) -> Iterator[Any]:
    """Every JSON object or list of objects in the text, in order; numbers as Decimal. Raises what `errors` names.

    What looks like JSON and is none is passed over before the first that is (a template, a draft), never after it.
    """
    at, not_json, looked_at = 0, "", 0
    found = False
    while begins := _begins(text, at):
        looked_at += 1
        if looked_at > OBJECTS_MAX:
            raise NoDecision(f"more than {OBJECTS_MAX} JSON objects")
        region, at = as_json(text, begins.start())
        try:
            value = loaded(region)
        except json.JSONDecodeError as error:
            not_json = not_json or f"line {error.lineno} column {error.colno} of what looks like JSON: {error.msg}"
            if found and "signal" in region:
                raise AmbiguousReply(f"after a decision, {not_json}") from None
            continue
        found = found or bool(value)
        yield value
    if not found and not_json:
        raise NoDecision(not_json)


def loaded(region: str) -> Any:
    return json.loads(
        region, parse_float=_number, parse_int=_number, parse_constant=_no_constant, object_pairs_hook=_unique
    )


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
