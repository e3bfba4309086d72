"""What instruments and seasons prescribe, as announced so far."""

from chassis.latest import LatestValues
from chassis.season_clock import SeasonClock
from chassis.service import Resources
from contracts.base import Event
from contracts.competition import SeasonChanged
from contracts.market import InstrumentListed

from order_executor.core import Terms


class Announced:
    def __init__(self) -> None:
        self.terms = Terms()
        self.clock = SeasonClock()

    def seasons(self, resources: Resources) -> LatestValues[Event]:
        return LatestValues(resources.settings.kafka, SeasonChanged.topic, on_event=self._adopt)

    def instruments(self, resources: Resources) -> LatestValues[InstrumentListed]:
        return LatestValues(resources.settings.kafka, InstrumentListed.topic, on_event=self.terms.list)

    def _adopt(self, event: Event) -> None:
        self.clock.learn(event)
        if isinstance(event, SeasonChanged):
            self.terms.adopt(event)
