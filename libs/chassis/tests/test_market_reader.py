"""What is released when, without a broker."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from chassis import market_reader
from chassis.market_reader import MarketLost, MarketReader, Place
from chassis.testing import at, mark, watermark
from contracts.base import Event
from contracts.market import TimeAdvanced
from contracts.wire import encode, numbered

A, B = TopicPartition("market.marks.v1", 0), TopicPartition("market.marks.v1", 1)


class Consumer:
    """Two empty partitions that do what they are told."""

    def __init__(self) -> None:
        self.begins = {A: 0, B: 0}
        self.paused: set[TopicPartition] = set()
        self.sought: dict[TopicPartition, int] = {}

    def assignment(self) -> set[TopicPartition]:
        return {A, B}

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {where: self.begins[where] for where in partitions}

    def seek(self, where: TopicPartition, offset: int) -> None:
        self.sought[where] = offset

    def pause(self, *partitions: TopicPartition) -> None:
        self.paused |= set(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self.paused -= set(partitions)


class Wire:
    def __init__(self, where: TopicPartition, offset: int, event: Event, sequence: int) -> None:
        record = encode(event)
        self.topic, self.partition = where
        self.offset, self.key, self.value = offset, record.key, record.value
        self.headers = numbered(record.headers, "feed", sequence)


def records(where: TopicPartition, *events: Event, first: int = 0) -> dict[TopicPartition, list[Any]]:
    data = 0
    some = []
    for offset, event in enumerate(events, first):
        data += not isinstance(event, TimeAdvanced)
        some.append(Wire(where, offset, event, first + data))
    return {where: some}


async def reader() -> tuple[MarketReader, Consumer]:
    consumer = Consumer()
    one = MarketReader(consumer, [A.topic])
    await one.rewind({}, {})
    return one, consumer


async def taken(market: MarketReader, *polls: dict[TopicPartition, list[Any]]) -> None:
    for polled in polls:
        await market.take(polled)
        market.release()


async def test_records_are_released_in_order_and_those_beyond_the_least_watermark_stay() -> None:
    market, _ = await reader()
    await taken(market, records(A, mark(1), mark(3), watermark(4), mark(5)))
    assert market.watermark is None
    await taken(market, records(B, mark(2, "ETH-USDT-PERP"), mark(4, "ETH-USDT-PERP"), watermark(6, closed_round=3)))
    assert (market.watermark, market.closed_round) == (at(4), 0), "a round is closed when every partition says so"
    place = Place()
    due, offsets = market.due(place, at(3.5))
    assert ([record.at for record in due], offsets) == ([at(1), at(2), at(3)], None)
    due, offsets = market.due(place, at(10))
    assert [record.at for record in due] == [at(4)]
    assert offsets == {A: 2, B: 0}, "A is read again from its watermark, B from the first that was not released"
    assert market.due(place, at(10)) == ([], None)


async def test_partitions_that_are_ahead_pause_while_too_much_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_reader, "HELD_MAX", 3)
    market, consumer = await reader()
    await taken(market, records(A, *[mark(n) for n in range(1, 6)], watermark(9)))
    assert market.balance() == 5
    assert consumer.paused == {A}, "everybody waits for B, which goes on"
    await taken(market, records(B, watermark(9)))
    market.forget([Place()])
    market.balance()
    assert consumer.paused == {A, B}, "a unit has not had the release yet"
    place = Place()
    market.due(place, at(9))
    market.forget([place])
    assert market.balance() == 0
    assert consumer.paused == set()


async def test_a_poll_from_before_a_rewind_is_refused_and_sought_back() -> None:
    market, consumer = await reader()
    await taken(market, records(A, mark(5), first=5))
    assert consumer.sought[A] == 0
    await taken(market, records(A, mark(1), watermark(1)) | records(B, watermark(1)))
    assert [record.at for record in market.due(Place(), at(1))[0]] == [at(1)]


async def test_what_the_broker_deleted_before_it_was_read_stops_the_service() -> None:
    market, consumer = await reader()
    consumer.begins[A] = 4
    with pytest.raises(MarketLost, match=r"begins at 4, 0 was to be read next.*ACCEPT_MARKET_GAP"):
        await taken(market, records(A, mark(5), first=5))
    with pytest.raises(MarketLost):
        await market.rewind({A: 1}, {A: 3})
    await market.rewind({A: 1}, {A: 4})
    assert consumer.sought[A] == 4, "what was only to be recalled may be gone"


async def test_rounds_count_as_closed_when_every_partition_says_so() -> None:
    market, _ = await reader()
    await taken(market, records(A, watermark(4, closed_round=1)) | records(B, watermark(4, closed_round=0)))
    assert market.closed_round == 0
    await taken(
        market, records(B, watermark(5, closed_round=1), first=1) | records(A, watermark(5, closed_round=1), first=1)
    )
    assert market.closed_round == 1
