"""What a unit is told, one thing at a time, whichever clock the season goes by."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from contracts.base import Event, named_id
from contracts.market import TimeAdvanced
from contracts.wire import BadRecord

from chassis.publish import Out
from chassis.step import Step
from chassis.telemetry import Telemetry
from chassis.timed import MarketRecord, TimedStage
from chassis.unit import OwnRecord, Unit

Heard = Callable[[int], Sequence[Event | Out] | None]


class Teller:
    def __init__(self, service: str, step: Step, stage: TimedStage, telemetry: Telemetry) -> None:
        self._service, self._step, self._telemetry = service, step, telemetry
        self.stage = stage

    def own(self, unit: Unit, own: OwnRecord) -> None:
        unit.moved = True
        event = self._step.admit(unit.position, own.record, own.headers)
        if event is not None and not isinstance(event, TimeAdvanced):
            self._step.decided(unit.position, event, partial(self.stage.own, unit.number))

    def market(self, unit: Unit, record: MarketRecord) -> None:
        unit.had(record)
        try:
            outs = self.stage.market(unit.number, record)
        except BadRecord as error:
            self._passed_over(record, error)
            return
        if outs:
            self._step.say(unit.position, outs)

    def recall(self, unit: Unit) -> None:
        """The latest market values as of the unit's time, once after it was taken over."""
        if unit.recalled:
            return
        unit.recalled = True
        for record in sorted(unit.recalls.values(), key=lambda record: record.order):
            unit.had(record)
            try:
                self.stage.recall(unit.number, record)
            except BadRecord as error:
                self._passed_over(record, error)
        unit.recalls.clear()

    def passed(self, unit: Unit, through: datetime) -> None:
        """The unit's time is `through`, or later where it was later before."""
        if unit.through is None or through > unit.through:
            unit.through, unit.moved = through, True
        self._step.say(unit.position, self.stage.passed(unit.number, unit.through))

    def heard(self, unit: Unit) -> bool:
        """What the stage learned outside of Kafka since the last turn (`Hearing`); whether that is to be committed."""
        listen: Heard | None = getattr(self.stage, "heard", None)
        outs = listen(unit.number) if listen is not None else None
        if outs is None:
            return False
        unit.moved = True
        self._step.say(unit.position, outs)
        return True

    def time(self, unit: Unit, at: datetime) -> None:
        """Say, where others want to know it, that nothing at or before `at` follows."""
        topic = self.stage.watermark_topic
        if topic is not None and self.stage.watermark(unit.number):
            event = TimeAdvanced(
                event_id=named_id(self._service, topic, unit.number, at.isoformat()),
                at=at,
                partition=unit.number,
                closed_round=unit.closed_round,
            )
            self._step.say(unit.position, [Out(event, topic, unit.number)])

    def _passed_over(self, record: MarketRecord, error: BadRecord) -> None:
        self._telemetry.dead_letters.labels(record.topic).inc()
        self._telemetry.log.error(
            "market record passed over", topic=record.topic, partition=record.partition, offset=record.offset,
            reason=str(error),
        )  # fmt: skip
