"""The terms of every listed instrument, as its venue states them now."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.latest import LatestValues
from chassis.service import Resources
from contracts.market import InstrumentListed

from pnl_tracker.core.margining import Terms, terms_of


class Instruments:
    def __init__(self) -> None:
        self.terms: dict[str, Terms] = {}
        """By instrument; the units look here."""

    def learn(self, event: InstrumentListed) -> None:
        self.terms[event.instrument] = terms_of(event)

    @asynccontextmanager
    async def read(self, resources: Resources) -> AsyncIterator[LatestValues[InstrumentListed]]:
        kafka = resources.settings.kafka
        async with LatestValues[InstrumentListed](kafka, InstrumentListed.topic, on_event=self.learn) as latest:
            yield latest
