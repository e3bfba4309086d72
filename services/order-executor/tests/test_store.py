"""A venue stopped anywhere and taken over by another process goes on as if nothing had happened; on PostgreSQL."""

from collections.abc import AsyncIterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from chassis.rows import writing
from contracts.base import Event
from contracts.executions import OrderFilled, OrderRejected
from contracts.signals import ExitPlan
from order_executor import store
from order_executor.core import Market, Venue
from order_executor.testing import (
    BTC,
    ETH,
    D,
    Fact,
    Input,
    amend,
    at,
    book,
    cancel,
    change_exits,
    feed,
    flatten,
    kinds,
    mark,
    new_venue,
    order,
    trade,
    trigger,
)

MIGRATIONS = sorted((Path(__file__).parents[1] / "migrations" / "versions").glob("0*.py"))
PARTITION = 3
PLAN, SHORT_PLAN = ExitPlan(take_profit=D(120), stop_loss=D("90.5")), ExitPlan(take_profit=D(80), stop_loss=D(130))
DEEP = ("99x1 98x2 97x5", "100x1 101x2 102x5")

DAY: list[Input] = [
    book(0, *DEEP),
    mark(0, "100", rate="0.0001", stamp=20),
    book(0, "10x9", "11x9", instrument=ETH),
    order(1, "buy", "2.5", 1, exit_plan=PLAN, traceparent="00-ann"),
    order(2, "sell", "0.3", 1, competitor_id="bob", exit_plan=SHORT_PLAN),
    1.5,
    order(3, "buy", "1", 2),
    order(4, "buy", "3", 2, limit="98.5", exit_plan=ExitPlan(stop_loss=D(80))),
    order(5, "buy", "1", 2, limit="98.5"),
    order(6, "sell", "1", 2, limit="150", reduce_only=True),
    order(7, "buy", "1", 30, competitor_id="bob"),
    order(8, "sell", "7", 3, instrument=ETH),
    book(3, *DEEP, sequence=1),
    order(9, "buy", "1", 3, reduce_only=True),
    4.0,
    book(10, "97x1", "98x3.5"),
    mark(19, "100.7", rate="0.0003", stamp=20),
    mark(21, "100.7", rate="0.0003", stamp=20),
    book(25, "90x0.7", "98x1"),
    mark(26, "90.1", rate="0.0004", stamp=40),
    book(27, "", "98x1"),
    mark(28, "95"),
    book(29, "95x1 94.5x100", "98x0.4 99x5"),
    mark(29, "95.5", rate="0.0004", stamp=40),
    order(10, "buy", "3", 31, leverage="7"),
    order(11, "buy", "0.5", 31, competitor_id="cyd", leverage="20", margin_mode="isolated", client_order_id="c"),
    order(12, "buy", "1", 32, competitor_id="cyd", client_order_id="c"),
    order(13, "buy", "1", 32, competitor_id="dan", trigger=trigger("stop", "125"), traceparent="00-dan"),
    order(14, "buy", "1", 32, competitor_id="dan", limit="60", expires_at=at(40)),
    order(15, "buy", "2", 32, competitor_id="dan", limit="94.5", client_order_id="q"),
    amend(16, 33, "q", competitor_id="dan", quantity=D(1), traceparent="00-amend"),
    cancel(18, 37, "q", competitor_id="dan", instrument=BTC),
    change_exits(17, 36, competitor_id="dan", stop_loss=D(60)),
    flatten(0, 47, "sell", "1", competitor_id="dan"),
    33.5,
    trade(34, "sell", "94.5", "100.5"),
    mark(35, "130", rate="0.0004", stamp=40),
    45.0,
    mark(50, "70", rate="0.0004", stamp=60),
    61.0,
    43_201.0,
]


