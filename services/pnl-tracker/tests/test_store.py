"""The books on a real PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from chassis.rows import writing
from contracts.base import named_id
from contracts.portfolios import DailyStatement, PortfolioUpdated
from contracts.signals import ExitPlan
from pnl_tracker import store
from pnl_tracker.core.unit import Unit
from pnl_tracker.testing import BTC, ETH, STARTS_AT, at, fill, funding, liquidated, mark, roster, unit

PARTITION = 3
MIGRATIONS = Path(__file__).parents[1] / "migrations" / "versions"


def migration(name: str) -> Any:
    spec = spec_from_file_location(name, MIGRATIONS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def db(postgres: str) -> AsyncIterator[Any]:
    """An empty schema of its own."""
    books, statements = migration("0001_books"), migration("0002_statements")
    connection = await asyncpg.connect(postgres)
    await connection.execute("drop schema if exists books_alone cascade; create schema books_alone")
    await connection.execute("set search_path = books_alone")
    for statement in (books.TABLES, books.APPEND_ONLY, statements.COLUMNS, statements.STATEMENTS, statements.EQUITY):
        await connection.execute(statement)
    yield connection
    await connection.close()


Step = Callable[[Unit], list[PortfolioUpdated]]
PLAN = ExitPlan(stop_loss=Decimal(90), take_profit=Decimal("130.5"))
STEPS: list[Step] = [
    lambda ann: ann.passed(STARTS_AT),
    lambda ann: ann.execution(fill(1, "3", "100", fee="0.3", exit_plan=PLAN)),
    lambda ann: ann.execution(fill(2, "-1", "99.999999", fee="0.1", seconds=2)),
    lambda ann: ann.execution(fill(3, "-0.7", "10.1", seconds=3, instrument=ETH)),
    lambda ann: ann.mark(mark("90", seconds=4)) + ann.mark(mark("11", seconds=4, instrument=ETH)) + ann.passed(at(4)),
    lambda ann: ann.execution(fill(4, "-5", "101", fee="0.5", seconds=5)),
    lambda ann: ann.execution(funding(5, "0.123456789012", seconds=6)),
    lambda ann: ann.execution(fill(6, "0.7", "9", seconds=7, instrument=ETH)),
    lambda ann: ann.passed(at(180)),
    lambda ann: ann.execution(fill(2, "-1", "99.999999", fee="0.1", seconds=181)),
    lambda ann: ann.execution(fill(7, "1", "120", fee="0.5", seconds=182, margin_mode="isolated")),
    lambda ann: ann.execution(fill(8, "-1", "119", seconds=183, purpose="liquidation")),
    lambda ann: ann.execution(liquidated(1, fee="0.7", change="1.5", written_off="0.25", seconds=183)),
    lambda ann: ann.passed(at(86_400)),
    lambda ann: ann.execution(fill(9, "1", "120", seconds=86_401)),
]


async def saved(db: Any, kept: Unit) -> None:
    async with writing(db) as out:
        await store.save(out, [(PARTITION, kept)])


async def taken_over(db: Any, marks: list[Any]) -> Unit:
    again = await store.load(db, PARTITION)
    again.enrol(roster("ann", "bob"))
    for record in marks:
        again.recall(record)
    return again


async def test_a_unit_that_is_loaded_before_every_step_says_what_an_uninterrupted_one_says(db: Any) -> None:
    whole = unit("ann", "bob")
    uninterrupted = [portfolio for step in STEPS for portfolio in step(whole)]

    interrupted: list[PortfolioUpdated] = []
    statements: list[DailyStatement] = []
    for n, step in enumerate(STEPS):
        marks = [mark("90", seconds=4), mark("11", seconds=4, instrument=ETH)] if n > 4 else []
        kept = await taken_over(db, marks)
        interrupted += step(kept)
        statements += kept.diary.told_statements()
        await saved(db, kept)

    assert [p.model_dump_json() for p in interrupted] == [p.model_dump_json() for p in uninterrupted]
    # opening, trades, funding, marks, liquidation, and for each the rounds up to 481, which opens at midnight
    assert len(uninterrupted) == 4 + 8 + 1 + 1 + 1 + 2 * 480
    assert statements == whole.diary.told_statements()
    assert [statement.competitor_id for statement in statements] == ["ann", "bob"]
    assert await db.fetchval("select sampled from clock") == at(86_400)
    assert all(portfolio.books_balanced for portfolio in uninterrupted)


async def test_an_auditor_finds_that_every_transaction_and_all_of_them_add_up_to_zero(db: Any) -> None:
    kept = unit("ann", "bob")
    for step in STEPS:
        step(kept)
    await saved(db, kept)

    books = await db.fetch("select * from books")
    assert {row["amount"] for row in books} == {0}
    assert len(books) == 2 + 8 + 1 + 1 + 1  # two deposits, eight trades, one funding, one liquidation, all together
    cash = await db.fetchval("select sum(amount) from ledger_entries where account = 'cash' and competitor_id = 'ann'")
    assert cash == kept.accounts["season-1", "ann"].cash
    numbers = await db.fetch("select entry from ledger_entries order by entry")
    assert [row["entry"] for row in numbers] == list(range(1, len(numbers) + 1))
    assert await db.fetchval("select count(*) from trades") == 8
    assert await db.fetchval("select sum(realised_pnl) from trades") == kept.accounts["season-1", "ann"].realised_pnl


async def test_a_lost_entry_is_seen_at_the_next_start(db: Any) -> None:
    kept = unit("ann")
    for step in STEPS[:3]:
        step(kept)
    await saved(db, kept)
    await db.execute("set session_replication_role = replica")  # as a restore that went wrong would
    await db.execute("delete from ledger_entries where account = 'fees'")
    await db.execute("set session_replication_role = origin")

    told = (await taken_over(db, [])).passed(at(180))
    assert [(p.competitor_id, p.books_balanced) for p in told if p.round == 2] == [("ann", False), ("bob", True)]


async def test_many_entries_are_stored_like_few(db: Any) -> None:
    kept = unit("ann")
    for n in range(1, 101):
        kept.execution(fill(n, str((-1) ** n * n), "100", fee="0.1", seconds=n))
    await saved(db, kept)

    assert await db.fetchval("select count(*) from trades") == 100
    assert {row["amount"] for row in await db.fetch("select amount from books")} == {0}
    again = await taken_over(db, [])
    assert again.accounts["season-1", "ann"].ledger.balances == kept.accounts["season-1", "ann"].ledger.balances
    # The first: one is sold short at 100, so the cost is -100; the fee of 0.1 leaves the cash.
    stored = await db.fetch(
        "select event_id, trade_id, at, account, amount from ledger_entries where trade_id = $1 order by entry",
        named_id("trade", 1),
    )
    amounts = [("position:" + BTC, "-100"), ("counterparty:" + BTC, "100"), ("cash", "-0.1"), ("fees", "0.1")]
    ids = named_id("fill", 1), named_id("trade", 1), at(1)
    assert [tuple(row) for row in stored] == [(*ids, account, Decimal(amount)) for account, amount in amounts]
    deposit = await db.fetchrow("select trade_id, at, amount from ledger_entries where account = 'capital'")
    assert tuple(deposit) == (None, STARTS_AT, Decimal(-10_000))
    assert tuple(await db.fetchrow("select * from trades where trade_id = $1", named_id("trade", 1))) == (
        PARTITION, "season-1", "ann", named_id("trade", 1), named_id("fill", 1), named_id("order", 1), BTC, "sell",
        Decimal(100), Decimal(1), Decimal("0.1"), "taker", "decision", Decimal(0), at(1), 1,
    )  # fmt: skip


@pytest.mark.parametrize("statement", ["update ledger_entries set amount = 0", "delete from trades"])
async def test_what_is_in_the_books_cannot_be_changed(db: Any, statement: str) -> None:
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await db.execute(statement)


async def test_the_accounts_of_another_partition_are_not_loaded(db: Any) -> None:
    kept = unit("ann")
    kept.passed(STARTS_AT)
    await saved(db, kept)

    assert (await store.load(db, PARTITION + 1)).accounts == {}
