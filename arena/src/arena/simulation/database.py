"""The simulated PostgreSQL: one service's tables; a statement is all or nothing, and a crash falls before or after it.

The step's own statements are told by their text, so that another text is an error here before it is one there.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from chassis.step import ADVANCE, TAKE_OVER
from competition.app import WRITER_LOCK

from arena.simulation import queries
from arena.simulation.process import Process
from arena.simulation.schema import layouts
from arena.simulation.tables import Row, Table, Unknown, flat, select, writer

_PART = re.compile(r"(?:with|,) part\d+ as \(")
_ADVANCE = flat(ADVANCE).removeprefix("with ")[:60]
_TAKE_OVER = flat(TAKE_OVER)


class Move(NamedTuple):
    """One position, as a commit advances it."""

    topic: str
    partition: int
    version: int
    next_offset: int
    sequence: int
    staged: bytes
    cursor: bytes


class Database:
    """Of one service."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.tables = {name: Table(layout) for name, layout in layouts(service).items()}
        self.watchers: list[Callable[[str, Sequence[Move]], None]] = []
        """Called with what each commit of the step moved."""
        self.lock_holder: Process | None = None

    def rows(self, table: str) -> list[Row]:
        known = self.tables[table]
        return [Row.of(known.names, row) for row in known.rows.values()]

    def take_over(self, topic: str, partition: int) -> Row:
        table = self.tables["step_position"]
        key = topic, partition
        row = list(table.rows.get(key) or table.whole(("topic", "partition"), key))
        if key in table.rows:
            row[table.places["version"]] += 1
        table.rows[key] = tuple(row)
        return Row.of(table.names, row)

    def advance(self, arguments: Sequence[Any]) -> None:
        """Raises DivisionByZeroError where a position is not at the version that its worker left: the fence."""
        table = self.tables["step_position"]
        moves = [Move(*values) for values in zip(*arguments[:7], strict=True)]
        held = {(move.topic, move.partition): move for move in moves}
        for key, move in held.items():
            row = table.rows.get(key)
            if row is None or row[table.places["version"]] != move.version:
                raise asyncpg.DivisionByZeroError("the fence")
        for key, move in held.items():
            values = {**move._asdict(), "version": move.version + 1}
            table.rows[key] = table.whole(tuple(values), tuple(values.values()))
        seen = self.tables["step_seen"]
        for row in zip(*arguments[7:11], strict=True):
            seen.rows[row[:3]] = row
        for watch in self.watchers:
            watch(self.service, moves)

    def save_season(self, season_id: str, revision: int, body: str) -> int | None:
        table = self.tables["season"]
        before = table.rows.get((season_id,))
        if before is not None and before[1] != revision:
            return None
        after = before[1] + 1 if before else 1
        table.rows[(season_id,)] = (season_id, after, body)
        return after

    def execute(self, statement: str, arguments: Sequence[Any]) -> None:
        """All of it or nothing."""
        before = {name: dict(table.rows) for name, table in self.tables.items() if _writes(statement, name)}
        try:
            self._execute(statement, arguments)
        except BaseException:
            for name, rows in before.items():
                self.tables[name].rows = rows
            raise

    def _execute(self, statement: str, arguments: Sequence[Any]) -> None:
        parts, tail = _plan(statement)
        taken = 0
        for part, width in parts:
            writer(part)(self.tables, arguments[taken : taken + width])
            taken += width
        if tail.startswith(_ADVANCE):
            self.advance(arguments[taken:])
        elif tail.startswith("insert into step_broker"):
            self.tables["step_broker"].rows.setdefault((arguments[0],), (arguments[0],))
        elif tail and tail != "select":
            writer(tail)(self.tables, arguments[taken:])


@lru_cache(maxsize=512)
def _plan(statement: str) -> tuple[list[tuple[str, int]], str]:
    """The statement's parts, each with the number of its columns; and what is asked last."""
    text, parts = flat(statement), []
    while found := _PART.match(text):
        end = _closing(text, found.end())
        part = text[found.end() : end]
        parts.append((part, len(set(re.findall(r"\$\d+", part)))))
        text = text[end + 1 :].lstrip()
        if not text.startswith(", part"):
            text = text.removeprefix(", ")
    return parts, text.removeprefix("with ")


def _closing(text: str, start: int) -> int:
    depth = 1
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if not depth:
            return place
    raise Unknown(text[:200])


@lru_cache(maxsize=8192)
def _writes(statement: str, table: str) -> bool:
    return f" {table} " in f"{flat(statement)} "


