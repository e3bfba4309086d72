import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from chassis.latest import LatestValues
from chassis.testing import World, at, book, halted, mark, watermark
from contracts.market import BookUpdated, MarkUpdated
from contracts.orders import OrderEvent, TradingHalted

BTC, ETH = "BTC-USDT-PERP", "ETH-USDT-PERP"


async def test_everything_that_was_in_the_topic_is_known_after_the_start(world: World) -> None:
    topic = await world.topic("market.marks.v1", 2)
    await world.send(topic, mark(1, price=100), mark(2, price=101), mark(1, ETH, price=50))
    async with LatestValues[MarkUpdated](world.kafka, topic) as marks:
        found = marks.get(BTC)
        assert found is not None
        assert found.mark_price == 101
        assert {value.instrument for value in marks.values()} == {BTC, ETH}
        assert marks.get("XRP-USDT-PERP") is None


async def test_what_comes_later_is_waited_for(world: World) -> None:
    topic = await world.topic("market.marks.v1")
    async with LatestValues[MarkUpdated](world.kafka, topic) as marks:
        waiting = asyncio.create_task(marks.wait(lambda: marks.get(BTC), timeout_s=20))
        await world.send(topic, mark(1, price=7))
        assert (await waiting).mark_price == 7
        with pytest.raises(TimeoutError):
            await marks.wait(lambda: marks.get(ETH), timeout_s=0.2)


async def test_the_watermark_is_the_least_of_the_partitions(world: World) -> None:
    topic = await world.topic("market.quotes.v1", 2)
    async with LatestValues[BookUpdated](world.kafka, topic) as books:
        await world.send(topic, book(1), watermark(5, 0), partition=0)
        await books.wait(lambda: books.get(BTC), timeout_s=20)
        assert books.watermark() is None, "partition 1 has said nothing"
        await world.send(topic, watermark(3, 1), partition=1)
        assert await books.wait(books.watermark, timeout_s=20) == at(3)
        await world.send(topic, watermark(9, 1), partition=1)
        assert await books.wait(lambda: books.watermark() == at(5), timeout_s=20)


async def test_keep_and_key_choose_what_is_remembered(world: World) -> None:
    topic = await world.topic("orders.v1")
    heard: list[str] = []
    values = LatestValues[TradingHalted](
        world.kafka, topic, lambda event: int(event.reason) % 10, keep=lambda event: int(event.reason) < 20,
        on_event=lambda event: heard.append(event.reason),
    )  # fmt: skip
    await world.send(topic, halted(1), halted(11), halted(21), halted(5))
    async with values:
        assert {event.reason for event in values.values()} == {"11", "5"}
        assert cast(TradingHalted, values.get(1)).reason == "11"
    assert heard == ["1", "11", "21", "5"]


async def test_changes_begin_with_the_call_and_miss_nothing(world: World) -> None:
    topic = await world.topic("market.marks.v1")
    await world.send(topic, mark(1))
    async with LatestValues[MarkUpdated](world.kafka, topic) as marks:
        changes: AsyncIterator[Any] = marks.changes()
        await world.send(topic, mark(2), watermark(2), mark(3))
        async with asyncio.timeout(20):
            assert [(event.type, event.at) for event in [await anext(changes) for _ in range(3)]] == [
                ("mark_updated", at(2)), ("time_advanced", at(2)), ("mark_updated", at(3)),
            ]  # fmt: skip


async def test_records_sent_twice_and_broken_ones_change_nothing(world: World) -> None:
    topic = await world.topic("market.marks.v1")
    await world.send(topic, mark(1, price=1), mark(2, price=2), source="feed")
    world.sequences.clear()
    await world.send(topic, mark(1, price=1), source="feed")
    await world.raw(topic, b"{", [("ce_type", b"arena.mark_updated")], key=ETH.encode())
    async with LatestValues[MarkUpdated](world.kafka, topic) as marks:
        assert [value.mark_price for value in marks.values()] == [2]


async def test_the_end_of_the_reader_is_told_to_who_waits(world: World) -> None:
    topic = await world.topic("orders.v1")

    def refuse(_event: OrderEvent) -> None:
        raise ZeroDivisionError("a bug")

    async with LatestValues[Any](world.kafka, topic, on_event=refuse) as values:
        waiting = asyncio.create_task(values.wait(lambda: values.get("nobody"), timeout_s=20))
        await world.send(topic, halted(1))
        with pytest.raises(ZeroDivisionError):
            await waiting
