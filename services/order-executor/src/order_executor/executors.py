"""Which executor serves a season: the paper venue, or the outside venue where the deployment names the season."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, ClassVar

from chassis.publish import Out
from chassis.step import Connection, Writing
from chassis.timed import MarketRecord
from contracts.base import Event

from order_executor.exchange.venue import ExchangeVenue
from order_executor.handlers import PaperVenue


class Executors:
    """One timed stage of both; only the paper venue meets the market."""

    merged: ClassVar[bool] = False

    def __init__(self, paper: PaperVenue, exchange: ExchangeVenue, seasons: Collection[str]) -> None:
        self._paper, self._exchange, self._seasons = paper, exchange, frozenset(seasons)
        self.watermark_topic = paper.watermark_topic

    def sizes(self) -> dict[str, int]:
        return self._paper.sizes()

    def moment(self, partition: int) -> datetime | None:
        return self._paper.moment(partition)

    async def load(self, db: Connection, partition: int) -> None:
        await self._paper.load(db, partition)
        await self._exchange.load(db, partition)

    def own(self, partition: int, event: Any) -> Sequence[Event | Out]:
        return (self._exchange if event.season_id in self._seasons else self._paper).own(partition, event)

    def heard(self, partition: int) -> Sequence[Event] | None:
        return self._exchange.heard(partition)

    def market(self, partition: int, record: MarketRecord) -> Sequence[Event | Out]:
        return self._paper.market(partition, record)

    def recall(self, partition: int, record: MarketRecord) -> None:
        self._paper.recall(partition, record)

    def passed(self, partition: int, through: datetime) -> Sequence[Event | Out]:
        self._exchange.passed(partition, through)
        return self._paper.passed(partition, through)

    def watermark(self, partition: int) -> bool:
        return self._paper.watermark(partition)

    async def save(self, out: Writing) -> None:
        await self._paper.save(out)
        self._exchange.save(out)
