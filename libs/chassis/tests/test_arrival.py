"""What a unit is told in a live season, and when, without a broker."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from aiokafka import TopicPartition
from chassis.arrival import Arrival
from chassis.market_reader import MarketReader
from chassis.step import Partition, Position
from chassis.testing import at, executed, halted, mark, watermark
from chassis.timed import MarketRecord
from chassis.unit import Unit
from contracts.base import Event
from contracts.market import TimeAdvanced
from contracts.types import EPOCH
from contracts.wire import encode, numbered

A, B = TopicPartition("market.marks.v1", 0), TopicPartition("market.marks.v1", 1)
BTC, ETH = "BTC-USDT-PERP", "ETH-USDT-PERP"
INSTANT = timedelta(microseconds=1)


class Consumer:
    """Two partitions of which everything was read, unless said otherwise."""

    def __init__(self) -> None:
        self.ends = {A: 0, B: 0}

    def assignment(self) -> set[TopicPartition]:
        return {A, B}

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    def highwater(self, where: TopicPartition) -> int:
        return self.ends[where]

    def seek(self, where: TopicPartition, offset: int) -> None:
        pass


class Wire:
    """A record as the broker's client hands it over."""

    headers: Sequence[tuple[str, bytes]]

    def __init__(self, topic: str, partition: int, offset: int, event: Event, sequence: int, sent: datetime) -> None:
        record = encode(event)
        self.topic, self.partition, self.offset = topic, partition, offset
        self.key, self.value, self.headers = record.key, record.value, numbered(record.headers, "feed", sequence)
        self.timestamp = (sent - EPOCH) // timedelta(milliseconds=1)


class Told:
    """Writes down what a teller would tell, in seconds of arena time; the stage waits for one moment at most."""

    def __init__(self, *, merged: bool) -> None:
        self.stage, self.merged = self, merged
        self.due: datetime | None = None
        self.lines: list[tuple[str, float]] = []

    def moment(self, partition: int) -> datetime | None:
        return self.due

    def own(self, unit: Unit, record: Any) -> None:
        headers = dict(record.headers)
        if headers["ce_type"] != b"arena.time_advanced":
            self._say("own", datetime.fromisoformat(headers["ce_time"].decode()))

    def market(self, unit: Unit, record: MarketRecord) -> None:
        unit.had(record)
        self._say(record.instrument[:3], record.at)

    def recall(self, unit: Unit) -> None:
        unit.recalled = True
        for record in sorted(unit.recalls.values(), key=lambda record: record.order):
            unit.had(record)
            self._say("recalled", record.at)

    def passed(self, unit: Unit, through: datetime) -> None:
        unit.through = max(through, unit.through or through)
        if self.due is not None and unit.through > self.due:
            self.due = None
        self._say("passed", unit.through)

    def time(self, unit: Unit, at: datetime) -> None:
        self._say("time", at)

    def _say(self, what: str, moment: datetime) -> None:
        self.lines.append((what, (moment - at(0)).total_seconds()))


class Desk:
    """A market of two partitions, and one unit."""

    def __init__(self, *, merged: bool = False) -> None:
        self.told, self.consumer = Told(merged=merged), Consumer()
        self.log: dict[TopicPartition, list[Any]] = {A: [], B: []}
        self.counts = {A: 0, B: 0}
        self.unit = Unit.resumed(Position(Partition("own", 0), 0, 0, 0, b"", {}))

    @classmethod
    async def opened(cls, *, merged: bool = False) -> "Desk":
        desk = cls(merged=merged)
        await desk.begin({})
        return desk

    async def begin(self, offsets: dict[TopicPartition, int]) -> None:
        """A process begins to read."""
        self.market = MarketReader(self.consumer, [A.topic])
        await self.market.rewind(offsets, {})
        self.arrival = Arrival(self.market, self.told)  # type: ignore[arg-type]

    async def turn(self, a: Sequence[Event] = (), b: Sequence[Event] = ()) -> list[tuple[str, float]]:
        """What comes of the market's two partitions; returns what the unit was told thereupon."""
        return await self.poll({where: self.sent(where, *some) for where, some in ((A, a), (B, b)) if some})

    def sent(self, where: TopicPartition, *events: Event) -> list[Any]:
        """The broker has them."""
        for event in events:
            self.counts[where] += not isinstance(event, TimeAdvanced)
            self.log[where].append(
                Wire(where.topic, where.partition, len(self.log[where]), event, self.counts[where], event.at)
            )
        self.consumer.ends[where] = len(self.log[where])
        return self.log[where][-len(events) :]

    async def poll(self, polled: dict[TopicPartition, list[Any]]) -> list[tuple[str, float]]:
        await self.market.take(polled, live=True)
        await self.arrival.turn([self.unit])
        lines, self.told.lines = self.told.lines, []
        return lines

    def comes(self, event: Event, sent: float = 0) -> None:
        """A record of the own topic, sent at that second."""
        offset = self.unit.read_offset
        self.unit.hold(Wire("own", 0, offset, event, offset + 1, at(sent)))


async def test_market_records_are_handed_over_as_they_come_those_of_one_poll_by_time() -> None:
    desk = await Desk.opened()
    assert await desk.turn(a=[mark(1), mark(3)], b=[mark(2, ETH)]) == [
        ("BTC", 1),
        ("ETH", 2),
        ("BTC", 3),
        ("passed", 3),
    ]
    late = await desk.turn(b=[mark(2.5, ETH)])
    assert late == [("ETH", 2.5), ("passed", 3)], "no watermark is awaited, and time does not go back"
    assert desk.unit.offsets == {A: 2, B: 2}


