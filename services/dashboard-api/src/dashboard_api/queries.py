"""Reads the read model. Every list has a bound and goes on after a cursor."""

import base64
import binascii
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import asyncpg
from chassis.step import Connection, Partition
from contracts.competition import RoundClosed, RoundOpened
from contracts.executions import OrderFilled
from pydantic import TypeAdapter

from dashboard_api.core import decisions, rounds
from dashboard_api.core.board import Shows
from dashboard_api.core.decisions import DecisionFact, DecisionView
from dashboard_api.core.equity import EquityPoint
from dashboard_api.core.rounds import RoundFact, RoundView
from dashboard_api.core.trades import Trade
from dashboard_api.intake import Standing
from dashboard_api.store import load_book

LIST_MAX = 200
T = TypeVar("T")
_facts: TypeAdapter[DecisionFact] = TypeAdapter(DecisionFact)


class BadCursor(ValueError):
    """The cursor is none that this service gave."""


class Page(NamedTuple, Generic[T]):
    items: Sequence[T]
    next: str | None
    """The cursor of what follows; None at the end."""


class History(NamedTuple):
    """What a page is shown of the past when the stream begins."""

    fills: Sequence[OrderFilled]
    trades: Sequence[Trade]
    decisions: Sequence[DecisionFact]
    rounds: Sequence[RoundFact]
    equity: Sequence[EquityPoint]


class ModelFigures(NamedTuple):
    """Of one competitor; latencies in milliseconds."""

    competitor_id: str
    decisions: int
    missed: int
    latency_p50: float | None
    latency_p99: float | None


class Queries:
    def __init__(self, pool: "asyncpg.Pool[Any]", timeout_s: float) -> None:
        self._pool, self._timeout_s = pool, timeout_s

    async def trades(
        self,
        season_id: str,
        *,
        competitor_id: str | None = None,
        instrument: str | None = None,
        first: int = 50,
        after: str | None = None,
    ) -> Page[Trade]:
        """Closed trades, the latest first."""
        at, trade_id = _trade_cursor(after)
        rows = await self._fetch(
            """
            select body, at, trade_id from trades
            where season_id = $1 and ($2::text is null or competitor_id = $2) and ($3::text is null or instrument = $3)
              and ($4::timestamptz is null or (at, trade_id) < ($4, $5::uuid))
            order by at desc, trade_id desc limit $6
            """,
            season_id, competitor_id, instrument, at, trade_id, first + 1,
        )  # fmt: skip
        items = [Trade.model_validate_json(row["body"]) for row in rows[:first]]
        return Page(items, _written(items[-1].closed_at.isoformat(), items[-1].trade_id) if len(rows) > first else None)

    async def decisions(
        self,
        season_id: str,
        *,
        competitor_id: str | None = None,
        round_number: int | None = None,
        first: int = 50,
        after: str | None = None,
    ) -> Page[DecisionView]:
        """The latest rounds first, competitors by name within a round."""
        number, name = _decision_cursor(after)
        rows = await self._fetch(
            """
            with wanted as (
                select distinct round, competitor_id from decision_events
                where season_id = $1 and ($2::text is null or competitor_id = $2) and ($3::int is null or round = $3)
                  and ($4::int is null or round < $4 or (round = $4 and competitor_id > $5))
                order by round desc, competitor_id limit $6)
            select round, competitor_id, body from decision_events join wanted using (round, competitor_id)
            where season_id = $1 order by round desc, competitor_id
            """,
            season_id, competitor_id, round_number, number, name, first + 1,
        )  # fmt: skip
        facts: dict[tuple[int, str], list[DecisionFact]] = defaultdict(list)
        for row in rows:
            facts[row["round"], row["competitor_id"]].append(_facts.validate_json(row["body"]))
        items = [decisions.view(events) for events in list(facts.values())[:first]]
        return Page(items, _written(items[-1].round, items[-1].competitor_id) if len(facts) > first else None)

    async def rounds(self, season_id: str, *, first: int = 50, after: str | None = None) -> Page[RoundView]:
        """The latest first."""
        rows = await self._fetch(
            """
            select opened, closed from rounds where season_id = $1 and ($2::int is null or round < $2)
            order by round desc limit $3
            """,
            season_id, _round_cursor(after), first + 1,
        )  # fmt: skip
        items = [rounds.view(*_round_facts(row)) for row in rows[:first]]
        return Page(items, _written(items[-1].round) if len(rows) > first else None)

    async def equity(self, season_id: str, competitor_id: str) -> Sequence[EquityPoint]:
        rows = await self._fetch(
            "select * from equity where season_id = $1 and competitor_id = $2 order by at, seq",
            season_id, competitor_id,
        )  # fmt: skip
        return [EquityPoint(*row) for row in rows]

    async def models(self, season_id: str) -> dict[str, ModelFigures]:
        rows = await self._fetch(
            """
            select competitor_id,
                count(distinct round) filter (where type in ('signal_proposed', 'decision_missed')) as decisions,
                count(*) filter (where type = 'decision_missed') as missed,
                percentile_disc(0.5) within group (order by (body -> 'attempt' ->> 'latency_ms')::float)
                    filter (where type = 'signal_proposed' and (body ->> 'part')::int = 1) as latency_p50,
                percentile_disc(0.99) within group (order by (body -> 'attempt' ->> 'latency_ms')::float)
                    filter (where type = 'signal_proposed' and (body ->> 'part')::int = 1) as latency_p99
            from decision_events where season_id = $1 group by competitor_id
            """,
            season_id,
        )  # fmt: skip
        return {row["competitor_id"]: ModelFigures(*row) for row in rows}

    async def counts(self, season_id: str) -> dict[str, int]:
        """How many of each the read model holds."""
        rows = await self._fetch(
            """
            select type, count(*) from decision_events where season_id = $1 group by type
            union all select 'order_filled', count(*) from fills where season_id = $1
            union all select 'trade_closed', count(*) from trades where season_id = $1
            union all select 'round_opened', count(opened) from rounds where season_id = $1
            union all select 'round_closed', count(closed) from rounds where season_id = $1
            """,
            season_id,
        )  # fmt: skip
        return {row["type"]: row["count"] for row in rows}

    async def _fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        return await self._pool.fetch(query, *arguments, timeout=self._timeout_s)


