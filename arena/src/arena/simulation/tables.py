"""One service's committed rows, and the statements by which the stores write and read them.

Writes of any form `insert … select * from unnest(…)` and reads of one table are understood; the few that are more than
that stand in `queries.py`. A statement that nobody understands is an error, never a guess.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any

from asyncpg import UniqueViolationError

from arena.simulation.schema import Layout

_INSERT = re.compile(
    r"insert into (\w+)(?: \(([^)]*)\))? select \* from unnest\s*\(.*?\)(?: on conflict(?: \([^)]*\))? do "
    r"(nothing|update set (.*?)(?: where (.*))?))?$"
)
_DELETE = re.compile(r"delete from (\w+) where (\w+) = any\(\$\d+(?:::\w+\[\])?\)$")
_DELETE_KEYS = re.compile(r"delete from (\w+) where \(([^)]*)\) in \( ?select \* from unnest")
_SELECT = re.compile(
    r"select (?:distinct on \(([^)]*)\) )?(.*?) from (\w+)(?: where (.*?))?(?: order by (.*?))?(?: limit \$(\d+))?$"
)

_TERM = re.compile(r"\(([^)]*)\) = \(([^)]*)\)|(\w+) (=|<>|<=|>) (any\(\$\d+\)|\S+)|(\w+) in \(([^)]*)\)")


class Unknown(NotImplementedError):
    """The simulated database does not know the statement."""


class Row(tuple[Any, ...]):
    """As asyncpg's record: by place and by name."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, names: tuple[str, ...], values: Sequence[Any]) -> "Row":
        row = cls(values)
        row.names = names
        return row

    def __getitem__(self, where: Any) -> Any:
        return super().__getitem__(self.names.index(where) if isinstance(where, str) else where)

    def keys(self) -> tuple[str, ...]:
        return self.names