@pytest.fixture
async def db(postgres: str) -> AsyncIterator[Any]:
    """An empty schema of its own."""
    connection = await asyncpg.connect(postgres)
    await connection.execute("drop schema if exists venue_alone cascade; create schema venue_alone")
    await connection.execute("set search_path = venue_alone")
    for path in MIGRATIONS:
        spec = spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        migration = module_from_spec(spec)
        spec.loader.exec_module(migration)
        await connection.execute(migration.TABLES)
    yield connection
    await connection.close()


async def saved(db: Any, venue: Venue, moments: dict[Any, Any]) -> None:
    async with writing(db) as out:
        await store.save(out, [(PARTITION, venue)], moments)


async def taken_over(db: Any, venue: Venue, had: list[Any]) -> Venue:
    """Save, load into a new process, and tell it the latest market records again."""
    await saved(db, venue, {})
    again = await store.load(db, PARTITION, Market(venue.info.terms))
    latest = {(each.kind, each.instrument): each for each in had if isinstance(each, Fact)}
    for record in latest.values():
        again.recall(record)
    return again


def shape(events: list[Event]) -> list[tuple[str, Event]]:
    return [(event.model_dump_json(), event) for event in events]


def test_the_day_has_something_of_everything() -> None:
    said = set(kinds(feed(new_venue(), *DAY)))

    assert said == {
        "order_accepted", "order_rejected", "order_filled", "order_cancelled", "order_triggered", "order_amended",
        "order_expired", "exit_triggered", "exit_plan_changed", "funding_settled", "position_liquidated",
        "account_stated",
    }  # fmt: skip
    codes = {event.code for event in feed(new_venue(), *DAY) if isinstance(event, OrderRejected)}
    assert "DUPLICATE_CLIENT_ORDER_ID" in codes


@pytest.mark.parametrize("cut", range(1, len(DAY)))
async def test_stopping_anywhere_changes_nothing(db: Any, cut: int) -> None:
    whole = feed(new_venue(), *DAY)

    venue = new_venue()
    before = feed(venue, *DAY[:cut])
    again = await taken_over(db, venue, DAY[:cut])

    assert shape(before + feed(again, *DAY[cut:])) == shape(whole)


async def test_stopping_after_every_single_input_changes_nothing(db: Any) -> None:
    venue, events, moments = new_venue(), [], []
    for n, each in enumerate(DAY, 1):
        events += feed(venue, each)
        moments.append(venue.now)
        venue = await taken_over(db, venue, DAY[:n])

    assert shape(events) == shape(feed(new_venue(), *DAY))
    assert moments == sorted(moments)


async def test_fills_and_closed_orders_stay_on_record(db: Any) -> None:
    venue = new_venue()
    events = feed(venue, *DAY)
    await saved(db, venue, {})

    fills = [event for event in events if isinstance(event, OrderFilled)]
    kept = await db.fetch("select trade_id, price, quantity, fee from fills order by at, trade_id")
    assert sorted(tuple(row) for row in kept) == sorted((f.trade_id, f.price, f.quantity, f.fee) for f in fills)
    statuses = dict(await db.fetch("select status, count(*) from orders group by status"))
    assert statuses == dict(statuses) | {"filled": statuses["filled"]}
    assert set(statuses) <= {"filled", "cancelled", "rejected", "expired", "working", "pending"}
    (held,) = await db.fetch(
        "select quantity, cost from positions where instrument = $1 and competitor_id = 'ann'", BTC
    )
    account = venue.accounts["ann", "s1"]  # type: ignore[index]  # a plain pair is as good a key
    assert (held["quantity"], held["cost"]) == (account.position(BTC).quantity, account.position(BTC).cost)


async def test_what_did_not_change_is_not_written(db: Any) -> None:
    venue = new_venue()
    moments: dict[Any, Any] = {}
    feed(venue, *DAY[:6])
    await saved(db, venue, moments)
    await db.execute("delete from units; delete from accounts; delete from positions; delete from orders")

    await saved(db, venue, moments)

    for table in ("units", "accounts", "positions", "orders"):
        assert await db.fetchval(f"select count(*) from {table}") == 0
