"""A timed stage on a real broker: order of event time, rounds, resuming."""

import asyncio
from typing import Any

import pytest
from chassis.bus import start_member
from chassis.testing import World, at, book, executed, halted, mark, running, watermark
from chassis.testing_timed import Market, Recorder, Unmerged, app_of
from contracts.base import named_id
from contracts.competition import Clock
from contracts.wire import decode
from starlette.applications import Starlette

BTC, ETH = "BTC-USDT-PERP", "ETH-USDT-PERP"


async def test_own_and_market_records_come_in_order_of_event_time_the_market_first_where_equal(world: World) -> None:
    own, market, stage = await world.topic("executions.v1"), await Market.of(world), Recorder()
    await world.send(own, executed(1, seconds=1), executed(2, seconds=2), executed(3, seconds=5), watermark(10))
    await market.mark(1, mark(2, ETH), mark(4, ETH))
    await market.mark(0, mark(1, BTC), mark(2, BTC), mark(6, BTC))
    await market.quote(0, book(2, BTC), book(3, BTC))
    await market.time(5)
    async with running(app_of(world, own, market, stage)):
        await stage.until(0, "passed", 5.0)
        expected = [
            ("mark_updated", 1.0, BTC), ("own", 1.0, 1),
            ("mark_updated", 2.0, BTC), ("mark_updated", 2.0, ETH), ("book_updated", 2.0, BTC), ("own", 2.0, 2),
            ("book_updated", 3.0, BTC), ("mark_updated", 4.0, ETH), ("own", 5.0, 3),
        ]  # fmt: skip
        assert stage.of() == expected
        await market.time(20)
        await stage.until(0, "passed", 10.0)
    assert stage.of() == [*expected, ("mark_updated", 6.0, BTC)]
    assert stage.of(times=True)[-1] == ("passed", 10.0), "own time is 10, though the market's is 20"


async def test_no_time_passes_before_every_market_partition_says_so(world: World) -> None:
    own, market, stage = await world.topic("orders.v1"), await Market.of(world), Unmerged()
    await market.time(1)
    async with running(app_of(world, own, market, stage)):
        await stage.until(0, "passed", 1.0)
        await market.mark(0, mark(2), watermark(3))
        await market.mark(1, mark(2.5, ETH), watermark(4, 1))
        await market.quote(0, watermark(5))
        await world.send(own, halted(1))
        await stage.until(0, "own", 0.0, 1)
        assert stage.of() == [("own", 0.0, 1)], "quotes[1] may still hold something at 2"
        await market.quote(1, book(2), watermark(3, 1))
        await stage.until(0, "passed", 3.0)
    assert stage.of()[1:] == [
        ("mark_updated", 2.0, BTC), ("book_updated", 2.0, BTC), ("mark_updated", 2.5, ETH),
    ]  # fmt: skip


async def test_what_a_feed_sends_again_after_a_restart_is_dropped(world: World) -> None:
    own, market, stage = await world.topic("orders.v1"), await Market.of(world), Unmerged()
    await market.time(0)
    async with running(app_of(world, own, market, stage)):
        for _ in range(2):
            world.sequences.clear()  # the feed begins anew
            await market.time(0)
            await market.mark(0, mark(1), mark(2))
            await market.time(2)
            await market.mark(0, mark(3))
        await market.time(4)
        await stage.until(0, "passed", 4.0)
    assert stage.of() == [("mark_updated", 1.0, BTC), ("mark_updated", 2.0, BTC), ("mark_updated", 3.0, BTC)]


class Held:
    """The own topic's consumer, slow on demand."""

    def __init__(self, consumer: Any) -> None:
        self._consumer, self.released = consumer, asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    async def getmany(self, **options: Any) -> Any:
        polled = await self._consumer.getmany(**options)
        if polled:
            await self.released.wait()
        return polled


