"""Rows of several tables written in one round trip."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from chassis.step import Connection, columns

_PARAMETER = re.compile(r"\$(\d+)")

Row = tuple[Any, ...]


async def write(db: Connection, tables: Iterable[tuple[str, Sequence[Row]]]) -> None:
    """Each statement with its rows, whose n-th column is $n; a table without rows is left out.

    All become parts of one statement: they see the tables as they were before, so no two may write the same one.
    """
    written = [(statement, columns(rows, len(rows[0]))) for statement, rows in tables if rows]
    if written:
        statement = _together(tuple((statement, len(values)) for statement, values in written))
        await db.execute(statement, *(column for _, values in written for column in values))


@lru_cache(maxsize=256)
def _together(parts: tuple[tuple[str, int], ...]) -> str:
    first, named = 0, []
    for n, (statement, count) in enumerate(parts):
        named.append(f"part{n} as ({_numbered_on(statement, first)})")
        first += count
    return f"with {', '.join(named)} select"


def _numbered_on(statement: str, first: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + first}", statement)
