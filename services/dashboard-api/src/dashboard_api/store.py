"""Writes the read model: a batch's facts, one statement a table; everything may be written twice."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from chassis.rows import writing
from chassis.step import Connection, Partition, Writing
from contracts.competition import RoundClosed, RoundOpened
from contracts.executions import OrderFilled

from dashboard_api.core.changes import json_of
from dashboard_api.core.equity import EquityPoint
from dashboard_api.core.fold import Fact
from dashboard_api.core.trades import OpenTrade, Trade, TradeBook

FILLS = """
insert into fills select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::jsonb[])
on conflict do nothing
"""
TRADES = FILLS.replace("fills", "trades")
DECISION_EVENTS = """
insert into decision_events select * from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::int[], $5::timestamptz[], $6::text[], $7::jsonb[])
on conflict do nothing
"""
ROUNDS = """
insert into rounds select * from unnest($1::text[], $2::int[], $3::jsonb[], $4::jsonb[])
on conflict (season_id, round) do update set
    opened = coalesce(excluded.opened, rounds.opened), closed = coalesce(excluded.closed, rounds.closed)
"""
OPEN_TRADES = """
insert into open_trades select * from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::jsonb[])
on conflict (season_id, competitor_id, instrument) do update set
    topic = excluded.topic, partition = excluded.partition, body = excluded.body
"""
CLOSED_TRADES = """
delete from open_trades where (season_id, competitor_id, instrument) in (
    select * from unnest($1::text[], $2::text[], $3::text[]))
"""
EQUITY = """
insert into equity select * from unnest(
    $1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[], $6::numeric[])
on conflict (season_id, competitor_id, slot) do update set
    at = excluded.at, seq = excluded.seq, equity = excluded.equity where equity.seq < excluded.seq
"""
EQUITY_POSITION = """
insert into equity_position select * from unnest($1::text[], $2::int[], $3::bigint[])
on conflict (topic, partition) do update set
    next_offset = greatest(equity_position.next_offset, excluded.next_offset)
"""


def save_facts(out: Writing, facts: Sequence[Fact]) -> None:
    rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    rounds: dict[tuple[str, int], list[str | None]] = {}
    for fact in facts:
        match fact:
            case OrderFilled():
                rows[FILLS].append((fact.trade_id, *_whose(fact), fact.instrument, fact.at, json_of(fact)))
            case Trade():
                rows[TRADES].append((fact.trade_id, *_whose(fact), fact.instrument, fact.closed_at, json_of(fact)))
            case RoundOpened():
                rounds.setdefault((fact.season_id, fact.round), [None, None])[0] = json_of(fact)
            case RoundClosed():
                rounds.setdefault((fact.season_id, fact.round), [None, None])[1] = json_of(fact)
            case _:
                event = fact.event_id, *_whose(fact), fact.round, fact.at, fact.type, json_of(fact)
                rows[DECISION_EVENTS].append(event)
    rows[ROUNDS] = [(*where, *bodies) for where, bodies in rounds.items()]
    for statement, written in rows.items():
        out.rows(statement, written)


def save_open_trades(out: Writing, books: Mapping[Partition, TradeBook]) -> None:
    changed = [(partition, book, where) for partition, book in books.items() for where in sorted(book.changed)]
    open_ = [(*p, *where, json_of(book.open[where])) for p, book, where in changed if where in book.open]
    closed = [where for _, book, where in changed if where not in book.open]
    out.rows(OPEN_TRADES, open_)
    out.rows(CLOSED_TRADES, closed)
    for book in books.values():
        book.changed.clear()


async def load_book(db: Connection, partition: Partition) -> TradeBook:
    book = TradeBook()
    rows = await db.fetch("select body from open_trades where topic = $1 and partition = $2", *partition)
    for trade in (OpenTrade.model_validate_json(row["body"]) for row in rows):
        book.open[trade.season_id, trade.competitor_id, trade.instrument] = trade
    return book


async def save_equity(db: Connection, points: Sequence[EquityPoint], positions: Mapping[Partition, int]) -> None:
    """Every replica writes the same; in one order, so that two of them never wait for each other in a ring."""
    async with writing(db) as out:
        out.rows(EQUITY, sorted(points))
        out.rows(EQUITY_POSITION, sorted((*partition, offset) for partition, offset in positions.items()))


def _whose(fact: Any) -> tuple[str, str]:
    return fact.season_id, fact.competitor_id
