"""Reads what the audit looks at, when everything has come to rest and the services have ended."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from contracts.topics import TOPICS
from contracts.wire import decode, header

from arena.chaos.audit import Held, Told
from arena.reading import records_of

PARSED = ("decisions.requested.v1", "signals.v1", "orders.v1", "executions.v1", "rounds.v1")
"""Of the others only the numbers and the bytes are looked at."""

_VENUE_ACCOUNTS = "select competitor_id, realised_pnl, fees, funding, fills from order_executor.accounts"
_LEDGER_ACCOUNTS = "select competitor_id, realised_pnl, fees, funding, fills from pnl_tracker.accounts"
_POSTINGS = """select trade_id, count(distinct event_id) from pnl_tracker.ledger_entries where trade_id is not null
group by trade_id"""
_UNBALANCED = "select event_id from pnl_tracker.books where event_id is not null and amount <> 0"


async def told(kafka: str) -> Told:
    found = Told()
    async for record in records_of(kafka, list(TOPICS)):
        headers = record.headers
        kind, source = header(headers, "ce_type") or "", header(headers, "ce_source") or ""
        sequence = int(header(headers, "ce_sequence") or 0)
        if found.is_new(kind, source, sequence, record.value) and record.topic in PARSED:
            found.add(decode(record.topic, record.value, headers), source, sequence)
    return found


async def held(dsn: str) -> Held:
    db = await asyncpg.connect(dsn)
    try:
        return Held(
            venue_fills=await _ids(db, "select trade_id from order_executor.fills"),
            ledger_trades=await _ids(db, "select trade_id from pnl_tracker.trades"),
            ledger_postings=[(trade, count) for trade, count in await db.fetch(_POSTINGS)],
            unbalanced=await _ids(db, _UNBALANCED),
            shown_fills=await _ids(db, "select trade_id from dashboard_api.fills"),
            venue_accounts=await _accounts(db, _VENUE_ACCOUNTS),
            ledger_accounts=await _accounts(db, _LEDGER_ACCOUNTS),
            venue_positions=await _positions(db, "order_executor"),
            ledger_positions=await _positions(db, "pnl_tracker"),
        )
    finally:
        await db.close()


async def _ids(db: Any, query: str) -> list[UUID]:
    return [UUID(str(row[0])) for row in await db.fetch(query)]


async def _accounts(db: Any, query: str) -> dict[str, tuple[Decimal, ...]]:
    return {name: tuple(Decimal(number) for number in numbers) for name, *numbers in await db.fetch(query)}


async def _positions(db: Any, schema: str) -> dict[tuple[str, str], Decimal]:
    query = f"select competitor_id, instrument, quantity from {schema}.positions where quantity <> 0"  # noqa: S608  # one of SERVICES
    return {(who, instrument): quantity for who, instrument, quantity in await db.fetch(query)}
