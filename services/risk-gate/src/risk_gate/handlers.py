"""What the gate reads, what it keeps, who decides."""

from collections.abc import Sequence

from chassis.keyed_stage import KeyedStage
from chassis.step import Connection, Out, Partition, Writing
from contracts.base import Event
from contracts.orders import SignalRejected
from contracts.signals import SignalEvent, SignalProposed
from prometheus_client import Counter

from risk_gate.control_log import TOPIC as CONTROL
from risk_gate.core import ControlState, RiskGate, Standing
from risk_gate.core import control as operators
from risk_gate.views import Views

TOPICS = [SignalProposed.topic, CONTROL]


class Gate:
    """The plain stage: one standing for each competitor of a season, and the operators' orders of each season."""

    def __init__(self, views: Views) -> None:
        self._views, self._gate = views, RiskGate()
        self.rejections = Counter(
            "arena_rejections", "Signals refused, by the name of the reason.", ["code"], registry=None
        )
        """Registered with the process's others by whoever has them."""
        self._standings = KeyedStage(
            Standing, self._judge, key=lambda event: f"{event.season_id}/{event.competitor_id}"
        )
        self._orders = KeyedStage(ControlState, self._order, key=lambda event: event.season_id)

    async def load(self, db: Connection, partition: Partition) -> None:
        await self._part(partition).load(db, partition)

    async def prepare(self, events: Sequence[Event]) -> None:
        await self._views.prepare(events)

    def decide(self, partition: Partition, event: Event) -> Sequence[Event | Out]:
        return self._part(partition).decide(partition, event)

    async def save(self, out: Writing) -> None:
        await self._standings.save(out)
        await self._orders.save(out)

    def sizes(self) -> dict[str, int]:
        return {"competitors": self._standings.sizes()["keys"]}

    def _part(self, partition: Partition) -> KeyedStage[Standing] | KeyedStage[ControlState]:
        return self._orders if partition.topic == CONTROL else self._standings

    def _judge(self, standing: Standing, event: SignalEvent) -> Sequence[Event]:
        said = self._gate.decide(standing, event, self._views.facts(event))
        for each in said:
            if isinstance(each, SignalRejected):
                self.rejections.labels(each.code).inc()
        return said

    def _order(self, state: ControlState, event: operators.Control) -> Sequence[Event]:
        return operators.decide(state, event, self._views.positions(event.season_id))
