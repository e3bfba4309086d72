"""What one commit writes: all of it in one round trip where each table needs only its rows."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import asyncpg

from chassis.crash_points import crash_point

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any]
else:
    Connection = asyncpg.Connection

_PARAMETER = re.compile(r"\$(\d+)")

Row = tuple[Any, ...]


class Writing:
    """Rows are gathered and become one statement, which is a transaction of its own.

    Who needs more than that (COPY, an answer) asks for the `connection`: only then a transaction is begun.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._parts: list[tuple[str, list[list[Any]]]] = []
        self._transaction: Any = None

    def rows(self, statement: str, rows: Sequence[Row]) -> None:
        """The statement's n-th column is $n, an array; without rows it is left out.

        All statements see the tables as they were before, so no two may write the same row.
        """
        if rows:
            self._parts.append((statement, columns(rows, len(rows[0]))))

    async def connection(self) -> Connection:
        if self._transaction is None:
            self._transaction = self._db.transaction()
            await self._transaction.start()
            crash_point("rows.after_begin")
        return self._db

    async def end(self, query: str = "select", *arguments: Any) -> None:
        """Write all of it, and ask the query last: where it fails, nothing was written."""
        statement = _together(tuple((part, len(values)) for part, values in self._parts), query)
        crash_point("rows.before_statement")
        try:
            await self._db.execute(statement, *(column for _, values in self._parts for column in values), *arguments)
        except BaseException:
            await self.undo()
            raise
        if self._transaction is not None:
            crash_point("rows.before_commit")
            await self._transaction.commit()

    async def undo(self) -> None:
        if self._transaction is not None and not self._db.is_closed():
            await self._transaction.rollback()


@asynccontextmanager
async def writing(db: Connection) -> AsyncIterator[Writing]:
    """All that is written within, or nothing."""
    made = Writing(db)
    try:
        yield made
    except BaseException:
        await made.undo()
        raise
    await made.end()


def columns(rows: Sequence[Row], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


@lru_cache(maxsize=256)
def _together(parts: tuple[tuple[str, int], ...], query: str) -> str:
    first, named = 0, []
    for n, (statement, count) in enumerate(parts):
        named.append(f"part{n} as ({_numbered_on(statement, first)})")
        first += count
    last = _numbered_on(query, first)
    if not named:
        return last
    parts_with = f"with {', '.join(named)}"
    return f"{parts_with}, {last.removeprefix('with ')}" if last.startswith("with ") else f"{parts_with} {last}"


def _numbered_on(statement: str, first: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + first}", statement)
