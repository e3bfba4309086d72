"""What a process knows of one unit of a timed stage, and the cursor it resumes from."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import msgpack
from aiokafka import TopicPartition
from contracts.types import EPOCH

from chassis.market_reader import Offsets, Place
from chassis.step import WATERMARK, Position, Record
from chassis.timed import MarketRecord

RECALL_RECORDS_MAX = 10_000
"""How far back in a market partition the latest record of a quiet instrument is remembered."""


class OwnRecord(NamedTuple):
    at: datetime
    record: Record
    headers: Mapping[str, bytes]


class Gate(NamedTuple):
    """All own records below `offset` come before market time beyond this round."""

    closed_round: int
    offset: int


@dataclass(slots=True, eq=False)
class Unit:
    position: Position
    through: datetime | None
    """Arena time. In lockstep all input at or before it was handed over; live it is the latest time seen."""
    offsets: dict[TopicPartition, int]
    """Market records before these were handed over."""
    recall_from: dict[TopicPartition, int]
    """At or before `offsets`: the latest values are found from here on."""
    read_offset: int
    """Of the own topic; what lies between it and the position's next_offset is held."""
    held: deque[OwnRecord] = field(default_factory=deque)
    own_watermark: datetime | None = None
    recalled: bool = False
    """The latest market values are known again."""
    recalls: dict[tuple[str, str, str], MarketRecord] = field(default_factory=dict)
    latest: dict[tuple[str, int], dict[str, int]] = field(default_factory=dict)
    """Offset of the latest record of each instrument in a market partition."""
    place: Place = field(default_factory=Place)
    closed_round: int = 0
    gate: Gate | None = None
    told: datetime | None = None
    """Live: the time that was last passed on."""
    moved: bool = False
    """Since the last commit."""

    @classmethod
    def resumed(cls, position: Position) -> "Unit":
        through, offsets, recall_from = None, {}, {}
        if position.cursor:
            micros, rows = msgpack.unpackb(position.cursor)
            through = EPOCH + timedelta(microseconds=micros)
            offsets = {TopicPartition(topic, number): after for topic, number, _, after in rows}
            recall_from = {TopicPartition(topic, number): first for topic, number, first, _ in rows}
        unit = cls(position, through, offsets, recall_from, position.next_offset, recalled=through is None)
        unit.own_watermark = through
        return unit

    @property
    def number(self) -> int:
        return self.position.partition.number

    def cursor(self) -> bytes:
        """Packed (through in microseconds, [(topic, partition, recall from, read on from)])."""
        if self.through is None:
            return b""
        rows = [(*where, self._recall_from(where, after), after) for where, after in self.offsets.items()]
        packed: bytes = msgpack.packb(((self.through - EPOCH) // timedelta(microseconds=1), rows))
        return packed

    def _recall_from(self, where: TopicPartition, after: int) -> int:
        seen = self.latest.get((where.topic, where.partition))
        if not self.recalled or seen is None:
            return min(self.recall_from.get(where, after), after)
        return max(min(after, *seen.values()), after - RECALL_RECORDS_MAX)

    def read_from(self) -> Offsets:
        """Where this unit, taken over or rewound, needs the market from."""
        return {where: self._recall_from(where, after) for where, after in self.offsets.items()}

    def hold(self, record: Record) -> None:
        """An own record whose turn has not come."""
        self.read_offset = record.offset + 1
        headers = dict(record.headers)
        at = _time(headers)
        if headers.get("ce_type") == WATERMARK and (self.own_watermark is None or at > self.own_watermark):
            self.own_watermark = at
        self.held.append(OwnRecord(at, record, headers))

    def had(self, record: MarketRecord) -> None:
        where = record.topic, record.partition
        seen = self.latest.get(where)
        if seen is None:
            seen = self.latest[where] = {}
        seen[record.instrument] = record.offset

    def has_had(self, record: MarketRecord) -> bool:
        """Live: by its offset."""
        return record.offset < self.offsets.get(TopicPartition(record.topic, record.partition), 0)

    def go_on(self, offsets: Offsets) -> None:
        """Live: everything before these was handed over; what was rewound past counts on."""
        self.offsets = {where: max(after, self.offsets.get(where, 0)) for where, after in offsets.items()}
        self.moved = True

    def rewound(self) -> None:
        self.place = Place()


def _time(headers: Mapping[str, bytes]) -> datetime:
    """Of a record that says none: long ago, so that its turn is now and the step sets it aside."""
    try:
        at = datetime.fromisoformat(headers["ce_time"].decode())
    except (KeyError, ValueError):
        return EPOCH
    return at if at.tzinfo is not None else EPOCH