async def standing(db: Connection, topics: Sequence[str]) -> Standing:
    """Where the step stands in these topics. Read it in one transaction with `history`: they are of one moment."""
    positions = await db.fetch("select topic, partition, next_offset from step_position where topic = any($1)", topics)
    seen = await db.fetch("select topic, partition, source, sequence from step_seen where topic = any($1)", topics)
    offsets = {Partition(row["topic"], row["partition"]): row["next_offset"] for row in positions}
    return Standing(
        offsets=offsets,
        seen={(Partition(row["topic"], row["partition"]), row["source"]): row["sequence"] for row in seen},
        books={partition: await load_book(db, partition) for partition in offsets},
    )


async def history(db: Connection, season_id: str, shows: Shows) -> History:
    """Oldest first."""
    fills = await db.fetch(_LATEST.format(table="fills"), season_id, shows.fills)
    trades = await db.fetch(_LATEST.format(table="trades"), season_id, shows.trades)
    facts = await db.fetch(_LATEST_DECISIONS, season_id, shows.decisions)
    last = await db.fetch(
        "select opened, closed from rounds where season_id = $1 order by round desc limit 1", season_id
    )
    equity = await db.fetch("select * from equity where season_id = $1 order by at, seq", season_id)
    return History(
        fills=[OrderFilled.model_validate_json(row["body"]) for row in reversed(fills)],
        trades=[Trade.model_validate_json(row["body"]) for row in reversed(trades)],
        decisions=[_facts.validate_json(row["body"]) for row in facts],
        rounds=[fact for row in last for fact in _round_facts(row) if fact is not None],
        equity=[EquityPoint(*row) for row in equity],
    )


async def equity_positions(db: Connection) -> dict[Partition, int]:
    rows = await db.fetch("select topic, partition, next_offset from equity_position")
    return {Partition(row["topic"], row["partition"]): row["next_offset"] for row in rows}


_LATEST = "select body from {table} where season_id = $1 order by at desc, trade_id desc limit $2"
_LATEST_DECISIONS = """
with wanted as (
    select distinct round, competitor_id from decision_events where season_id = $1
    order by round desc, competitor_id limit $2)
select body from decision_events join wanted using (round, competitor_id) where season_id = $1
order by round, at, competitor_id, type desc, (body ->> 'part')::int
"""


def _round_facts(row: asyncpg.Record) -> tuple[RoundOpened | None, RoundClosed | None]:
    opened, closed = row["opened"], row["closed"]
    return (
        RoundOpened.model_validate_json(opened) if opened else None,
        RoundClosed.model_validate_json(closed) if closed else None,
    )


def _written(*parts: object) -> str:
    return base64.urlsafe_b64encode("|".join(map(str, parts)).encode()).decode()


def _parts(cursor: str, count: int) -> list[str]:
    try:
        parts = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
    except (binascii.Error, UnicodeError):
        raise BadCursor("after: not a cursor of this list") from None
    if len(parts) != count:
        raise BadCursor("after: not a cursor of this list")
    return parts


def _trade_cursor(after: str | None) -> tuple[datetime | None, UUID | None]:
    if after is None:
        return None, None
    at, trade_id = _parts(after, 2)
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("naive")
        return moment, UUID(trade_id)
    except ValueError:
        raise BadCursor("after: not a cursor of this list") from None


def _decision_cursor(after: str | None) -> tuple[int | None, str | None]:
    if after is None:
        return None, None
    number, name = _parts(after, 2)
    return _bounded(number), name


def _round_cursor(after: str | None) -> int | None:
    return None if after is None else _bounded(*_parts(after, 1))


def _bounded(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadCursor("after: not a cursor of this list")
    return int(text)