@pytest.mark.parametrize("hold", [True, False])
async def test_market_time_beyond_a_closed_round_waits_for_every_order_of_the_round(
    world: World, monkeypatch: pytest.MonkeyPatch, hold: bool
) -> None:
    own, market, stage = await world.topic("orders.v1"), await Market.of(world), Unmerged()
    slow: list[Held] = []

    async def start_slowly(*arguments: Any) -> Held:
        slow.append(Held(await start_member(*arguments)))
        return slow[-1]

    monkeypatch.setattr("chassis.service.start_member", start_slowly)
    await market.mark(0, mark(1))
    await market.time(2)
    async with running(app_of(world, own, market, stage, hold=hold)):
        await stage.until(0, "passed", 2.0)
        await world.send(own, halted(1, seconds=2), halted(2, seconds=2))
        await market.mark(0, mark(3))
        await market.time(4, closed_round=1)
        if hold:
            await world.send(own, halted(3, seconds=2))  # of a later round: it may come whenever it likes
            with pytest.raises(TimeoutError):
                await stage.until(0, "mark_updated", 3.0, BTC, within_s=1.5)
        else:
            await stage.until(0, "mark_updated", 3.0, BTC)
        slow[0].released.set()
        await stage.until(0, "passed", 4.0)
        await stage.until(0, "own", 2.0, 2)
    told = stage.of()
    orders, after = [told.index(("own", 2.0, n)) for n in (1, 2)], told.index(("mark_updated", 3.0, BTC))
    assert (max(orders) < after) is hold, "a stage that does not hold for rounds shows what the barrier is for"


async def test_a_unit_takes_its_orders_by_the_dozen_before_each_rounds_market(world: World) -> None:
    """Many rounds at full speed: the market rushes ahead, the orders of each round still come first."""
    own, market, stage = await world.topic("orders.v1", 2), await Market.of(world), Unmerged()
    await market.time(0)
    rounds = 15
    async with running(app_of(world, own, market, stage, hold=True)):
        for number in range(1, rounds + 1):
            for partition in (0, 1):
                orders = [halted(10 * number + n, f"c{partition}", seconds=10 * number) for n in range(5)]
                await world.send(own, *orders, partition=partition)
            await market.mark(0, mark(10 * number + 1))
            await market.time(10 * number + 5, closed_round=number)
        for partition in (0, 1):
            await stage.until(partition, "passed", 10.0 * rounds + 5)
    for partition in (0, 1):
        told = stage.of(partition)
        assert len(told) == rounds * 6
        for number in range(1, rounds + 1):
            market_at = told.index(("mark_updated", 10.0 * number + 1, BTC))
            mine = [told.index(("own", 10.0 * number, 10 * number + n)) for n in range(5)]
            assert max(mine) < market_at
            assert mine == sorted(mine)


async def test_after_a_restart_the_latest_values_are_recalled_and_nothing_is_handed_over_twice(world: World) -> None:
    own, market = await world.topic("orders.v1"), await Market.of(world)
    await market.mark(0, mark(1, BTC), mark(2, BTC), mark(3, BTC))
    await market.mark(1, mark(1, ETH))
    await market.quote(0, book(2, BTC))
    await market.time(5)
    first = Unmerged()
    async with running(app_of(world, own, market, first)):
        await first.until(0, "passed", 5.0)
    assert len(first.of()) == 5
    await world.send(own, halted(1, seconds=4))
    await market.mark(0, mark(6, BTC))
    second = Unmerged()
    async with running(app_of(world, own, market, second)):
        await second.until(0, "own", 4.0, 1)
        assert second.of() == [
            ("recall", "mark_updated", 1.0, ETH),
            ("recall", "book_updated", 2.0, BTC),
            ("recall", "mark_updated", 3.0, BTC),
            ("own", 4.0, 1),
        ]
        await market.time(7)
        await second.until(0, "passed", 7.0)
    assert second.of()[4:] == [("mark_updated", 6.0, BTC)]
    third = Unmerged()
    async with running(app_of(world, own, market, third)):
        await market.time(8)
        await third.until(0, "passed", 8.0)
    assert sorted(third.of()) == [
        ("recall", "book_updated", 2.0, BTC),
        ("recall", "mark_updated", 1.0, ETH),
        ("recall", "mark_updated", 6.0, BTC),
    ]