async def test_an_own_record_is_handed_over_at_once_at_the_time_it_was_sent() -> None:
    desk = await Desk.opened()
    await desk.turn(a=[mark(1)])
    desk.comes(halted(1, seconds=1.2), sent=1.25)
    assert await desk.turn() == [("own", 1.2), ("passed", 1.25)]
    desk.comes(halted(2, seconds=0.5), sent=0.75)
    assert await desk.turn() == [("own", 0.5), ("passed", 1.25)], "one that is late counts at the unit's time"


async def test_while_the_market_is_behind_an_own_record_waits_for_the_market_of_its_time() -> None:
    desk = await Desk.opened()
    polls = [[*desk.sent(A, mark(1), mark(2))], [*desk.sent(A, mark(3), mark(4))]]
    desk.comes(halted(1, seconds=2.4), sent=2.5)
    assert await desk.poll({A: polls[0]}) == [("BTC", 1), ("BTC", 2), ("passed", 2)], "the broker has more"
    assert await desk.poll({A: polls[1]}) == [("own", 2.4), ("passed", 2.5), ("BTC", 3), ("BTC", 4), ("passed", 4)]


async def test_at_a_moment_nothing_later_comes_before_all_of_the_market_up_to_it() -> None:
    desk = await Desk.opened()
    desk.told.due = at(5)
    assert await desk.turn(a=[mark(4), mark(6), watermark(6)]) == [("BTC", 4), ("passed", 5 - 1e-6)]
    assert await desk.turn(b=[mark(4.5, ETH)]) == [("ETH", 4.5), ("passed", 5 - 1e-6)], "b may still have more before 5"
    assert await desk.turn(b=[mark(4.9, ETH), mark(5.5, ETH), watermark(5.5)]) == [
        ("ETH", 4.9), ("passed", 5 - 1e-6),
        ("passed", 5 + 1e-6), ("ETH", 5.5), ("BTC", 6), ("passed", 6), ("time", 6 - 1e-6),
    ]  # fmt: skip


async def test_an_order_that_comes_while_a_moment_is_awaited_does_not_pass_it() -> None:
    desk = await Desk.opened()
    desk.told.due = at(5)
    await desk.turn(a=[mark(4), watermark(4)], b=[watermark(4)])
    desk.comes(halted(1, seconds=5.1), sent=5.2)
    assert await desk.turn() == [("own", 5.1), ("passed", 5 - 1e-6)], "those of the moment still wait for its market"
    assert ("passed", 5 + 1e-6) in await desk.turn(a=[watermark(5)], b=[watermark(5)])


async def test_a_merged_unit_waits_at_a_moment_for_its_own_topic_too() -> None:
    desk = await Desk.opened(merged=True)
    desk.told.due = at(5)
    desk.comes(executed(1, seconds=4))
    desk.comes(executed(2, seconds=5.5))
    told = await desk.turn(a=[mark(6), watermark(6)], b=[watermark(6)])
    assert told == [("passed", 5 - 1e-6), ("own", 4), ("time", 5 - 2e-6)], (
        "what was executed at 5.5 waits, as the market does"
    )
    desk.comes(watermark(5.5))
    assert await desk.turn() == [("passed", 5 + 1e-6), ("own", 5.5), ("BTC", 6), ("passed", 6)]


async def test_a_unit_that_resumes_while_records_wait_has_each_once_and_the_latest_recalled() -> None:
    desk = await Desk.opened()
    desk.told.due = at(5)
    await desk.turn(a=[mark(1), mark(4), mark(6), watermark(6)], b=[mark(2, ETH)])
    assert desk.unit.offsets == {A: 2, B: 1}, "what waits is read again"
    desk.unit = Unit.resumed(Position(Partition("own", 0), 0, 0, 0, desk.unit.cursor(), {}))
    await desk.begin(dict(desk.unit.read_from()))
    desk.comes(halted(1, seconds=4.2), sent=4.25)
    assert await desk.poll({A: desk.log[A][1:]}) == [], "nothing before the latest values of both are known"
    assert await desk.poll({B: desk.log[B]}) == [("recalled", 2), ("recalled", 4), ("own", 4.2), ("passed", 5 - 1e-6)]
    told = await desk.turn(b=[mark(5.5, ETH), watermark(6)])
    assert told == [("passed", 5 + 1e-6), ("ETH", 5.5), ("BTC", 6), ("passed", 6), ("time", 6 - 1e-6)]


async def test_what_a_unit_has_had_is_passed_over_when_another_takes_the_market_back() -> None:
    desk = await Desk.opened()
    await desk.turn(a=[mark(1), mark(2)], b=[mark(1.5, ETH), watermark(2)])
    await desk.begin({})
    desk.unit.rewound()
    assert await desk.poll({A: desk.log[A]}) == []
    assert desk.unit.offsets == {A: 2, B: 2}
    assert await desk.poll({B: [*desk.log[B], *desk.sent(B, mark(3, ETH))]}) == [("ETH", 3), ("passed", 3)]


async def test_what_a_feed_sends_again_lies_before_its_partitions_watermark_and_is_dropped() -> None:
    desk = await Desk.opened()
    await desk.turn(a=[mark(1), watermark(2)], b=[watermark(1)])
    assert await desk.turn(a=[mark(1), mark(2), mark(3)]) == [("BTC", 3), ("passed", 3)]


async def test_the_time_that_goes_on_is_the_last_of_which_nothing_more_follows() -> None:
    desk = await Desk.opened()
    assert ("time", 2 - 1e-6) in await desk.turn(a=[watermark(2)], b=[watermark(1)])
    assert await desk.turn(a=[mark(3)]) == [("BTC", 3), ("passed", 3)], "as often as the whole market's, no oftener"
    assert ("time", 3 - 1e-6) in await desk.turn(b=[watermark(2)]), "what follows may have happened at 3, not before"
