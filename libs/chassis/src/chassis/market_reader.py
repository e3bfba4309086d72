"""All partitions of the market topics, read once a process; released in order of event time, or as they arrive."""

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.wire import BadRecord, decode

from chassis.bus import all_partitions
from chassis.step import WATERMARK
from chassis.timed import MarketRecord

HELD_MAX = 20_000
"""Records in memory that are not released, or not yet handed to every unit; then partitions pause."""
INSTANT = timedelta(microseconds=1)
Offsets = Mapping[TopicPartition, int]

log = structlog.get_logger(__name__)


class MarketLost(Exception):
    """The broker no longer has market records that were never handed over: retention was shorter than the outage."""


@dataclass(slots=True)
class Source:
    """One market partition: what was read of it beyond the released time."""

    next_offset: int
    held: list[MarketRecord] = field(default_factory=list)
    """By `at`; in almost every case also by offset."""
    seen: dict[bytes, int] = field(default_factory=dict)
    watermark: datetime | None = None
    closed_round: int = 0
    ahead: deque[tuple[datetime, int]] = field(default_factory=deque)
    """Watermarks beyond the released time, with their offsets."""
    passed_offset: int = 0
    """Of the last watermark within the released time."""

    def __post_init__(self) -> None:
        self.passed_offset = self.next_offset


@dataclass(frozen=True, slots=True)
class Release:
    """Everything the market did after the release before and up to `watermark`."""

    watermark: datetime
    closed_round: int
    records: Sequence[MarketRecord]
    offsets: Offsets
    """Where to read on after this release: nothing before these offsets is still to come."""


@dataclass(slots=True)
class Place:
    """How far a unit is in the releases."""

    release: int = 0
    index: int = 0


