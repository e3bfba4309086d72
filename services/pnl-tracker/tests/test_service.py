"""The service as a process, on Apache Kafka and PostgreSQL, killed in the middle of its work."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from arena.stack.processes import end
from chassis.latest import LatestValues
from contracts.base import named_id
from contracts.competition import Clock
from contracts.portfolios import LeaderboardUpdated, PortfolioUpdated
from pnl_tracker.testing import BTC, ETH, at, competitor, fill, funding, mark, season
from tracker_parts import Parts

NAMES = ["ann", "bob", "gus"]  # in partitions 0, 0 and 1
Key = tuple[str, str]


class Told:
    """Every portfolio once, as a reader that drops repeats sees them."""

    def __init__(self) -> None:
        self.portfolios: dict[str, list[PortfolioUpdated]] = {name: [] for name in NAMES}

    def take(self, portfolio: PortfolioUpdated) -> None:
        self.portfolios[portfolio.competitor_id].append(portfolio)

    def fills(self) -> int:
        return sum(portfolios[-1].fills for portfolios in self.portfolios.values() if portfolios)


@asynccontextmanager
async def listening(kafka: str) -> AsyncIterator[tuple[Told, LatestValues[Any], LatestValues[Any]]]:
    told = Told()
    async with (
        LatestValues[PortfolioUpdated](kafka, "portfolios.v1", on_event=told.take) as portfolios,
        LatestValues[LeaderboardUpdated](kafka, "leaderboard.v1") as board,
    ):
        yield told, portfolios, board


class Market:
    """Trades of one competitor after the other, and what each has by the plainest sum: money in, money out."""

    def __init__(self) -> None:
        self.cash = dict.fromkeys(NAMES, Decimal(10_000))
        self.held: dict[Key, Decimal] = {}
        self.trades = 0

    async def trade(self, parts: Parts, count: int, first_second: float) -> None:
        for n in range(count):
            seconds = first_second + n / 10
            self.trades += 1
            who, instrument = NAMES[n % 3], (BTC, ETH)[n % 2]
            quantity, price = Decimal((-1) ** (n // 7) * (1 + n % 5)) / 8, Decimal(100 + n % 13)
            changes: dict[str, Any] = {"competitor_id": who, "instrument": instrument, "fee": "0.01"}
            await parts.say(fill(self.trades, str(quantity), str(price), seconds=seconds, **changes))
            self.cash[who] -= quantity * price + Decimal("0.01")
            self.held[who, instrument] = self.held.get((who, instrument), Decimal()) + quantity
            if n % 10 == 9:
                await parts.time(seconds)

    def equity(self, who: str, marks: dict[str, Decimal]) -> Decimal:
        return self.cash[who] + sum(quantity * marks[name] for name, quantity in self.positions(who).items())

    def positions(self, who: str) -> dict[str, Decimal]:
        return {name: quantity for (holder, name), quantity in self.held.items() if holder == who and quantity}


async def reaches(readers: LatestValues[Any], reached: Callable[[], bool]) -> None:
    await readers.wait(lambda: reached() or None, 60)


@pytest.mark.parametrize("clock", ["lockstep", "live"])
async def test_a_tracker_that_is_killed_loses_nothing_and_doubles_nothing(parts: Parts, clock: Clock) -> None:
    for event in (season(clock=clock), *map(competitor, NAMES)):
        await parts.say(event, "competition.v1")
    market = Market()
    async with listening(parts.kafka) as (told, portfolios, board):
        tracker = parts.start()
        await market.trade(parts, 60, first_second=1)
        await reaches(portfolios, lambda: told.fills() >= 30)
        tracker.kill()
        tracker.wait()
        await market.trade(parts, 90, first_second=100)

        tracker = parts.start()
        again = fill(1, "0.125", "100", competitor_id="ann", seconds=150, event_id=named_id("sent anew"))
        await parts.say(again)  # a trade that is in the books
        await parts.send("executions.v1", 0, b"ann", b"{not JSON", [], counted=True)
        await parts.say(funding(1, "1.5", seconds=151, competitor_id="bob"))
        market.cash["bob"] -= Decimal("1.5")
        for instrument, price in ((BTC, "107.5"), (ETH, "99.25")):
            await parts.say(mark(price, seconds=170, instrument=instrument).event)
        await parts.time(180)
        await reaches(portfolios, lambda: all(p and p[-1].round == 2 for p in told.portfolios.values()))
        await reaches(board, lambda: is_last(board, portfolios))
        leaders = board.get("season-1")
        await end(tracker, [(signal.SIGTERM, 15)])

    assert tracker.returncode == 0
    assert leaders is not None
    marks = {BTC: Decimal("107.5"), ETH: Decimal("99.25")}
    for who, seen in told.portfolios.items():
        assert [portfolio.seq for portfolio in seen] == list(range(1, len(seen) + 1))
        assert seen[-1].equity == market.equity(who, marks), who
        assert all(portfolio.books_balanced for portfolio in seen)
        assert {p.instrument: p.quantity for p in seen[-1].positions} == market.positions(who)
    assert told.fills() == market.trades == 150
    assert [row.competitor_id for row in leaders.rows] == sorted(NAMES, key=lambda who: -market.equity(who, marks))
    await the_books_are_right(parts, market)
    await the_broken_record_is_set_aside(parts)


def is_last(board: LatestValues[Any], portfolios: LatestValues[Any]) -> bool:
    latest = board.get("season-1")
    equities = {portfolio.competitor_id: portfolio.equity for portfolio in portfolios.values()}
    return latest is not None and {row.competitor_id: row.equity for row in latest.rows} == equities


async def the_books_are_right(parts: Parts, market: Market) -> None:
    db = await asyncpg.connect(parts.postgres)
    assert {row["amount"] for row in await db.fetch("select amount from books")} == {0}
    assert await db.fetchval("select count(*) from trades") == 150
    cash = await db.fetch(
        "select competitor_id, sum(amount) from ledger_entries where account = 'cash' or account like 'counterparty:%' "
        "group by competitor_id"
    )
    # What a position cost is owed to the other side: cash less what is owed is what was not spent.
    assert dict(map(tuple, cash)) == market.cash
    await db.close()


async def the_broken_record_is_set_aside(parts: Parts) -> None:
    topic = "pnl-tracker.dead-letter.v1"
    async with AIOKafkaConsumer(topic, bootstrap_servers=parts.kafka, auto_offset_reset="earliest") as consumer:
        record = await asyncio.wait_for(consumer.getone(), 10)
    assert (record.key, record.value) == (b"ann", b"{not JSON")
    assert dict(record.headers)["dl_topic"] == b"executions.v1"


async def test_live_a_fill_is_told_at_once_and_a_round_counts_what_happened_before_it_opened(parts: Parts) -> None:
    for event in (season(clock="live"), competitor("ann")):
        await parts.say(event, "competition.v1")
    async with listening(parts.kafka) as (told, portfolios, _):
        tracker = parts.start()
        try:
            await parts.time(0)
            await parts.say(mark("100", seconds=2).event)
            await parts.say(fill(1, "1", "100", seconds=2.5))
            await reaches(portfolios, lambda: told.fills() == 1)  # without a watermark at or after it

            await parts.say(mark("110", seconds=181).event)  # round 2 opens at 180
            await parts.time(181, "market.marks.v1")
            await parts.say(fill(2, "1", "100", seconds=179.5))
            await parts.say(fill(3, "1", "110", seconds=180.5))
            await reaches(portfolios, lambda: told.fills() == 2)
            await parts.time(181, "executions.v1")
            await reaches(portfolios, lambda: told.fills() == 3)
        finally:
            await end(tracker, [(signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)])
    said = [portfolio for portfolio in told.portfolios["ann"] if portfolio.cause in ("round", "fill")][-2:]
    # Two bought at 100 are worth 100 each when the round opens. The third, bought at 110, is worth its time's mark,
    # still 100: ten less.
    seen = [(portfolio.cause, portfolio.at, portfolio.fills, portfolio.equity) for portfolio in said]
    assert seen == [("round", at(180), 2, Decimal(10_000)), ("fill", at(180.5), 3, Decimal(9_990))]
