"""Own records that meet market records: what a timed stage is told, and in which order.

In lockstep both are merged by event time (lockstep.py); in a live season they are taken as they arrive (arrival.py).

A unit is one partition of the stage's own topic with everything the market did. The market is read once a process;
each unit has its own arena time `through`, and one position row holds its next_offset, its market offsets and one
sequence for all it says. So units move between processes, and resume exactly where they stood.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from contracts.base import Event
from contracts.wire import Headers, decode

from chassis.step import Connection, Out, Writing


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
        """True: own records carry watermarks and count at their `at`; in lockstep the market comes first where equal.

        False: they are handed over as they come, once the unit knows the latest market values again.
        """

    def moment(self, partition: int) -> datetime | None:
        """Live: the next moment beyond the unit's time at which something is due that it knows of already.

        Nothing later is handed over before everything at or before it is in. Once that is passed, another is named.
        """

    @property
    def watermark_topic(self) -> str | None:
        """Where the unit's time goes on as TimeAdvanced, into the partition of the same number."""

    async def load(self, db: Connection, partition: int) -> None:
        """Read the unit's state, whatever memory held of it before."""

    def own(self, partition: int, event: Event) -> Sequence[Event | Out]:
        """One event of the own topic, never a TimeAdvanced."""

    def market(self, partition: int, record: MarketRecord) -> Sequence[Event | Out]:
        """Each once; in lockstep in order of (at, topic, instrument, sequence), live in that order within a turn."""

    def recall(self, partition: int, record: MarketRecord) -> None:
        """After load: the latest record of a market topic and instrument as of the unit's time; causes nothing."""

    def passed(self, partition: int, through: datetime) -> Sequence[Event | Out]:
        """The unit's time; it never falls. In lockstep all input at or before it was handed over, and it rises."""

    def watermark(self, partition: int) -> bool:
        """Whether this `through` goes into `watermark_topic`."""

    async def save(self, out: Writing) -> None:
        """Write what changed since the last save; it becomes part of the step's commit."""


class Hearing(Protocol):
    """A timed stage may also learn what no topic carries: the answers of an outside venue."""

    def heard(self, partition: int) -> Sequence[Event | Out] | None:
        """Asked once a turn, a few times a second whatever the market does; None where nothing changed.

        What it says and what it changed is committed at once. What a crash takes away before that must be there to be
        learned again.
        """
