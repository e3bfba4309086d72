"""Loads and saves the books: one statement for all, whatever the number of competitors.

Of many rows, those that only grow in number are copied in, as tab-separated text: half of what the driver's binary
decimals, uuids and times cost. No contract allows a tab, a line's end or a backslash in what such a row holds.
"""

from collections.abc import Iterable
from decimal import Decimal
from io import BytesIO
from typing import Any

from chassis.step import Connection, Writing
from contracts.executions import OrderFilled
from contracts.signals import ExitPlan

from pnl_tracker import statements
from pnl_tracker.core.ledger import Ledger
from pnl_tracker.core.portfolio import Account
from pnl_tracker.core.position import Position
from pnl_tracker.core.unit import Key, Unit

_ACCOUNT = (
    "int text text numeric bigint int timestamptz numeric numeric numeric int int int numeric numeric numeric "
    "numeric numeric numeric int"
)
_POSITION = "int text text text numeric numeric numeric numeric numeric timestamptz text text"
_ENTRY = "int bigint text text uuid uuid timestamptz text numeric"
_SAMPLE = "text text timestamptz text numeric numeric numeric"
_TRADE = "int text text uuid uuid uuid text text numeric numeric numeric text text numeric timestamptz"

_TRADE_COLUMNS = (
    "partition", "season_id", "competitor_id", "trade_id", "event_id", "order_id", "instrument", "side", "price",
    "quantity", "fee", "liquidity", "purpose", "realised_pnl", "at",
)  # fmt: skip

_ACCOUNT_MOVED = """
on conflict (season_id, competitor_id) do update set
    seq = excluded.seq, round = excluded.round, updated_at = excluded.updated_at,
    realised_pnl = excluded.realised_pnl, fees = excluded.fees, funding = excluded.funding,
    trades = excluded.trades, wins = excluded.wins, fills = excluded.fills, turnover = excluded.turnover,
    peak_equity = excluded.peak_equity, max_drawdown = excluded.max_drawdown,
    liquidation_fees = excluded.liquidation_fees, insurance_fund = excluded.insurance_fund,
    written_off = excluded.written_off, losing_streak = excluded.losing_streak
"""
_POSITION_MOVED = """
on conflict (season_id, competitor_id, instrument) do update set
    quantity = excluded.quantity, cost = excluded.cost, last_price = excluded.last_price, trip_net = excluded.trip_net,
    leverage = excluded.leverage, opened_at = excluded.opened_at, exit_plan = excluded.exit_plan,
    margin_mode = excluded.margin_mode
"""


def _insert(table: str, types: str, conflict: str = "") -> str:
    """Arrays into the table; `conflict`: what to do where a row is there."""
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(types.split(), start=1))
    return f"insert into {table} select * from unnest({arrays}) {conflict}"  # noqa: S608  # our own names


_SAVE_ACCOUNTS = _insert("accounts", _ACCOUNT, _ACCOUNT_MOVED)
_SAVE_POSITIONS = _insert("positions", _POSITION, _POSITION_MOVED)
_SAVE_ENTRIES = _insert("ledger_entries", _ENTRY)
_SAVE_TRADES = _insert("trades", _TRADE)
_SAVE_SAMPLES = _insert("equity", _SAMPLE)
_COPIED_FROM = 200
"""Entries: below, a round trip less counts for more than the cheaper copy."""

Row = tuple[Any, ...]


async def load(db: Connection, partition: int) -> Unit:
    accounts = {
        (row["season_id"], row["competitor_id"]): _account(dict(row))
        for row in await db.fetch("select * from accounts where partition = $1", partition)
    }
    for row in await db.fetch("select * from positions where partition = $1 and quantity <> 0", partition):
        position = _position(dict(row))
        accounts[row["season_id"], row["competitor_id"]].positions[position.instrument] = position
    await _load_ledgers(db, partition, accounts)
    for key, opening in await statements.openings(db, partition):
        accounts[key].opening = opening
    for key, agrees in await statements.flags(db, partition):
        accounts[key].reconciled = agrees
    entries = await db.fetchval("select coalesce(max(entry), 0) from ledger_entries where partition = $1", partition)
    return Unit(accounts, entries, await statements.sampled(db, partition))


