"""Own records merged with market records by event time. (API skeleton; the loop follows.)"""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Protocol

from contracts.base import Event
from contracts.wire import decode

from chassis.step import Connection, Out


class MarketRecord:
    """A record of a market topic by its headers; the event is parsed once, when the first unit asks for it."""

    __slots__ = ("__dict__", "at", "instrument", "kind", "offset", "partition", "sequence", "topic", "value")

    def __init__(
        self,
        topic: str,
        partition: int,
        offset: int,
        at: datetime,
        instrument: str,
        kind: str,
        sequence: int,
        value: bytes,
    ) -> None:
        self.topic, self.partition, self.offset, self.at = topic, partition, offset, at
        self.instrument, self.kind, self.sequence, self.value = instrument, kind, sequence, value

    @cached_property
    def event(self) -> Any:
        return decode(self.topic, self.value)


class TimedStage(Protocol):
    """A unit is one partition of the stage's own topic, with everything the market did."""

    merged: ClassVar[bool]
    """True: own records carry watermarks and are merged by `at`. False: they are handed over as they come."""
    watermark_topic: str | None
    """Where the unit's time goes on as TimeAdvanced, into the partition of the same number."""

    async def load(self, db: Connection, partition: int) -> None: ...

    def own(self, partition: int, event: Event) -> Sequence[Event | Out]:
        """One event of the own topic, never a TimeAdvanced."""

    def market(self, partition: int, record: MarketRecord) -> Sequence[Event | Out]:
        """In order of (at, topic, instrument, sequence), each once."""

    def recall(self, partition: int, record: MarketRecord) -> None:
        """After load: a market record at or before the unit's time, to know the latest values again; causes nothing."""

    def passed(self, partition: int, through: datetime) -> Sequence[Event | Out]:
        """All input at or before `through` was handed over; at most once a batch."""

    def watermark(self, partition: int) -> bool:
        """Whether this `through` goes into `watermark_topic`."""

    async def save(self, db: Connection) -> None: ...