class MarketReader:
    def __init__(self, consumer: AIOKafkaConsumer, topics: Sequence[str], *, accept_gap: bool = False) -> None:
        self._consumer, self._topics, self._accept_gap = consumer, topics, accept_gap
        self._sources: dict[TopicPartition, Source] = {}
        self._releases: deque[Release] = deque()
        self._first = 0
        self._paused: set[TopicPartition] = set()
        self.watermark: datetime | None = None
        """Lockstep: the released time. Live: nothing at or before it is still to come."""
        self.latest: datetime | None = None
        """Live: the latest time seen."""
        self.closed_round = 0

    async def start(self) -> None:
        partitions = await all_partitions(self._consumer, self._topics)
        self._consumer.assign(partitions)
        await self.rewind({}, {})

    async def rewind(self, offsets: Offsets, needed: Offsets) -> None:
        """Read again from these offsets, from the beginning where none is given or the broker has less.

        Raises MarketLost where it no longer has what is `needed`.
        """
        partitions = list(self._consumer.assignment())
        begins = await self._consumer.beginning_offsets(partitions)
        for where, offset in needed.items():
            self._missing(where, offset, begins.get(where, offset))
        self._sources = {where: Source(max(begins[where], offsets.get(where, 0))) for where in sorted(partitions)}
        for where, source in self._sources.items():
            self._consumer.seek(where, source.next_offset)
        self._releases.clear()
        self._first, self.watermark, self.latest, self.closed_round = 0, None, None, 0
        self._out: Offsets = {}

    @property
    def offsets(self) -> Offsets:
        """Where each partition is read on."""
        return {where: source.next_offset for where, source in self._sources.items()}

    async def take(self, polled: Mapping[TopicPartition, Sequence[Any]], *, live: bool = False) -> None:
        """Hold what is new."""
        for where, records in polled.items():
            source = self._sources[where]
            if records[0].offset > source.next_offset:  # polled before the last rewind
                await self._go_back(where, source)
                continue
            for record in records:
                if record.offset >= source.next_offset:
                    source.next_offset = record.offset + 1
                    self._hold(source, record, source.watermark if live else self.watermark)

    def arrived(self, place: Place) -> tuple[list[MarketRecord], Offsets | None]:
        """Live: the records that this place has not had; and where to read on after them."""
        return ([], None) if self.latest is None else self.due(place, self.latest)

    @property
    def is_behind(self) -> bool:
        """Whether the broker has more than was read."""
        ends = ((self._consumer.highwater(where), source.next_offset) for where, source in self._sources.items())
        return any(end is None or offset < end for end, offset in ends)

    def has_read(self, offsets: Offsets) -> bool:
        """Live: whether everything before these is out."""
        return all(self._out.get(where, 0) >= offset for where, offset in offsets.items())

    def due(self, place: Place, limit: datetime) -> tuple[list[MarketRecord], Offsets | None]:
        """The records at or before `limit` that this place has not had; and where to read on after them."""
        records: list[MarketRecord] = []
        offsets: Offsets | None = None
        while place.release - self._first < len(self._releases):
            release = self._releases[place.release - self._first]
            if release.watermark > limit:
                stop = bisect_right(release.records, limit, lo=place.index, key=_at)
                records += release.records[place.index : stop]
                place.index = stop
                break
            records += release.records[place.index :] if place.index else release.records
            offsets = release.offsets
            place.release, place.index = place.release + 1, 0
        return records, offsets

    def forget(self, places: Sequence[Place]) -> None:
        """Drop the releases that everybody has had."""
        least = min((place.release for place in places), default=self._first + len(self._releases))
        while self._first < least and self._releases:
            self._releases.popleft()
            self._first += 1

    def balance(self) -> int:
        """Pause what is ahead while too much is held; returns how many records are held."""
        waiting = sum(len(release.records) for release in self._releases)
        held = waiting + sum(len(source.held) for source in self._sources.values())
        paused: set[TopicPartition] = set()
        if waiting > HELD_MAX:
            paused = set(self._sources)  # a unit waits for its own topic
        elif held > HELD_MAX:  # the partition that everybody waits for goes on
            paused = {
                where for where, source in self._sources.items() if source.watermark not in (None, self.watermark)
            }
            paused -= {where for where in paused if not self._sources[where].held}
        if stopped := paused - self._paused:
            self._consumer.pause(*stopped)
        if resumed := self._paused - paused:
            self._consumer.resume(*resumed)
        self._paused = paused
        return held

    async def _go_back(self, where: TopicPartition, source: Source) -> None:
        begins = await self._consumer.beginning_offsets([where])
        self._missing(where, source.next_offset, begins[where])
        source.next_offset = max(source.next_offset, begins[where])
        self._consumer.seek(where, source.next_offset)

    def _missing(self, where: TopicPartition, wanted: int, begin: int) -> None:
        if wanted >= begin:
            return
        what = f"{where.topic}[{where.partition}] begins at {begin}, {wanted} was to be read next"
        if not self._accept_gap:
            raise MarketLost(f"{what}; ACCEPT_MARKET_GAP=true goes on without what the broker has deleted")
        log.error("market gap accepted", what=what)

    def _hold(self, source: Source, record: Any, known: datetime | None) -> None:
        """`known`: what lies at or before it was sent again, by a feed that began anew."""
        headers = dict(record.headers)
        try:
            at = datetime.fromisoformat(headers["ce_time"].decode())
            kind, number = headers["ce_type"], int(headers["ce_sequence"])
            origin = headers["ce_source"]
        except (KeyError, ValueError) as error:
            log.error("market record without its headers", topic=record.topic, offset=record.offset, error=repr(error))
            return
        if kind == WATERMARK:
            self._advance(source, at, record)
        elif number > source.seen.get(origin, -1):
            source.seen[origin] = number
            if known is None or at > known:
                instrument, name = (record.key or b"").decode("utf-8", "replace"), kind.decode().removeprefix("arena.")
                held = MarketRecord(
                    record.topic, record.partition, record.offset, at, instrument, name, number, record.value,
                    record.headers,
                )  # fmt: skip
                insort(source.held, held, key=_at) if source.held and at < source.held[-1].at else source.held.append(
                    held
                )

    def _advance(self, source: Source, at: datetime, record: Any) -> None:
        if source.watermark is None or at > source.watermark:
            try:
                closed_round = decode(record.topic, record.value).closed_round
            except BadRecord as error:
                log.error("watermark that breaks its contract", topic=record.topic, error=str(error))
                return
            source.watermark, source.closed_round = at, max(source.closed_round, closed_round)
            source.ahead.append((at, record.offset))

    def arrive(self, limit: datetime | None) -> None:
        """Live: let out what came, each partition in its own order; what lies beyond the limit stays."""
        records = [record for source in self._sources.values() for record in self._come(source, limit)]
        records.sort(key=lambda record: record.order)
        self.watermark = self._least_watermark()
        times = [source.watermark for source in self._sources.values() if source.watermark is not None]
        latest = max([*times, *map(_at, records)], default=None)
        if latest is None:
            return
        if limit is not None:
            latest = min(latest, limit - INSTANT)
        offsets = {where: _least_offset(source.held, source.next_offset) for where, source in self._sources.items()}
        if offsets == self._out and self.latest is not None and latest <= self.latest:
            return
        self._out, self.latest = offsets, latest if self.latest is None else max(self.latest, latest)
        self._releases.append(Release(self.latest, 0, records, offsets))

    @staticmethod
    def _come(source: Source, limit: datetime | None) -> list[MarketRecord]:
        """A prefix of what is held, by offset: whoever resumes knows by one number what it has had."""
        source.ahead.clear()
        out = source.held
        if limit is None or not out or out[-1].at <= limit:
            source.held = []
            return out
        stop = min(record.offset for record in out if record.at > limit)
        source.held = [record for record in out if record.offset >= stop]
        return [record for record in out if record.offset < stop]

    def _least_watermark(self) -> datetime | None:
        """None until every partition has one."""
        least: datetime | None = None
        for source in self._sources.values():
            if source.watermark is None:
                return None
            least = source.watermark if least is None or source.watermark < least else least
        return least

    def release(self) -> None:
        """Lockstep: let out what every partition's watermark allows."""
        least = self._least_watermark()
        if least is None or (self.watermark is not None and least <= self.watermark):
            return
        records = [record for source in self._sources.values() for record in self._let_out(source, least)]
        records.sort(key=lambda record: record.order)
        self.watermark = least
        self.closed_round = min(source.closed_round for source in self._sources.values())
        offsets = {where: self._resume_at(source) for where, source in self._sources.items()}
        self._releases.append(Release(least, self.closed_round, records, offsets))

    @staticmethod
    def _let_out(source: Source, through: datetime) -> list[MarketRecord]:
        stop = bisect_right(source.held, through, key=_at)
        out, source.held = source.held[:stop], source.held[stop:]
        while source.ahead and source.ahead[0][0] <= through:
            source.passed_offset = source.ahead.popleft()[1]
        return out

    @staticmethod
    def _resume_at(source: Source) -> int:
        """The watermark itself is read again, so that the released time is known without waiting for the next."""
        return _least_offset(source.held, source.passed_offset)


def _least_offset(held: Sequence[MarketRecord], otherwise: int) -> int:
    return min([otherwise, *(record.offset for record in held)])


def _at(record: MarketRecord) -> datetime:
    return record.at
