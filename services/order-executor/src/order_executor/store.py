"""Loads and saves the venue: one statement, whatever the number of units and competitors."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chassis.step import Connection, Writing
from contracts.executions import OrderFilled
from contracts.signals import ExitPlan
from pydantic import TypeAdapter

from order_executor.core import Account, Closing, Consumed, Instruction, Market, Order, Position, Stamp, Venue

_UNITS = """
insert into units select * from unnest($1::int[], $2::timestamptz[], $3::jsonb[])
on conflict (partition) do update set now = excluded.now, stamps = excluded.stamps
"""
_ACCOUNTS = """
insert into accounts select * from unnest($1::int[], $2::text[], $3::text[], $4::numeric[], $5::numeric[],
    $6::numeric[], $7::bigint[], $8::bigint[], $9::jsonb[], $10::numeric[], $11::numeric[], $12::numeric[],
    $13::numeric[], $14::bigint[])
on conflict (season_id, competitor_id) do update set
    partition = excluded.partition, realised_pnl = excluded.realised_pnl, fees = excluded.fees,
    funding = excluded.funding, accepted = excluded.accepted, exits = excluded.exits, consumed = excluded.consumed,
    capital = excluded.capital, liquidation_fees = excluded.liquidation_fees, insurance = excluded.insurance,
    written_off = excluded.written_off, fills = excluded.fills
"""
_POSITIONS = """
insert into positions select * from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::numeric[],
    $7::numeric[], $8::timestamptz[], $9::jsonb[], $10::jsonb[], $11::text[], $12::text[], $13::numeric[])
on conflict (season_id, competitor_id, instrument) do update set
    partition = excluded.partition, quantity = excluded.quantity, cost = excluded.cost, leverage = excluded.leverage,
    opened_at = excluded.opened_at, exit_plan = excluded.exit_plan, closing = excluded.closing,
    traceparent = excluded.traceparent, margin_mode = excluded.margin_mode, margin = excluded.margin
"""
_ORDERS = """
insert into orders select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::jsonb[], $8::text[])
on conflict (order_id) do update set
    partition = excluded.partition, status = excluded.status, body = excluded.body
"""
_INSTRUCTIONS = """
insert into instructions select * from unnest($1::uuid[], $2::int[], $3::jsonb[], $4::text[])
on conflict (event_id) do nothing
"""
_CARRIED_OUT = "delete from instructions where event_id = any($1::uuid[])"
_NAMES = """
select season_id, competitor_id, array_agg(distinct client_order_id) as names from orders
where partition = $1 and client_order_id <> '' and status <> 'pending' group by season_id, competitor_id
"""
_FILLS = """
insert into fills select * from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[],
    $7::text[], $8::text[], $9::numeric[], $10::numeric[], $11::numeric[], $12::text[], $13::text[], $14::bigint[],
    $15::numeric[])
