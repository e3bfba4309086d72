"""Loads and saves the orders at outside venues, with what else one unit knows of them."""

from collections.abc import Iterable
from typing import Any

from chassis.step import Connection, Writing
from pydantic import TypeAdapter

from order_executor.exchange.core import Booked, Desk, Order

_ORDERS = """
insert into exchange_orders select * from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[],
    $6::text[], $7::timestamptz[], $8::text[], $9::text[], $10::timestamptz[], $11::jsonb[])
on conflict (client_order_id) do update set
    partition = excluded.partition, state = excluded.state, send_by = excluded.send_by, sender = excluded.sender,
    changed_at = excluded.changed_at, body = excluded.body
"""
_TRADES = """
insert into exchange_trades select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[],
    $6::text[], $7::numeric[], $8::numeric[], $9::numeric[], $10::text[], $11::timestamptz[], $12::timestamptz[])
"""
_ACCOUNTS = """
insert into exchange_accounts select * from unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[])
on conflict (season_id, competitor_id) do update set partition = excluded.partition, watermark = excluded.watermark
"""
_OPEN_OR_RECENT = """
select body from exchange_orders where partition = $1
    and (state not in ('filled', 'cancelled', 'expired', 'rejected') or changed_at >= (
        select max(changed_at) - interval '1 hour' from exchange_orders where partition = $1))
"""
_POSITIONS = """
select season_id, competitor_id, instrument, sum(quantity) as quantity from exchange_trades where partition = $1
group by season_id, competitor_id, instrument
"""
_NAMES = "select season_id, competitor_id, given_name from exchange_orders where partition = $1 and given_name <> ''"
_WATERMARKS = "select season_id, competitor_id, watermark from exchange_accounts where partition = $1"
_SENDING = "select body from exchange_orders where state = 'sending' and sender = $1 order by send_by"

_order = TypeAdapter(Order)


async def load(db: Connection, partition: int, desk: Desk) -> None:
    positions = await db.fetch(_POSITIONS, partition)
    watermarks = await db.fetch(_WATERMARKS, partition)
    desk.restore(
        [_order.validate_json(row["body"]) for row in await db.fetch(_OPEN_OR_RECENT, partition)],
        {(row["season_id"], row["competitor_id"], row["instrument"]): row["quantity"] for row in positions},
        [tuple(row) for row in await db.fetch(_NAMES, partition)],
        {(row["season_id"], row["competitor_id"]): row["watermark"] for row in watermarks},
    )


async def sending(db: Any, sender: str) -> list[Order]:
    """What this process may send: committed, and by nobody else."""
    return [_order.validate_json(row["body"]) for row in await db.fetch(_SENDING, sender)]


def save(out: Writing, desks: Iterable[tuple[int, Desk]], sender: str) -> None:
    for partition, desk in desks:
        out.rows(_ORDERS, [_order_row(partition, order, sender) for order in desk.changed.values()])
        out.rows(_TRADES, [_trade_row(partition, booked) for booked in desk.booked])
        out.rows(_ACCOUNTS, [(*key, partition, desk.accounts[key].watermark) for key in sorted(desk.moved)])
        desk.changed, desk.booked, desk.moved = {}, [], set()


def _order_row(partition: int, order: Order, sender: str) -> tuple[Any, ...]:
    intent = order.intent
    return (
        intent.client_order_id, partition, *intent.account, intent.instrument, order.state, order.send_by,
        sender if order.state == "sending" else "", intent.given_name, order.changed_at,
        _order.dump_json(order).decode(),
    )  # fmt: skip


def _trade_row(partition: int, booked: Booked) -> tuple[Any, ...]:
    intent, trade = booked.order, booked.trade
    signed = trade.quantity if intent.side == "buy" else -trade.quantity
    return (
        *intent.account, trade.trade_id, partition, intent.client_order_id, intent.instrument, signed, trade.price,
        trade.fee, trade.liquidity, booked.at, trade.at,
    )  # fmt: skip