async def save(out: Writing, units: Iterable[tuple[int, Unit]]) -> None:
    accounts: list[Row] = []
    positions: list[Row] = []
    entries: list[Row] = []
    trades: list[Row] = []
    samples: list[Row] = []
    reports = statements.Rows()
    for partition, unit in units:
        reports.take(partition, unit.diary)
        for key, account in unit.changed.items():
            accounts.append(_account_row(partition, account))
            reports.number(key, unit.entries)
            numbered = enumerate(account.ledger.fresh, start=unit.entries + 1)
            entries += [(partition, number, *key, *entry) for number, entry in numbered]
            unit.entries += len(account.ledger.fresh)
            account.ledger.fresh.clear()
        positions += [_position_row(partition, key, position) for (key, _), position in unit.touched.items()]
        trades += [_trade_row(partition, *fill) for fill in unit.fills]
        samples += unit.diary.samples
        unit.diary.samples.clear()
        unit.changed.clear()
        unit.touched.clear()
        unit.fills.clear()
    reports.save(out)
    out.rows(_SAVE_ACCOUNTS, accounts)
    out.rows(_SAVE_POSITIONS, positions)
    if len(entries) + len(samples) < _COPIED_FROM:
        out.rows(_SAVE_ENTRIES, entries)
        out.rows(_SAVE_TRADES, trades)
        out.rows(_SAVE_SAMPLES, samples)
        return
    db = await out.connection()
    await db.copy_to_table("ledger_entries", source=BytesIO(_entries_text(entries)))
    await db.copy_to_table("trades", source=BytesIO(_trades_text(trades)), columns=_TRADE_COLUMNS)
    await db.copy_to_table("equity", source=BytesIO(_samples_text(samples)))


def _entries_text(rows: list[Row]) -> bytes:
    """What the entries of one event share is written once, not with each."""
    lines, last, shared = [], None, ""
    for partition, number, season_id, competitor_id, event_id, trade_id, at, account, amount in rows:
        if event_id is not last:
            last, trade = event_id, trade_id.hex if trade_id else "\\N"
            shared = f"{season_id}\t{competitor_id}\t{event_id.hex}\t{trade}\t{at}"
        lines.append(f"{partition}\t{number}\t{shared}\t{account}\t{amount!s}\n")
    return "".join(lines).encode()


def _trades_text(rows: list[Row]) -> bytes:
    lines = [
        f"{partition}\t{season_id}\t{competitor_id}\t{trade_id.hex}\t{event_id.hex}\t{order_id.hex}\t{rest}\n"
        for partition, season_id, competitor_id, trade_id, event_id, order_id, *values in rows
        for rest in ["\t".join(map(str, values))]
    ]
    return "".join(lines).encode()


def _samples_text(rows: list[Row]) -> bytes:
    return "".join(["\t".join(map(str, row)) + "\n" for row in rows]).encode()


async def _load_ledgers(db: Connection, partition: int, accounts: dict[Key, Account]) -> None:
    """Balances are added up from the entries themselves, so that the books are checked anew at every start."""
    balances = await db.fetch(
        "select season_id, competitor_id, account, sum(amount), count(*) from ledger_entries where partition = $1 "
        "group by season_id, competitor_id, account",
        partition,
    )
    sums: dict[Key, dict[str, Decimal]] = {key: {} for key in accounts}
    counts: dict[Key, dict[str, int]] = {key: {} for key in accounts}
    for season_id, competitor_id, name, amount, count in balances:
        sums[season_id, competitor_id][name] = amount
        counts[season_id, competitor_id][name] = count
    trade_ids: dict[Key, set[int]] = {key: set() for key in accounts}
    for season_id, competitor_id, trade_id in await db.fetch(
        "select season_id, competitor_id, trade_id from trades where partition = $1", partition
    ):
        trade_ids[season_id, competitor_id].add(trade_id.int)
    for key, account in accounts.items():
        account.ledger = Ledger.of(sums[key], trade_ids[key], counts[key])


def _account(row: dict[str, Any]) -> Account:
    del row["partition"]
    return Account(**row)


def _account_row(partition: int, account: Account) -> Row:
    return (
        partition, *account.key, account.capital, account.seq, account.round, account.updated_at, account.realised_pnl,
        account.fees, account.funding, account.trades, account.wins, account.fills, account.turnover,
        account.peak_equity, account.max_drawdown, account.liquidation_fees, account.insurance_fund,
        account.written_off, account.losing_streak,
    )  # fmt: skip


def _position(row: dict[str, Any]) -> Position:
    del row["partition"], row["season_id"], row["competitor_id"]
    plan = row.pop("exit_plan")
    return Position(**row, exit_plan=ExitPlan.model_validate_json(plan) if plan else None)


def _position_row(partition: int, key: Key, position: Position) -> Row:
    plan = position.exit_plan.model_dump_json() if position.exit_plan else None
    return (
        partition, *key, position.instrument, position.quantity, position.cost, position.last_price, position.trip_net,
        position.leverage, position.opened_at, plan, position.margin_mode,
    )  # fmt: skip


def _trade_row(partition: int, key: Key, event: OrderFilled, realised: Decimal) -> Row:
    return (
        partition, *key, event.trade_id, event.event_id, event.order_id, event.instrument, event.side, event.price,
        event.quantity, event.fee, event.liquidity, event.purpose, realised, event.at,
    )  # fmt: skip
