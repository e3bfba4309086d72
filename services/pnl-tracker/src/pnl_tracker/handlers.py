"""What the tracker reads, what it keeps, who decides."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from chassis.step import Connection, Out, Writing
from chassis.timed import MarketRecord
from contracts.base import Event
from contracts.executions import AccountStated, ExitPlanChanged, FundingSettled, OrderFilled, PositionLiquidated
from contracts.market import MarkUpdated
from contracts.portfolios import PortfolioUpdated

from pnl_tracker import store
from pnl_tracker.competition import Competition
from pnl_tracker.core.unit import Key, Unit
from pnl_tracker.instruments import Instruments

OWN_TOPIC = OrderFilled.topic
MARKET_TOPICS = [MarkUpdated.topic]
READS = (OrderFilled, FundingSettled, PositionLiquidated, ExitPlanChanged, AccountStated)
"""Of its own topic: nothing else that happens to an order moves money."""


class Tracker:
    """The timed stage: one unit of accounts for each partition of `executions.v1`."""

    merged: ClassVar[bool] = True
    watermark_topic: str | None = None

    def __init__(self, competition: Competition, instruments: Instruments) -> None:
        self._competition, self._instruments = competition, instruments
        self._units: dict[int, Unit] = {}
        self._enrolled: dict[int, int] = {}

    def sizes(self) -> dict[str, int]:
        """For the metrics: what is held in memory."""
        accounts = [account for unit in self._units.values() for account in unit.accounts.values()]
        return {
            "accounts": len(accounts),
            "positions": sum(len(account.positions) for account in accounts),
            "trade_ids": sum(len(account.ledger.trade_ids) for account in accounts),
            "unbalanced": sum(1 for account in accounts if not account.balances),
            "unreconciled": sum(1 for account in accounts if account.reconciled is False),
        }

    def keeps(self, partition: int) -> bool:
        return partition in self._units

    def moment(self, partition: int) -> datetime | None:
        """A round's portfolios, and a day's statement, count everything at or before their moment and nothing later."""
        return self._unit(partition).awaits

    def partitions(self) -> list[int]:
        return sorted(self._units)

    def reconciled(self, partition: int, key: Key, *, agrees: bool) -> None:
        """What the last reconciliation found: the next portfolio of the account shows it."""
        if (account := self._units[partition].accounts.get(key)) is not None:
            account.reconciled = agrees

    async def load(self, db: Connection, partition: int) -> None:
        unit = self._units[partition] = await store.load(db, partition)
        unit.listings = self._instruments.terms
        self._enrolled[partition] = -1

    def own(self, partition: int, event: Event) -> Sequence[Event | Out]:
        unit = self._unit(partition)
        return _said(unit, unit.execution(event))

    def market(self, partition: int, record: MarketRecord) -> Sequence[Event | Out]:
        unit = self._unit(partition)
        return _said(unit, unit.mark(record))

    def recall(self, partition: int, record: MarketRecord) -> None:
        self._units[partition].recall(record)

    def passed(self, partition: int, through: datetime) -> Sequence[Event | Out]:
        unit = self._unit(partition)
        return _said(unit, unit.passed(through))

    def watermark(self, partition: int) -> bool:  # noqa: ARG002  # the protocol's
        return False

    async def save(self, out: Writing) -> None:
        await store.save(out, self._units.items())

    def _unit(self, partition: int) -> Unit:
        unit, version = self._units[partition], self._competition.version
        if self._enrolled[partition] != version:
            self._enrolled[partition] = version
            unit.enrol(self._competition.roster(partition))
        return unit


def _said(unit: Unit, portfolios: list[PortfolioUpdated]) -> Sequence[Event]:
    return [*portfolios, *unit.diary.told_statements()] if unit.diary.statements else portfolios
