"""Midnights, minutes and wanted reports in PostgreSQL: written with the books, in the step's own transaction."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from chassis.step import Connection, Writing

from pnl_tracker.core.diary import Diary, Key
from pnl_tracker.core.reports import Wanted
from pnl_tracker.core.statement import Opening

SAVE_CLOCK = """
insert into clock select * from unnest($1::int[], $2::timestamptz[])
on conflict (partition) do update set sampled = excluded.sampled
"""
SAVE_OPENINGS = """
insert into statements select * from unnest(
    $1::int[], $2::text[], $3::text[], $4::timestamptz[], $5::numeric[], $6::numeric[], $7::jsonb[], $8::jsonb[])
"""
SAVE_WANTED = """
insert into reports_wanted (partition, season_id, competitor_id, at, through, wanted)
select * from unnest($1::int[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::text[])
"""


class Rows:
    """What one save writes."""

    def __init__(self) -> None:
        self._clock: list[tuple[Any, ...]] = []
        self._openings: list[tuple[Any, ...]] = []
        self._wanted: list[tuple[int, Wanted]] = []
        self._stored: dict[Key, int] = {}

    def take(self, partition: int, diary: Diary) -> None:
        if diary.minute is not None:
            self._clock.append((partition, diary.minute))
            diary.minute = None
        self._openings += [(partition, *key, at, *_opening(opening)) for (key, at), opening in diary.openings.items()]
        self._wanted += [(partition, wanted) for wanted in diary.wanted]
        diary.openings.clear()
        diary.wanted.clear()

    def number(self, key: Key, stored: int) -> None:
        """The account's fresh entries are numbered from `stored` + 1."""
        self._stored[key] = stored

    def save(self, out: Writing) -> None:
        out.rows(SAVE_CLOCK, self._clock)
        out.rows(SAVE_OPENINGS, self._openings)
        out.rows(SAVE_WANTED, [self._row(partition, wanted) for partition, wanted in self._wanted])

    def _row(self, partition: int, wanted: Wanted) -> tuple[Any, ...]:
        through = self._stored[wanted.season_id, wanted.competitor_id] + wanted.entries
        report = wanted.report.model_dump_json()
        return partition, wanted.season_id, wanted.competitor_id, wanted.at, through, report


async def openings(db: Connection, partition: int) -> list[tuple[Key, Opening]]:
    """The last of each account."""
    rows = await db.fetch(
        "select distinct on (season_id, competitor_id) * from statements where partition = $1 "
        "order by season_id, competitor_id, at desc",
        partition,
    )
    return [((row["season_id"], row["competitor_id"]), _opened(row)) for row in rows]


async def flags(db: Connection, partition: int) -> list[tuple[Key, bool]]:
    """What the last reconciliation of each account found."""
    rows = await db.fetch(
        "select distinct on (season_id, competitor_id) season_id, competitor_id, agrees from reconciliations "
        "where partition = $1 order by season_id, competitor_id, at desc",
        partition,
    )
    return [((season_id, competitor_id), agrees) for season_id, competitor_id, agrees in rows]


async def sampled(db: Connection, partition: int) -> datetime | None:
    found: datetime | None = await db.fetchval("select sampled from clock where partition = $1", partition)
    return found


def _opening(opening: Opening) -> tuple[Decimal, Decimal, str, str]:
    balances = {name: str(amount) for name, amount in opening.balances.items()}
    return opening.equity, opening.unrealised, json.dumps(balances), json.dumps(dict(opening.counts))


def _opened(row: Mapping[str, Any]) -> Opening:
    balances = {name: Decimal(amount) for name, amount in json.loads(row["balances"]).items()}
    return Opening(row["equity"], row["unrealised"], balances, json.loads(row["counts"]))
