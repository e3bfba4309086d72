"""Makes the reports that the step wrote down as wanted: reconciliations and metrics. Off the step, at its own pace.

A report is sent under the number it was wanted with and struck off after the broker acknowledged it: made twice after a
crash, it is dropped by every reader.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from chassis.service import Background, Resources
from chassis.step import Connection
from contracts.base import Event
from contracts.portfolios import ReconciliationReported
from prometheus_client import Counter
from pydantic import TypeAdapter

from pnl_tracker import measuring
from pnl_tracker.core.reconciliation import Reconciled, View, of_ledger, report
from pnl_tracker.core.reports import MetricsWanted, ReconciliationWanted
from pnl_tracker.core.unit import Key
from pnl_tracker.handlers import OWN_TOPIC, Tracker
from pnl_tracker.replaying import replayed

SOURCE = "pnl-tracker/reports"
AT_ONCE = 100
"""Reports of one partition that share one replay."""
FROM_START = "replayed from the first execution"
FROM_STATEMENT = "replayed from the first statement that is kept"
NO_REPLAY = "nothing is kept of before this statement"

_PARSER: TypeAdapter[MetricsWanted | ReconciliationWanted] = TypeAdapter(MetricsWanted | ReconciliationWanted)

BALANCES = """
select w.report, e.account, sum(e.amount) from reports_wanted w join ledger_entries e
on (e.partition, e.season_id, e.competitor_id) = (w.partition, w.season_id, w.competitor_id) and e.entry <= w.through
where w.report = any($1) group by w.report, e.account
"""
KEEP = """
insert into reconciliations select * from unnest($1::int[], $2::text[], $3::text[], $4::timestamptz[], $5::boolean[],
    $6::jsonb[]) on conflict do nothing
"""


class Due(NamedTuple):
    number: int
    key: Key
    wanted: MetricsWanted | ReconciliationWanted


class Reporter:
    running: "asyncio.Task[None] | None" = None
    """The chassis ends the process when it fails."""

    def __init__(self, resources: Resources, db: Connection, tracker: Tracker) -> None:
        self._resources, self._db, self._tracker = resources, db, tracker
        self._log, registry = resources.telemetry.log, resources.telemetry.registry
        self._made = Counter("arena_reconciliations", "Accounts compared.", ["agrees"], registry=registry)
        for agrees in ("true", "false"):
            self._made.labels(agrees)  # there from the start: the first comparison is an increase too
        self._differences = Counter(
            "arena_reconciliation_differences", "Differences between venue, ledger and replay.", registry=registry
        )

    async def keep_reporting(self, apart_s: float) -> None:
        while True:
            for partition in self._tracker.partitions():
                await self.report(partition)
            await asyncio.sleep(apart_s)

    async def report(self, partition: int) -> None:
        """What is wanted of the partition, up to a hundred at once."""
        due = await self._due(partition)
        if not due:
            return
        measured = await measuring.measured(self._db, partition, [_asked(each) for each in due if _measures(each)])
        compared = await self._compared(partition, [each for each in due if not _measures(each)])
        told: dict[int, Event] = {**measured, **compared}
        for found in compared.values():  # first: who hears of a difference sees it in the next portfolio
            self._tracker.reconciled(partition, (found.season_id, found.competitor_id), agrees=found.agrees)
            self._alert(found)
        await self._resources.publisher.send_numbered(
            (told[each.number], f"{SOURCE}/{partition}", each.number) for each in due
        )
        await self._strike_off(partition, due, list(compared.values()))

    async def _due(self, partition: int) -> list[Due]:
        rows = await self._db.fetch(
            "select report, season_id, competitor_id, wanted from reports_wanted where partition = $1 "
            "order by report limit $2",
            partition,
            AT_ONCE,
        )
        return [Due(number, (season, who), _PARSER.validate_json(wanted)) for number, season, who, wanted in rows]

    async def _compared(self, partition: int, due: Sequence[Due]) -> dict[int, ReconciliationReported]:
        if not due:
            return {}
        asked = {each.number: each.wanted for each in due if isinstance(each.wanted, ReconciliationWanted)}
        kafka = self._resources.settings.kafka
        ids = [wanted.stated.event_id for wanted in asked.values()]
        replay, from_start = await replayed(kafka, OWN_TOPIC, partition, ids)
        balances: dict[int, dict[str, Any]] = {number: {} for number in asked}
        for number, account, amount in await self._db.fetch(BALANCES, list(asked)):
            balances[number][account] = amount
        return {
            number: _report(wanted, balances[number], replay.views.get(wanted.stated.event_id), from_start=from_start)
            for number, wanted in asked.items()
        }

    def _alert(self, found: ReconciliationReported) -> None:
        self._made.labels(str(found.agrees).lower()).inc()
        if found.agrees:
            return
        self._differences.inc(len(found.differences))
        self._log.error(
            "the books differ", season_id=found.season_id, competitor_id=found.competitor_id, at=found.at.isoformat(),
            subjects=[difference.subject for difference in found.differences],
        )  # fmt: skip

    async def _strike_off(self, partition: int, due: Sequence[Due], compared: Sequence[ReconciliationReported]) -> None:
        rows = [
            (partition, found.season_id, found.competitor_id, found.at, found.agrees, found.model_dump_json())
            for found in compared
        ]
        async with self._db.transaction():
            if rows:
                await self._db.execute(KEEP, *(list(column) for column in zip(*rows, strict=True)))
            await self._db.execute("delete from reports_wanted where report = any($1)", [each.number for each in due])


def _measures(due: Due) -> bool:
    return isinstance(due.wanted, MetricsWanted)


def _asked(due: Due) -> measuring.Asked:
    assert isinstance(due.wanted, MetricsWanted)
    return measuring.Asked(due.number, due.key, due.wanted)


def _report(
    wanted: ReconciliationWanted, balances: View, replay: View | None, *, from_start: bool
) -> ReconciliationReported:
    detail = NO_REPLAY if replay is None else FROM_START if from_start else FROM_STATEMENT
    return report(wanted.stated, Reconciled(of_ledger(balances, wanted.fills, wanted.quantities), replay, detail))


def reporting(apart_s: float, tracker: Tracker) -> Background:
    @asynccontextmanager
    async def enter(resources: Resources) -> AsyncIterator[Reporter]:
        reporter = Reporter(resources, await resources.connect(), tracker)
        reporter.running = asyncio.create_task(reporter.keep_reporting(apart_s))
        try:
            yield reporter
        finally:
            reporter.running.cancel()
            with suppress(asyncio.CancelledError):
                await reporter.running

    return enter
