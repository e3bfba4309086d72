"""Own records merged with market records by event time: what a timed stage is told, and in which order.

A unit is one partition of the stage's own topic with everything the market did. The market is read once a process;
each unit has its own arena time `through`, and one position row holds its next_offset, its market offsets and one
sequence for all it says. So units move between processes, and resume exactly where they stood.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from contracts.base import Event
from contracts.wire import Headers, decode

from chassis.step import Connection, Out


class MarketRecord:
    """A record of a market topic by its headers; the event is parsed once, when the first unit asks for it."""

    __slots__ = ("_event", "at", "headers", "instrument", "kind", "offset", "partition", "sequence", "topic", "value")

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
        headers: Headers | Sequence[tuple[str, bytes]] = (),
    ) -> None:
        self.topic, self.partition, self.offset, self.at = topic, partition, offset, at
        self.instrument, self.kind, self.sequence = instrument, kind, sequence
        self.value, self.headers = value, headers
        self._event: Any = None

    @property
    def event(self) -> Any:
        """Raises BadRecord where the record breaks its contract: the loop then sets it aside."""
        if self._event is None:
            self._event = decode(self.topic, self.value)
        return self._event

    @property
    def order(self) -> tuple[datetime, str, str, int]:
        return self.at, self.topic, self.instrument, self.sequence

    @property
    def key(self) -> bytes:
        return self.instrument.encode()


class TimedStage(Protocol):
    """A unit is one partition of the stage's own topic, with everything the market did."""

    @property
    def merged(self) -> bool:
        """True: own records carry watermarks and are merged by `at`, market first where equal.

        False: they are handed over as they come, once the unit knows the latest market values again.
        """

    @property
    def watermark_topic(self) -> str | None:
        """Where the unit's time goes on as TimeAdvanced, into the partition of the same number."""

    async def load(self, db: Connection, partition: int) -> None:
        """Read the unit's state, whatever memory held of it before."""

    def own(self, partition: int, event: Event) -> Sequence[Event | Out]:
        """One event of the own topic, never a TimeAdvanced."""

    def market(self, partition: int, record: MarketRecord) -> Sequence[Event | Out]:
        """In order of (at, topic, instrument, sequence), each once."""

    def recall(self, partition: int, record: MarketRecord) -> None:
        """After load: the latest record of a market topic and instrument as of the unit's time; causes nothing."""

    def passed(self, partition: int, through: datetime) -> Sequence[Event | Out]:
        """All input at or before `through` was handed over; at most once a batch."""

    def watermark(self, partition: int) -> bool:
        """Whether this `through` goes into `watermark_topic`."""

    async def save(self, db: Connection) -> None:
        """Write what changed since the last save, inside the step's transaction."""
