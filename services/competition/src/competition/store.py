"""The season's state: one row, whose revision is the second fence (the first is the step's own)."""

import asyncpg
from chassis.step import Connection, Fenced
from pydantic import TypeAdapter

from competition.core import SeasonState

CODEC = TypeAdapter(SeasonState)


class SeasonRow:
    def __init__(self, season_id: str) -> None:
        self._season_id, self._revision = season_id, 0

    async def load(self, db: Connection) -> SeasonState:
        row: asyncpg.Record | None = await db.fetchrow(
            "select body, revision from season where season_id = $1", self._season_id
        )
        self._revision = row["revision"] if row else 0
        return CODEC.validate_json(row["body"]) if row else SeasonState()

    async def save(self, db: Connection, state: SeasonState) -> None:
        """Raises Fenced where another process saved since this one loaded."""
        written = await db.fetchval(
            "insert into season values ($1, 1, $3::jsonb) on conflict (season_id) "
            "do update set revision = season.revision + 1, body = excluded.body where season.revision = $2 "
            "returning revision",
            self._season_id, self._revision, CODEC.dump_json(state).decode(),
        )  # fmt: skip
        if written != self._revision + 1:
            raise Fenced(f"season {self._season_id}: another process is at revision {written}, not {self._revision}")
        self._revision = written