class Connection:
    """What the services use of asyncpg's."""

    def __init__(self, process: Process, database: Database) -> None:
        self._process, self._database = process, database
        self._buffer: list[Callable[[], None]] | None = None

    async def fetch(self, query: str, *arguments: Any) -> list[Row]:
        if self._buffer is None:
            await self._process.passes()
        known = queries.KNOWN.get(flat(query))
        tables = self._database.tables
        return known(tables, *arguments) if known else select(tables, query, arguments)

    async def fetchrow(self, query: str, *arguments: Any) -> Row | None:
        if flat(query) != _TAKE_OVER:
            rows = await self.fetch(query, *arguments)
            return rows[0] if rows else None
        await self._process.effect()
        row = self._database.take_over(*arguments)
        await self._process.effect()
        return row

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        if flat(query).startswith("insert into season "):
            written: list[int | None] = []
            # within the step's transaction: it becomes part of the commit, and its row is what a commit would see
            self._during(lambda: written.append(self._database.save_season(*arguments)))
            table = self._database.tables["season"]
            before = table.rows.get((arguments[0],))
            return 1 if before is None else before[1] + 1 if before[1] == arguments[1] else None
        row = await self.fetchrow(query, *arguments)
        return row[0] if row else None

    def _during(self, write: Callable[[], None]) -> None:
        assert self._buffer is not None
        self._buffer.append(write)

    async def execute(self, statement: str, *arguments: Any, timeout: float | None = None) -> None:  # noqa: ASYNC109, ARG002  # asyncpg's
        if "pg_advisory_lock" in statement:
            await self._lock(*arguments)
        elif self._buffer is not None:
            self._during(lambda: self._database.execute(statement, arguments))
        else:
            await self._process.effect()
            self._database.execute(statement, arguments)
            await self._process.effect()

    async def _lock(self, key: int) -> None:
        assert key == WRITER_LOCK
        while (holder := self._database.lock_holder) is not None and not holder.dead:
            await self._process.passes()
        self._database.lock_holder = self._process

    async def copy_to_table(self, table: str, *, source: BytesIO, columns: Sequence[str] | None = None) -> None:
        known = self._database.tables[table]
        names = tuple(columns or (column.name for column in known.layout.columns))
        kinds = {column.name: column.kind for column in known.layout.columns}
        rows = [
            tuple(_read(kinds[name], text) for name, text in zip(names, line.split("\t"), strict=True))
            for line in source.read().decode().splitlines()
        ]
        self._during(lambda: _add(known, names, rows))

    async def copy_records_to_table(self, table: str, *, records: Sequence[Sequence[Any]]) -> None:
        known = self._database.tables[table]
        rows = list(records)
        self._during(lambda: _add(known, known.names, rows))

    def transaction(self, **options: Any) -> "Transaction":  # noqa: ARG002  # reads within one are at one moment anyhow
        return Transaction(self)

    def cursor(self, query: str, *arguments: Any, prefetch: int) -> AsyncIterator[Row]:  # noqa: ARG002  # asyncpg's
        return self._rows(query, arguments)

    async def _rows(self, query: str, arguments: Sequence[Any]) -> AsyncIterator[Row]:
        for row in select(self._database.tables, query, arguments):
            yield row

    def is_closed(self) -> bool:
        return self._process.dead

    async def close(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  # asyncpg's
        """It holds nothing."""


class Transaction:
    """What is written within is buffered, and done at the commit."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    async def start(self) -> None:
        await self._db._process.passes()
        self._db._buffer = []

    async def commit(self) -> None:
        writes, self._db._buffer = self._db._buffer or [], None
        await self._db._process.effect()
        self._apply(writes)
        await self._db._process.effect()

    def _apply(self, writes: Sequence[Callable[[], None]]) -> None:
        tables = self._db._database.tables
        before = {name: dict(table.rows) for name, table in tables.items()}
        try:
            for write in writes:
                write()
        except BaseException:
            for name, rows in before.items():
                tables[name].rows = rows
            raise

    async def rollback(self) -> None:
        self._db._buffer = None

    async def __aenter__(self) -> "Transaction":
        await self.start()
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        await (self.commit() if kind is None else self.rollback())


def _add(table: Table, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    for values in rows:
        row = table.whole(names, values)
        key = table.key_of(row)
        if key in table.rows:
            raise asyncpg.UniqueViolationError(f"{key}")
        table.rows[key] = row


def _read(kind: str, text: str) -> Any:
    if text == "\\N":
        return None
    return _FROM_TEXT[kind](text)


_FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "int": int, "bigint": int, "text": str, "numeric": Decimal, "uuid": lambda text: UUID(hex=text),
    "timestamptz": datetime.fromisoformat,
}  # fmt: skip
