"""What instruments and seasons prescribe, as announced so far."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.latest import LatestValues
from chassis.service import Resources
from contracts.base import Event
from contracts.competition import SeasonChanged
from contracts.market import InstrumentListed

from order_executor.core import Terms


class Announced:
    def __init__(self) -> None:
        self.terms = Terms()

    def _adopt(self, event: Event) -> None:
        if isinstance(event, SeasonChanged):
            self.terms.adopt(event)

    @asynccontextmanager
    async def seasons(self, resources: Resources) -> AsyncIterator[LatestValues[Event]]:
        kafka = resources.settings.kafka
        async with LatestValues[Event](kafka, SeasonChanged.topic, on_event=self._adopt) as latest:
            yield latest

    @asynccontextmanager
    async def instruments(self, resources: Resources) -> AsyncIterator[LatestValues[InstrumentListed]]:
        kafka = resources.settings.kafka
        async with LatestValues[InstrumentListed](kafka, InstrumentListed.topic, on_event=self.terms.list) as latest:
            yield latest
