"""Untrusted text as data: one JSON object a line between <data> and </data>, which it cannot close."""

import json
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

_BRACKETS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def fenced(lines: Iterable[str]) -> list[str]:
    """Lines of `as_data`."""
    return ["<data>", *lines, "</data>"]


def as_data(item: Mapping[str, Any]) -> str:
    shown = {name: visible(value) if isinstance(value, str) else value for name, value in item.items()}
    return json.dumps(shown, ensure_ascii=False).translate(_BRACKETS)


def visible(text: str) -> str:
    """Compatibility forms folded, what nobody would see removed, lines joined."""
    folded = unicodedata.normalize("NFKC", text)
    if folded.isprintable():
        return folded
    return "".join(char if char.isprintable() else " " if char.isspace() else "" for char in folded)
