"""What the gate reads, what it keeps, who decides."""

from collections.abc import Sequence

from chassis.keyed_stage import KeyedStage
from contracts.base import Event
from contracts.signals import SignalEvent, SignalProposed

from risk_gate.core import Facts, RiskGate, Standing
from risk_gate.views import Views

TOPICS = [SignalProposed.topic]


class Gate(KeyedStage[Standing]):
    """The plain stage: one standing for each competitor of a season."""

    def __init__(self, views: Views) -> None:
        super().__init__(Standing, self._judge, key=lambda event: f"{event.season_id}/{event.competitor_id}")
        self._views, self._gate = views, RiskGate()

    async def prepare(self, events: Sequence[Event]) -> None:
        await self._views.prepare(events)

    def _judge(self, standing: Standing, event: SignalEvent) -> Sequence[Event]:
        facts = self._views.facts(event) if isinstance(event, SignalProposed) else Facts()
        return self._gate.decide(standing, event, facts)
