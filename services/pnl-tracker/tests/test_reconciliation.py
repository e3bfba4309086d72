"""Venue, ledger and replay held against each other, on Apache Kafka and PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import RecordsToDelete
from chassis.bus import start_admin
from chassis.latest import LatestValues
from chassis.testing import running
from contracts.portfolios import DailyStatement, MetricsReported, PortfolioUpdated, ReconciliationReported
from contracts.wire import header
from pnl_tracker.app import create_app
from pnl_tracker.reporter import Reporter
from pnl_tracker.settings import Settings
from pnl_tracker.testing import BTC, STARTS_AT, at, competitor, fill, funding, listed, mark, season, stated
from tracker_parts import PARTITIONS, Parts

# 3 bought at 100, 1 sold at 110: 10 realised, 2 left at a cost of 200
SUMS: dict[str, Any] = {
    "realised_pnl": Decimal(10), "fees": Decimal("0.41"), "funding": Decimal("0.5"), "fills": 2,
    "positions": {BTC: ("2", "200")},
}  # fmt: skip


class Said:
    def __init__(self) -> None:
        self.events: list[Any] = []

    def take(self, event: Any) -> None:
        self.events.append(event)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class Run:
    def __init__(self, parts: Parts, statements: LatestValues[Any], portfolios: LatestValues[Any], said: Said) -> None:
        self.parts, self.said = parts, said
        self._statements, self._portfolios = statements, portfolios
        self.settings = Settings(kafka=parts.kafka, postgres=parts.postgres, reports_apart_s=0.05)

    async def trade(self) -> None:
        for event in (season(), competitor("ann")):
            await self.parts.say(event, "competition.v1")
        await self.parts.say(listed(BTC), "market.instruments.v1")
        await self.parts.say(fill(1, "3", "100", fee="0.3"))
        await self.parts.say(fill(2, "-1", "110", fee="0.11", seconds=2))
        await self.parts.say(funding(1, "0.5", seconds=3))

    async def reported(self, n: int, *, seconds: float, **changes: Any) -> ReconciliationReported:
        """What is found when the venue states its account for the n-th time."""
        await self.parts.say(stated(n, seconds=seconds, **SUMS | changes))
        await self.parts.time(seconds + 1)
        await self._statements.wait(lambda: len(self.said.of(ReconciliationReported)) >= n, 60)
        found: ReconciliationReported = self.said.of(ReconciliationReported)[n - 1]
        return found

    async def day_ended(self) -> None:
        await self._statements.wait(lambda: bool(self.said.of(DailyStatement) and self.said.of(MetricsReported)), 60)

    async def shown(self, round: int) -> PortfolioUpdated:
        """The portfolio of a round."""

        def told() -> PortfolioUpdated | None:
            found = self._portfolios.get("ann")
            return found if found is not None and found.round == round else None

        await self.parts.time(180 * (round - 1))
        portfolio: PortfolioUpdated = await self._portfolios.wait(told, 60)
        return portfolio


@asynccontextmanager
async def begun(parts: Parts) -> AsyncIterator[Run]:
    said = Said()
    async with (
        LatestValues[Any](parts.kafka, "statements.v1", on_event=said.take) as statements,
        LatestValues[Any](parts.kafka, "portfolios.v1") as portfolios,
    ):
        run = Run(parts, statements, portfolios, said)
        await run.trade()
        yield run


async def altered(parts: Parts, statement: str) -> None:
    """As a restore that went wrong, or somebody with the superuser's password, would."""
    db = await asyncpg.connect(parts.admin)
    try:
        await db.execute("set search_path = pnl_tracker; set session_replication_role = replica")
        assert (await db.execute(statement)).endswith(" 1")
    finally:
        await db.close()


def by_subject(found: ReconciliationReported) -> dict[str, tuple[Any, Any, Any]]:
    return {each.subject: (each.venue, each.ledger, each.replay) for each in found.differences}


async def test_what_differs_is_said_by_name_and_shown_until_it_agrees_again(parts: Parts) -> None:
    async with begun(parts) as run:
        async with running(create_app(run.settings)):
            first = await run.reported(1, seconds=10)
            assert (first.agrees, first.differences, first.detail) == (True, (), "replayed from the first execution")
            shown = await run.shown(round=2)
            # no tiers are listed: half the initial margin at a leverage of 20, of 2 at the last price of 110
            assert (shown.reconciled, shown.maintenance_margin) == (True, Decimal("5.5"))

            lost = await run.reported(2, seconds=190, fills=1, fees=Decimal("0.3"), positions={BTC: ("3", "300")})
            assert by_subject(lost) == {
                "cash less capital": (Decimal("9.2"), Decimal("9.09"), Decimal("9.09")),  # 10 - fees - 0.5
                "cost BTC-USDT-PERP": (300, 200, 200),
                "fees": (Decimal("0.3"), Decimal("0.41"), Decimal("0.41")),
                "fills": (1, 2, 2),
                "position BTC-USDT-PERP": (3, 2, 2),
            }
            shown = await run.shown(round=3)
            assert (shown.reconciled, shown.books_balanced) == (False, False)

            await altered(parts, "update ledger_entries set amount = 1.11 where account = 'fees' and amount = 0.11")
            tampered = await run.reported(3, seconds=370)
            assert by_subject(tampered) == {
                "all entries": (0, 1, 0),
                "fees": (Decimal("0.41"), Decimal("1.41"), Decimal("0.41")),
            }
            await altered(parts, "update ledger_entries set amount = 0.11 where account = 'fees' and amount = 1.11")

        await altered(parts, "update positions set quantity = 2.5 where competitor_id = 'ann'")
        async with running(create_app(run.settings)):
            changed = await run.reported(4, seconds=380)
            assert by_subject(changed) == {"position BTC-USDT-PERP": (2, Decimal("2.5"), 2)}
            assert (await run.shown(round=4)).reconciled is False

        await altered(parts, "update positions set quantity = 2 where competitor_id = 'ann'")
        async with running(create_app(run.settings)):
            assert (await run.shown(round=5)).reconciled is False  # remembered, whoever was asleep meanwhile
            assert (await run.reported(5, seconds=730)).agrees
            assert (await run.shown(round=6)).books_balanced


