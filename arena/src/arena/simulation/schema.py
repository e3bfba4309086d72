"""The tables of a service, read from the migrations that make the real ones."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from chassis import migrate

_CREATE = re.compile(r"create table (\w+) \((.*?)\)(?:;|\"| *$|\n *\"\"\")", re.DOTALL | re.MULTILINE)
_ALTER = re.compile(r"alter table (\w+)\s+(add column .*?);", re.DOTALL)
_KEY = re.compile(r"primary key \((.*?)\)")
_LITERALS = {"''": "", "'cross'": "cross", "0": 0, "'\\\\x90'": b"\x90"}


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    required: bool
    default: Any
    counts: bool
    """Numbered by the table."""


@dataclass
class Layout:
    columns: list[Column] = field(default_factory=list)
    key: tuple[str, ...] = ()
    """Empty: a table without one."""


@cache
def layouts(service: str) -> dict[str, Layout]:
    """Of the step's own tables and the service's."""
    found: dict[str, Layout] = {}
    own = migrate._of(service)
    for folder in (migrate._STEP, *([own] if own else [])):
        for path in sorted((folder / "versions").glob("*.py")):
            _read(path, found)
    return found


def _read(path: Path, found: dict[str, Layout]) -> None:
    text = re.sub(r"^\s*(--|#).*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for name, body in _CREATE.findall(text):
        layout = found[name] = Layout()
        for part in _parts(body):
            if key := _KEY.match(part):
                layout.key = tuple(column.strip() for column in key[1].split(","))
            else:
                column = _column(part)
                layout.columns.append(column)
                if "primary key" in part:
                    layout.key = (column.name,)
    for name, body in _ALTER.findall(text):
        found[name].columns += [_column(part.removeprefix("add column ")) for part in _parts(body)]


def _parts(body: str) -> Iterator[str]:
    depth, part = 0, ""
    for char in f"{body},":
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            if part.strip():
                yield " ".join(part.split())
            part = ""
        else:
            part += char


def _column(written: str) -> Column:
    name, kind, *rest = written.split()
    words = " ".join(rest)
    default: Any = None
    if found := re.search(r"default (\S+)", words):
        default = _LITERALS.get(found[1])
        if kind == "numeric":
            default = Decimal(default)
        if kind == "bytea":
            default = default or b""
    return Column(name, kind, "not null" in words, default, "as identity" in words)
