"""The reads that are more than a look at one table: told by their text, as the stores write them."""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal

from order_executor import store as venue
from pnl_tracker import reporter
from pnl_tracker.core.money import exact

from arena.simulation.tables import Row, Table, flat

Tables = Mapping[str, Table]


def _names(tables: Tables, partition: int) -> list[Row]:
    """The client order ids that came to their moment, by account."""
    found: dict[tuple[str, str], set[str]] = {}
    orders = tables["orders"]
    for values in orders.rows.values():
        row = dict(zip(orders.names, values, strict=True))
        if row["partition"] == partition and row["client_order_id"] and row["status"] != "pending":
            found.setdefault((row["season_id"], row["competitor_id"]), set()).add(row["client_order_id"])
    return [Row.of(("season_id", "competitor_id", "names"), (*key, sorted(names))) for key, names in found.items()]


def _entries(tables: Tables, partition: int) -> list[Row]:
    numbers = [number for where, number in tables["ledger_entries"].rows if where == partition]
    return [Row.of(("max",), (max(numbers, default=0),))]


def _balances(tables: Tables, partition: int) -> list[Row]:
    """Sum and number of the entries of each account of each competitor."""
    sums: dict[tuple[str, str, str], tuple[Decimal, int]] = {}
    with exact():
        for row in tables["ledger_entries"].rows.values():
            if row[0] == partition:
                key = row[2], row[3], row[7]
                amount, count = sums.get(key, (Decimal(), 0))
                sums[key] = amount + row[8], count + 1
    return [Row.of((), (*key, *values)) for key, values in sums.items()]


def _balances_of_reports(tables: Tables, numbers: Collection[int]) -> list[Row]:
    sums: dict[tuple[int, str], Decimal] = {}
    wanted = tables["reports_wanted"]
    for number in numbers:
        row = dict(zip(wanted.names, wanted.rows[(number,)], strict=True))
        whose = row["partition"], row["season_id"], row["competitor_id"]
        entries = [each for each in tables["ledger_entries"].rows.values() if (each[0], each[2], each[3]) == whose]
        with exact():
            for entry in entries:
                if entry[1] <= row["through"]:
                    sums[number, entry[7]] = sums.get((number, entry[7]), Decimal()) + entry[8]
    return [Row.of((), (*key, amount)) for key, amount in sums.items()]


KNOWN: dict[str, Callable[..., list[Row]]] = {
    flat(venue._NAMES): _names,
    flat(reporter.BALANCES): _balances_of_reports,
    "select coalesce(max(entry), 0) from ledger_entries where partition = $1": _entries,
    (
        "select season_id, competitor_id, account, sum(amount), count(*) from ledger_entries where partition = $1 "
        "group by season_id, competitor_id, account"
    ): _balances,
}