@dataclass
class Table:
    layout: Layout
    rows: dict[Any, tuple[Any, ...]] = field(default_factory=dict)
    counter: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.names = tuple(column.name for column in self.layout.columns)
        self.places = {name: place for place, name in enumerate(self.names)}

    def key_of(self, row: tuple[Any, ...]) -> Any:
        key = self.layout.key
        return tuple(row[self.places[name]] for name in key) if key else next(self.counter)

    def whole(self, names: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
        """The row with its defaults; what must be there is there."""
        given = dict(zip(names, values, strict=True))
        row = []
        for column in self.layout.columns:
            value = next(self.counter) if column.counts else given.get(column.name, column.default)
            if value is None and column.required:
                raise ValueError(f"{column.name}: not null")
            row.append(value)
        return tuple(row)


def flat(statement: str) -> str:
    return " ".join(statement.split()).rstrip(";")


Write = Callable[[Mapping[str, Table], Sequence[Sequence[Any]]], None]


@lru_cache(maxsize=512)
def writer(statement: str) -> Write:
    """What the statement does with its columns. Raises Unknown."""
    text = flat(statement)
    if found := _INSERT.match(text):
        return _inserts(*found.groups())
    if found := _DELETE.match(text):
        return _deletes(*found.groups())
    if found := _DELETE_KEYS.match(text):
        return _deletes_keys(found[1])
    raise Unknown(text[:200])


def _inserts(table: str, names: str | None, action: str | None, updates: str | None, condition: str | None) -> Write:
    """A row whose key is there is an error, is left as it was, or takes over the columns that are named."""
    if condition:
        raise Unknown(condition)
    changed = [_update(part.strip()) for part in re.split(r", (?=\w+ = )", updates)] if updates else []

    def write(tables: Mapping[str, Table], columns: Sequence[Sequence[Any]]) -> None:
        known = tables[table]
        given = names.split(", ") if names else [each.name for each in known.layout.columns if not each.counts]
        for values in zip(*columns, strict=True):
            row = known.whole(given, values)
            key = known.key_of(row)
            before = known.rows.get(key)
            if before is None:
                known.rows[key] = row
            elif action is None:
                raise UniqueViolationError(f"{table} {key}")
            elif changed:
                known.rows[key] = _merged(known, before, row, changed)

    return write


def _update(part: str) -> tuple[str, bool]:
    """(column, whether a null leaves it as it was)."""
    name, _, value = part.partition(" = ")
    if value == f"excluded.{name}":
        return name, False
    if re.fullmatch(rf"coalesce\(excluded\.{name}, \w+\.{name}\)", value):
        return name, True
    raise Unknown(part)


def _merged(
    table: Table, before: tuple[Any, ...], row: tuple[Any, ...], changed: Sequence[tuple[str, bool]]
) -> tuple[Any, ...]:
    after = list(before)
    for name, keeps in changed:
        place = table.places[name]
        if not keeps or row[place] is not None:
            after[place] = row[place]
    return tuple(after)


def _deletes(table: str, column: str) -> Write:
    def write(tables: Mapping[str, Table], columns: Sequence[Sequence[Any]]) -> None:
        known, gone = tables[table], set(columns[0])
        place = known.places[column]
        known.rows = {key: row for key, row in known.rows.items() if row[place] not in gone}

    return write


def _deletes_keys(table: str) -> Write:
    def write(tables: Mapping[str, Table], columns: Sequence[Sequence[Any]]) -> None:
        for key in zip(*columns, strict=True):
            tables[table].rows.pop(key, None)

    return write


@lru_cache(maxsize=256)
def _parsed(statement: str) -> "tuple[str | None, str, str, list[Any], str | None, str | None]":
    found = _SELECT.match(flat(statement))
    if found is None:
        raise Unknown(flat(statement)[:200])
    distinct, wanted, table, where, order, limit = found.groups()
    return distinct, wanted, table, _terms(where or ""), order, limit


def _terms(where: str) -> list[tuple[str, str, str]]:
    """(column, operator, value as written) of every condition."""
    terms: list[tuple[str, str, str]] = []
    rest = where
    while rest:
        found = _TERM.match(rest)
        if found is None:
            raise Unknown(where)
        left, right, name, operator, value, member, values = found.groups()
        if left:
            terms += [(n.strip(), "=", v.strip()) for n, v in zip(left.split(","), right.split(","), strict=True)]
        elif name:
            terms.append((name, operator, value))
        else:
            terms.append((member, "in", values))
        rest = rest[found.end() :].removeprefix(" and ")
    return terms


_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    "in": lambda a, b: a in b,
}  # fmt: skip


def select(tables: Mapping[str, Table], statement: str, arguments: Sequence[Any]) -> list[Row]:
    """Of one table. Raises Unknown."""
    distinct, wanted, name, terms, order, limit = _parsed(statement)
    table = tables[name]
    held = [
        (table.places[column], _HOLDS["in" if value.startswith("any(") else op], _value(value, op, arguments))
        for column, op, value in terms
    ]
    rows = [row for row in table.rows.values() if all(holds(row[place], value) for place, holds, value in held)]
    for term in reversed([part.strip() for part in order.split(",")] if order else []):
        column, _, way = term.partition(" ")
        rows.sort(key=lambda row, place=table.places[column]: row[place], reverse=way == "desc")  # type: ignore[misc]
    if distinct:
        firsts: dict[Any, tuple[Any, ...]] = {}
        for row in rows:
            firsts.setdefault(tuple(row[table.places[part.strip()]] for part in distinct.split(",")), row)
        rows = list(firsts.values())
    if limit:
        rows = rows[: arguments[int(limit) - 1]]
    names = table.names if wanted == "*" else tuple(part.strip() for part in wanted.split(","))
    places = [table.places[each] for each in names]
    return [Row.of(names, [row[place] for place in places]) for row in rows]


def _value(written: str, operator: str, arguments: Sequence[Any]) -> Any:
    if operator == "in":
        return {part.strip().strip("'") for part in written.split(",")}
    if found := re.search(r"\$(\d+)", written):
        return arguments[int(found[1]) - 1]
    return written.strip("'") if written.startswith("'") else int(written)