"""

_stamps = TypeAdapter(dict[str, Stamp])
_consumed = TypeAdapter(dict[str, Consumed])
_plan = TypeAdapter(ExitPlan | None)
_closing = TypeAdapter(Closing | None)
_order = TypeAdapter(Order)
_instruction: TypeAdapter[Instruction] = TypeAdapter(Instruction)

Row = tuple[Any, ...]
Moment = tuple[datetime, dict[str, Stamp]]


async def load(db: Connection, partition: int, market: Market) -> Venue:
    venue = Venue(market)
    unit = await db.fetchrow("select now, stamps from units where partition = $1", partition)
    if unit is None:
        return venue
    accounts = {
        (row["season_id"], row["competitor_id"]): _account(row)
        for row in await db.fetch("select * from accounts where partition = $1", partition)
    }
    for row in await db.fetch("select * from positions where partition = $1 and quantity <> 0", partition):
        accounts[row["season_id"], row["competitor_id"]].positions[row["instrument"]] = _position(row)
    for row in await db.fetch(_NAMES, partition):
        accounts[row["season_id"], row["competitor_id"]].names.update(row["names"])
    orders = await db.fetch(
        "select body from orders where partition = $1 and status in ('pending', 'waiting', 'working')", partition
    )
    open_orders = [_order.validate_json(row["body"]) for row in orders]
    instructions = [
        _instruction.validate_json(row["body"]).model_copy(update={"traceparent": row["traceparent"]})
        for row in await db.fetch("select body, traceparent from instructions where partition = $1", partition)
    ]
    stamps = _stamps.validate_json(unit["stamps"])
    venue.restore(unit["now"], stamps, accounts.values(), open_orders, instructions)
    return venue


async def save(out: Writing, venues: Iterable[tuple[int, Venue]], moments: dict[int, Moment]) -> None:
    """`moments` is what was written of each unit's time before, and is brought up to date."""
    units: list[Row] = []
    accounts: list[Row] = []
    positions: list[Row] = []
    orders: list[Row] = []
    fills: list[Row] = []
    instructions: list[Row] = []
    carried_out: list[Row] = []
    for partition, venue in venues:
        moment = venue.now, dict(venue.stamps)
        if moments.get(partition) != moment:
            moments[partition] = moment
            units.append((partition, venue.now, _stamps.dump_json(venue.stamps).decode()))
        changes = venue.changes
        for account in changes.accounts.values():
            accounts.append(_account_row(partition, account))
            positions += [_position_row(partition, account, each) for each in account.positions.values()]
        orders += [_order_row(partition, order) for order in changes.orders.values()]
        fills += [_fill_row(partition, fill) for fill in changes.fills]
        for event_id, event in changes.instructions.items():
            if event is None:
                carried_out.append((event_id,))
            else:
                instructions.append((event_id, partition, event.model_dump_json(), event.traceparent))
        changes.clear()
    tables = (
        (_UNITS, units), (_ACCOUNTS, accounts), (_POSITIONS, positions), (_ORDERS, orders), (_FILLS, fills),
        (_INSTRUCTIONS, instructions),
    )  # fmt: skip
    for statement, rows in tables:
        out.rows(statement, rows)
    out.rows(_CARRIED_OUT, carried_out)


def _account(row: Any) -> Account:
    return Account(
        season_id=row["season_id"],
        competitor_id=row["competitor_id"],
        realised_pnl=row["realised_pnl"],
        fees=row["fees"],
        funding=row["funding"],
        accepted=row["accepted"],
        exits=row["exits"],
        consumed=_consumed.validate_json(row["consumed"]),
        capital=row["capital"],
        liquidation_fees=row["liquidation_fees"],
        insurance=row["insurance"],
        written_off=row["written_off"],
        fills=row["fills"],
    )


def _account_row(partition: int, account: Account) -> Row:
    return (
        partition, account.season_id, account.competitor_id, account.realised_pnl, account.fees, account.funding,
        account.accepted, account.exits, _consumed.dump_json(account.consumed).decode(), account.capital,
        account.liquidation_fees, account.insurance, account.written_off, account.fills,
    )  # fmt: skip


def _position(row: Any) -> Position:
    return Position(
        instrument=row["instrument"],
        quantity=row["quantity"],
        cost=row["cost"],
        leverage=row["leverage"],
        opened_at=row["opened_at"],
        exit_plan=_plan.validate_json(row["exit_plan"] or "null"),
        closing=_closing.validate_json(row["closing"] or "null"),
        traceparent=row["traceparent"],
        margin_mode=row["margin_mode"],
        margin=row["margin"],
    )


def _position_row(partition: int, account: Account, position: Position) -> Row:
    return (
        partition, account.season_id, account.competitor_id, position.instrument, position.quantity, position.cost,
        position.leverage, position.opened_at, _plan.dump_json(position.exit_plan).decode(),
        _closing.dump_json(position.closing).decode(), position.traceparent, position.margin_mode, position.margin,
    )  # fmt: skip


def _order_row(partition: int, order: Order) -> Row:
    return (
        order.order_id, partition, order.season_id, order.competitor_id, order.instrument, order.status,
        _order.dump_json(order).decode(), order.client_order_id,
    )  # fmt: skip


def _fill_row(partition: int, fill: OrderFilled) -> Row:
    return (
        fill.trade_id, partition, fill.season_id, fill.competitor_id, fill.order_id, fill.at, fill.instrument,
        fill.side, fill.price, fill.quantity, fill.fee, fill.liquidity, fill.purpose, fill.book_sequence,
        fill.position_after,
    )  # fmt: skip
