"""A timed stage in a live season on a real broker."""

import asyncio
from decimal import Decimal

import pytest
from chassis.season_clock import ClocksDiffer, SeasonClock
from chassis.service import timed_app
from chassis.testing import World, at, book, halted, mark, running
from chassis.testing_timed import Market, Unmerged, app_of
from contracts.base import named_id
from contracts.competition import Clock, SeasonChanged, SeasonRules

BTC, ETH = "BTC-USDT-PERP", "ETH-USDT-PERP"


async def test_no_watermark_is_waited_for_and_a_restart_goes_on_where_the_unit_stood(world: World) -> None:
    own, market = await world.topic("orders.v1"), await Market.of(world)
    await market.mark(0, mark(2, BTC), mark(3, BTC))
    await market.mark(1, mark(1, ETH))
    first = Unmerged()
    async with running(app_of(world, own, market, first, clock="live")):
        await first.until(0, "mark_updated", 3.0, BTC)
        await first.until(0, "mark_updated", 1.0, ETH)
        await world.send(own, halted(1, seconds=4))
        await first.until(0, "own", 4.0, 1)
        await market.quote(0, book(2, BTC))
        await first.until(0, "book_updated", 2.0, BTC)
    await world.send(own, halted(2, seconds=5))
    await market.mark(0, mark(6, BTC))
    second = Unmerged()
    async with running(app_of(world, own, market, second, clock="live")):
        await second.until(0, "own", 5.0, 2)
        await second.until(0, "mark_updated", 6.0, BTC)
    recalled, told = second.of()[:3], second.of()[3:]
    assert recalled == [
        ("recall", "mark_updated", 1.0, ETH),
        ("recall", "book_updated", 2.0, BTC),
        ("recall", "mark_updated", 3.0, BTC),
    ]
    assert sorted(told) == [("mark_updated", 6.0, BTC), ("own", 5.0, 2)]


async def test_until_a_season_is_announced_inputs_wait(world: World) -> None:
    own, market, stage = await world.topic("orders.v1"), await Market.of(world), Unmerged()
    known: list[Clock] = []
    app = timed_app(
        world.service, world.settings, own_topic=own, market_topics=market.topics, stage=stage,
        clock=lambda: known[0] if known else None,
    )  # fmt: skip
    await world.send(own, halted(1))
    await market.mark(0, mark(1))
    await market.time(2)
    async with running(app) as resources:
        while not resources.health.ready():  # noqa: ASYNC110  # the group is ready when it is
            await asyncio.sleep(0.05)
        await world.send(own, halted(2))
        await asyncio.sleep(0.5)
        assert stage.of() == []
        known.append("live")
        await stage.until(0, "own", 0.0, 2)
    assert stage.of() == [("mark_updated", 1.0, BTC), ("own", 0.0, 1), ("own", 0.0, 2)]


def season(name: str, clock: Clock) -> SeasonChanged:
    rules = SeasonRules(
        instruments=(BTC,), capital=Decimal(1), cadence_s=60, deadline_s=30, leverage_max=Decimal(1),
        order_notional_max=Decimal(1), position_notional_max=Decimal(1), price_band=Decimal("0.1"),
    )  # fmt: skip
    return SeasonChanged(
        event_id=named_id("season", name), at=at(0), season_id=name, name=name, venue="test", clock=clock,
        starts_at=at(0), rules=rules, rules_sha256="0" * 64,
    )  # fmt: skip


def test_a_broker_carries_seasons_of_one_clock() -> None:
    clock = SeasonClock()
    assert clock() is None
    clock.learn(season("one", "live"))
    clock.learn(season("two", "live"))
    assert clock() == "live"
    with pytest.raises(ClocksDiffer, match="three is lockstep, two is live"):
        clock.learn(season("three", "lockstep"))
