"""Recorded decisions as Alpha Arena published them: `{"conversations": [entry, …]}`, the list alone, or JSON lines;
gzipped or not. What an entry's reply was, as the text that the model wrote.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from arena import packed

BYTES_MAX = 128_000_000
ENTRIES_MAX = 100_000
LISTS = ("conversations", "data", "records", "results", "items", "decisions")
REPLIES = ("llm_response", "raw_response", "response", "reply", "completion", "output", "content")
PROMPTS = ("user_prompt", "prompt", "request")


class Written(str):
    """A number as it stood there: what is checked is what was said, to the last digit."""

    __slots__ = ()


class Conversation(NamedTuple):
    name: str
    prompt: str
    """Empty where there is none."""
    reply: str


class Malformed(NamedTuple):
    name: str
    reason: str


def read(path: Path) -> list[Any]:
    """The entries as they stand there, malformed ones too. Raises Unreadable."""
    text = _text(packed.content(path, BYTES_MAX))
    try:
        entries = _listed(_loaded(text))
    except (ValueError, RecursionError) as error:
        entries = _lines(text, error)
    if len(entries) > ENTRIES_MAX:
        raise packed.Unreadable(f"{len(entries)} conversations, at most {ENTRIES_MAX} are read")
    return entries


def conversation(entry: Any) -> Conversation | Malformed:
    if isinstance(entry, Malformed):
        return entry
    if not isinstance(entry, Mapping):
        return Malformed("", f"is {_kind(entry)}, not an object")
    name = str(entry.get("id", ""))[:200]
    replies = [entry[each] for each in REPLIES if entry.get(each) is not None]
    if not replies:
        return Malformed(name, "llm_response: missing")
    prompt = next((entry[each] for each in PROMPTS if isinstance(entry.get(each), str)), "")
    return Conversation(name, prompt, _reply(replies[0]))


def _reply(response: Any) -> str:
    """The recorder kept the parsed object, or, where its own parser failed, the raw text."""
    if isinstance(response, Mapping) and "failed_json_response_raw_text" in response:
        response = response["failed_json_response_raw_text"]
    if response is None:
        return ""
    return response if isinstance(response, str) else _written(response)


def _written(value: Any) -> str:
    """JSON with the numbers as they were."""
    if isinstance(value, Written):
        return value
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(name)}: {_written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _listed(found: Any) -> list[Any]:
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        for name in LISTS:
            if isinstance(entries := found.get(name), list):
                return entries
        if any(name in found for name in REPLIES):
            return [found]
        if found and all(isinstance(each, dict) and any(name in each for name in REPLIES) for each in found.values()):
            return [{"id": name, **each} for name, each in found.items()]
    raise packed.Unreadable(
        f"{_kind(found)}: neither a list of conversations nor an object with one in `conversations`"
    )


def _lines(text: str, whole: Exception) -> list[Any]:
    """JSON lines, if the first is one; a line that is none is an entry that cannot be read."""
    if isinstance(whole, packed.Unreadable):
        raise whole
    entries = list(_line_by_line(text))
    if not entries or not isinstance(entries[0], dict):
        raise packed.Unreadable(f"not JSON: {str(whole) or type(whole).__name__}") from None
    return entries


def _line_by_line(text: str) -> Iterator[Any]:
    for line in filter(str.strip, text.split("\n")):
        try:
            yield _loaded(line)
        except (ValueError, RecursionError) as error:
            yield Malformed("", f"not JSON: {str(error) or type(error).__name__}")


def _loaded(text: str) -> Any:
    return json.loads(text, parse_float=Written, parse_int=Written, parse_constant=Written)


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", Written: "a number", str: "a text", bool: "a boolean"}
    return kinds.get(type(value), "null")


def _text(content: bytes) -> str:
    """What is no UTF-8 becomes U+FFFD: one broken text must not hide the others."""
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return content.decode("utf-16" if wide else "utf-8-sig", "replace")