async def test_a_merged_unit_resumes_between_two_own_records(world: World) -> None:
    own, market = await world.topic("executions.v1"), await Market.of(world)
    out = await world.topic("executions.v1", tag="-out")
    await market.mark(0, *[mark(n) for n in range(1, 10)])
    await market.time(9)
    await world.send(own, executed(2, seconds=2), watermark(4), executed(6, seconds=6), watermark(7))
    first = Recorder(out)
    async with running(app_of(world, own, market, first)):
        await first.until(0, "passed", 7.0)
    await world.send(own, executed(8, seconds=8), watermark(9))
    second = Recorder(out)
    async with running(app_of(world, own, market, second)):
        await second.until(0, "passed", 9.0)
        said = [decode(out, record.value).detail for record in await world.records(out, 3)]
    expected: list[tuple[Any, ...]] = [("mark_updated", float(n), BTC) for n in range(1, 8)]
    expected.insert(2, ("own", 2.0, 2))
    expected.insert(7, ("own", 6.0, 6))
    assert first.of() == expected
    assert second.of() == [
        ("recall", "mark_updated", 7.0, BTC), ("mark_updated", 8.0, BTC), ("own", 8.0, 8), ("mark_updated", 9.0, BTC),
    ]  # fmt: skip
    assert said == ["2", "6", "8"]


async def test_a_unit_says_its_time_into_the_partition_of_its_number(world: World) -> None:
    own, market = await world.topic("orders.v1", 2), await Market.of(world)
    out = await world.topic("executions.v1", 2, tag="-out")
    stage = Unmerged()
    stage.watermark_topic = out
    async with running(app_of(world, own, market, stage, hold=True)):
        for second in (1, 2, 3):
            await market.time(second, closed_round=second - 1)
            for partition in (0, 1):
                await stage.until(partition, "passed", float(second))
        records = await world.records(out, 6)
    for partition in (0, 1):
        mine = [record for record in records if record.partition == partition]
        events = [decode(out, record.value) for record in mine]
        assert [(event.at, event.partition, event.closed_round) for event in events] == [
            (at(second), partition, second - 1) for second in (1, 2, 3)
        ]
        assert events[0].event_id == named_id(world.service, out, partition, at(1).isoformat())
        assert {dict(record.headers)["ce_source"] for record in mine} == {f"{world.service}/{own}/{partition}".encode()}
        assert [dict(record.headers)["ce_sequence"] for record in mine] == [b"1", b"2", b"3"]


async def test_a_market_record_that_breaks_its_contract_is_passed_over(world: World) -> None:
    own, market, stage = await world.topic("orders.v1"), await Market.of(world), Unmerged()
    broken = mark(2).model_copy(update={"mark_price": at(0)})
    await market.mark(0, mark(1), broken, mark(3))
    await market.time(4)
    app = app_of(world, own, market, stage)
    async with running(app) as resources:
        await stage.until(0, "passed", 4.0)
        assert resources.telemetry.dead_letters.labels(market.topics[1])._value.get() == 1
    assert stage.of() == [("mark_updated", 1.0, BTC), ("mark_updated", 3.0, BTC)]


@pytest.mark.parametrize("clock", ["lockstep", "live"])
async def test_units_move_to_a_second_process_and_back_without_a_loss_or_a_repeat(world: World, clock: Clock) -> None:
    own, market = await world.topic("orders.v1", 4), await Market.of(world)

    def replica(instance: str, stage: Recorder) -> Starlette:
        return app_of(world, own, market, stage, hold=True, clock=clock, instance=instance)

    async def second_of_arena(second: int) -> None:
        for partition in range(4):
            await world.send(own, halted(second, f"c{partition}", seconds=second), partition=partition)
        await market.mark(0, mark(second))
        await market.time(second + 0.5, closed_round=second)

    stages = [Unmerged(), Unmerged()]

    async def all_have(second: int) -> None:
        last = ("own", float(second), second), ("mark_updated", float(second), BTC)
        wanted = {(number, *what) for number in range(4) for what in last}
        async with asyncio.timeout(30):
            while not wanted <= {*stages[0].told, *stages[1].told}:  # noqa: ASYNC110  # two recorders
                await asyncio.sleep(0.05)

    async with running(replica("0", stages[0])):
        for second in range(1, 4):
            await second_of_arena(second)
        await all_have(3)
        async with running(replica("1", stages[1])) as other:
            while not other.health.ready():  # noqa: ASYNC110  # the group is ready when it is
                await asyncio.sleep(0.05)
            for second in range(4, 9):
                await second_of_arena(second)
            await all_have(8)
            shares = [sum("own" in what for what in stage.told) for stage in stages]
    assert min(shares) > 0
    for partition in range(4):
        told = [what for stage in stages for what in stage.of(partition) if what[0] != "recall"]
        expected = [what for n in range(1, 9) for what in (("own", float(n), n), ("mark_updated", float(n), BTC))]
        assert sorted(told) == sorted(expected), partition