async def records(parts: Parts, topic: str) -> list[tuple[str, str, str]]:
    """Source, number and id of everything in it, repeats too."""
    where = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    found: list[tuple[str, str, str]] = []
    async with AIOKafkaConsumer(bootstrap_servers=parts.kafka) as reader:
        reader.assign(where)
        await reader.seek_to_beginning(*where)
        ends = await reader.end_offsets(where)
        while any([await reader.position(each) < ends[each] for each in where]):  # it awaits
            for batch in (await reader.getmany(timeout_ms=100)).values():
                names = ("ce_source", "ce_sequence", "ce_id")
                found += [tuple(header(each.headers, name) or "" for name in names) for each in batch]  # type: ignore[misc]
    return found


async def test_a_reporter_that_ends_between_sending_and_striking_off_says_the_same_again(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any) -> None:
        """The process was gone by then."""

    async with begun(parts) as run:
        with monkeypatch.context() as patched:
            patched.setattr(Reporter, "_strike_off", never)
            async with running(create_app(run.settings)):
                assert (await run.reported(1, seconds=10)).agrees
        async with running(create_app(run.settings)):
            assert (await run.reported(2, seconds=190)).agrees
        said = [each for each in await records(parts, "statements.v1") if "report" in each[0]]

    assert len(said) > len(set(said)), "the first report was sent again"
    assert len({number for _, number, _ in said}) == len({name for _, _, name in said}), "with the number and id it had"
    assert len(run.said.of(ReconciliationReported)) == 2, "whoever drops repeats counts it once"


async def expired(parts: Parts) -> None:
    """As retention would: everything in the executions is gone."""
    where = TopicPartition("executions.v1", 0)
    async with AIOKafkaConsumer(bootstrap_servers=parts.kafka) as reader:
        end = (await reader.end_offsets([where]))[where]
    admin = await start_admin(parts.kafka)
    try:
        await admin.delete_records({where: RecordsToDelete(before_offset=end)})
    finally:
        await admin.close()


async def test_what_retention_removed_is_replaced_by_the_first_statement_that_is_left(parts: Parts) -> None:
    async with begun(parts) as run, running(create_app(run.settings)):
        assert (await run.reported(1, seconds=10)).detail == "replayed from the first execution"
        await expired(parts)

        alone = await run.reported(2, seconds=20, fills=1)
        assert (alone.detail, by_subject(alone)) == (
            "nothing is kept of before this statement",
            {"fills": (1, 2, None)},
        )
        # that statement is the ground now: its fills are the venue's word
        await parts.say(fill(3, "1", "120", fee="0.25", seconds=25))
        sums = {"fees": Decimal("0.66"), "fills": 2, "positions": {BTC: ("3", "320")}}
        grounded = await run.reported(3, seconds=30, **sums)
        assert grounded.detail == "replayed from the first statement that is kept"
        assert by_subject(grounded) == {"fills": (2, 3, 2)}


async def test_a_day_ends_with_a_statement_that_adds_up_and_with_metrics(parts: Parts) -> None:
    async with begun(parts) as run:
        await parts.say(mark("120", seconds=3600).event)
        async with running(create_app(run.settings)):
            await parts.time(86_400)
            await run.day_ended()
    (statement,) = run.said.of(DailyStatement)
    (metrics,) = run.said.of(MetricsReported)

    amounts = {line.category: (line.amount, line.entries) for line in statement.lines}
    assert amounts == {
        "deposit": (10_000, 1),
        "realised_pnl": (10, 1),
        "fee": (Decimal("-0.41"), 2),
        "funding": (Decimal("-0.5"), 1),
    }
    assert (statement.opening_equity, statement.unrealised_change) == (0, 40)  # 2 * (120 - 100)
    assert statement.closing_equity == Decimal("10049.09")
    assert [(view.instrument, view.quantity) for view in statement.positions] == [(BTC, 2)]
    assert (statement.day.isoformat(), statement.at) == ("2026-11-22", at(86_400))

    assert (metrics.scope, metrics.since, metrics.until) == ("day", STARTS_AT, at(86_400))
    assert (metrics.total_return, metrics.trades) == (Decimal("0.004909"), 0)  # the position is still open
    assert (metrics.turnover, metrics.fee_share) == (Decimal("0.041"), Decimal("0.0082"))  # 410 / 10,000; 0.41 / 50
