"""What went wrong at others, one test a row of the table of real failures; each on the code that has to withstand it.

The rows of orders run on PostgreSQL against a fake exchange that is a process of its own. Here a request is void half a
second after it was committed, is answered within half a second, and the venue's lists lag by 0.3 s at most.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chassis.keyed_stage import KeyedStage
from chassis.publish import Out
from chassis.service import stage_app
from chassis.testing import World, halted, running
from contracts.base import Event
from contracts.market import BarClosed
from contracts.orders import OrderApproved
from contracts.wire import Encoded, decode
from exchanges.fake.client import FakeTrading
from exchanges.fake.running import Controls
from exchanges.trading import NewOrder, Taken
from market_data.core.market import Market
from market_data.indicators import compute
from order_executor.exchange.core.ids import client_order_id
from order_executor.exchange.testing import Bench, agrees, life, placed
from order_executor.testing import BTC, T0, D, at, cancel, order


def now_s() -> float:
    return (datetime.now(UTC) - T0).total_seconds()


def said_of(records: Sequence[Encoded]) -> list[Any]:
    return [decode(record.topic, record.value, record.headers) for record in records]


def market(competitor: str, n: int = 1, **fields: Any) -> OrderApproved:
    return order(n, "buy", "2", now_s(), competitor_id=competitor, **fields)


def resting(competitor: str, n: int = 1, **fields: Any) -> OrderApproved:
    """Below the fake exchange's price of 100: it waits."""
    return market(competitor, n, limit="99", **fields)


async def by_hand(exchange: Controls, account: str) -> None:
    """Somebody trades on the account besides us: three are bought at market."""
    trading = FakeTrading(exchange.url, account)
    bought = NewOrder("stranger", BTC, "buy", D(3), None, "IOC", False)
    assert isinstance(await trading.place(bought, await trading.server_time(), timedelta(seconds=5)), Taken)
    await trading.close()


async def opened(bench: Bench, event: OrderApproved) -> None:
    bench.own(event)
    await bench.until_state(event, "open")


async def test_01_an_executed_order_whose_answer_is_lost_stays_one_order(dsn: str, exchange: Controls) -> None:
    """hummingbot#493: the timeout was taken for a failure, and the bot ordered again."""
    async with life(dsn, exchange, exchange_poll_s=30) as bench:
        await opened(bench, resting("r01", 9))
        await exchange.fault("lose_answer")
        await exchange.fault("gap", seconds=30)  # nor does the stream tell
        event = resting("r01")
        await opened(bench, event)

        assert bench.of(event) == ["order_unknown", "order_accepted"]
        assert bench.venue.desks[0].prevented == 1
        assert len(await placed(exchange, "s1.r01", event)) == 1


async def test_02_not_found_right_after_the_order_keeps_it_unknown_until_it_is_listed(
    dsn: str, exchange: Controls
) -> None:
    """hummingbot#601: "does not exist" right after create ended the tracking; the duplicates drained the balance."""
    await exchange.fault("hide", seconds=3.0)
    async with life(dsn, exchange, exchange_visible_s=10) as bench:
        event = resting("r02")
        before = (await exchange.truth())["calls"].get("closed", 0)
        bench.own(event)
        await bench.until_state(event, "unknown")
        while (await exchange.truth())["calls"].get("closed", 0) < before + 3:  # looked for in every list
            assert bench.order(event).state == "unknown"
        await bench.until_state(event, "open")

        assert len(await placed(exchange, "s1.r02")) == 1


async def test_03_a_network_error_in_a_question_ends_no_order(dsn: str, exchange: Controls) -> None:
    """hummingbot#8457: six accepted orders were marked failed while the name server was away."""
    async with life(dsn, exchange, exchange_poll_s=30) as bench:
        await opened(bench, resting("r03", 9))
        await exchange.fault("lose_answer")
        await exchange.fault("gap", seconds=30)
        await exchange.fault("drop", "order", times=6)
        event = resting("r03")
        bench.own(event)
        await bench.until_state(event, "unknown")
        assert bench.of(event) == ["order_unknown"]
        await bench.until_state(event, "open")

        assert bench.of(event) == ["order_unknown", "order_accepted"]


async def test_04_a_cancel_whose_answer_is_lost_is_pending_until_its_end_is_seen(dsn: str, exchange: Controls) -> None:
    """hummingbot#3374: cancels lost in network errors; orders believed dead were filled later."""
    async with life(dsn, exchange) as bench:
        event = resting("r04")
        await opened(bench, event)
        await exchange.fault("drop", "cancel", times=2)  # never arrives
        bench.own(cancel(2, now_s(), competitor_id="r04"))
        await bench.until_state(event, "pending_cancel")
        assert "order_cancelled" not in bench.of(event)
        await bench.until_state(event, "cancelled")

        (truth,) = await placed(exchange, "s1.r04")
        assert truth["status"] == "cancelled"


async def test_05_the_stream_confirms_before_the_answer_fails_and_nothing_is_sent_again(
    dsn: str, exchange: Controls
) -> None:
    """nautilus_trader#4215: the stream said accepted, the scheduled retry went out all the same."""
    await exchange.fault("late_answer", seconds=1.0)  # beyond the half second that is waited for it
    async with life(dsn, exchange) as bench:
        event = resting("r05")
        await opened(bench, event)
        before = (await exchange.truth())["calls"]["place"]
        await asyncio.sleep(1.2)  # until the answer's time is over: that nothing happens has no event

        assert bench.of(event) == ["order_accepted"]
        assert (await exchange.truth())["calls"]["place"] == before
        assert bench.order(event).state == "open"


async def test_06_a_warm_restart_with_a_position_makes_up_no_closing_fill(dsn: str, exchange: Controls) -> None:
    """nautilus_trader#4736: a synthetic opposite fill flattened the cached position."""
    async with life(dsn, exchange) as first:
        event = market("r06")
        first.own(event)
        await first.until_state(event, "filled")
    async with life(dsn, exchange) as second:
        await second.until(second.ready)

        assert second.told == []
        assert second.position(("s1", "r06"), BTC) == D(2)


async def test_07_fills_told_again_after_each_restart_are_the_same_fills(dsn: str, exchange: Controls) -> None:
    """nautilus_trader#3046, #3878: fills replayed on restart under new ids."""
    told: list[Any] = []
    event = market("r07")
    async with life(dsn, exchange) as bench:
        bench.own(event)
        await bench.until_state(event, "filled")
        told += bench.told
    for _ in range(2):
        async with life(dsn, exchange) as bench:
            await bench.until(bench.ready)
            told += bench.told

    assert [each.type for each in told] == ["order_accepted", "order_filled"]
    await agrees(dsn, exchange, "s1.r07", told)


async def test_08_restarts_place_nothing(dsn: str, exchange: Controls) -> None:
    """nautilus_trader#3176: orders with random ids were placed again at every restart."""
    event = resting("r08")
    async with life(dsn, exchange) as bench:
        await opened(bench, event)
    before = (await exchange.truth())["calls"]["place"]
    for _ in range(3):
        async with life(dsn, exchange) as bench:
            await bench.until(bench.ready)
            assert bench.order(event).state == "open"

    assert (await exchange.truth())["calls"]["place"] == before


async def test_09_a_working_order_outlives_a_startup_that_finds_a_difference(dsn: str, exchange: Controls) -> None:
    """nautilus_trader#5000: startup reconciliation dropped a working order when fills did not explain the position."""
    event = resting("r09")
    async with life(dsn, exchange) as bench:
        await opened(bench, event)
    await by_hand(exchange, "s1.r09")
    async with life(dsn, exchange) as bench:
        await bench.until(lambda: bench.venue.account(("s1", "r09")).differences != ())

        assert not bench.ready()
        assert bench.order(event).state == "open"
        assert any("is not ours" in each for each in bench.venue.account(("s1", "r09")).differences)
        assert bench.position(("s1", "r09"), BTC) == 0


async def test_10_an_order_still_shown_as_open_after_its_fill_is_not_sold_again(dsn: str, exchange: Controls) -> None:
    """freqtrade#13332: a filled order was still reported open, and the exit went out twice."""
    await exchange.fault("stale_view", seconds=1.0)
    async with life(dsn, exchange) as bench:
        event = market("r10")
        bench.own(event)
        await bench.until_state(event, "filled")
        again = market("r10", 2)
        bench.own(again)
        await bench.until_state(again, "filled")

        assert bench.of(event) == ["order_accepted", "order_filled"]
        assert bench.position(("s1", "r10"), BTC) == D(4)
        assert len(await placed(exchange, "s1.r10")) == 2


async def test_11_cancelled_and_filled_at_once_leaves_the_position_right(dsn: str, exchange: Controls) -> None:
    """freqtrade#1858: the exchange said both."""
    async with life(dsn, exchange) as bench:
        event = resting("r11")
        await opened(bench, event)
        await exchange.fault("race", "cancel")
        bench.own(cancel(2, now_s(), competitor_id="r11"))
        await bench.until(lambda: "order_filled" in bench.of(event))
        await bench.until_state(event, "filled")

        assert bench.position(("s1", "r11"), BTC) == D(2)
        await agrees(dsn, exchange, "s1.r11", bench.told)


async def test_12_partly_filled_and_cancelled_leaves_the_position_of_its_fills(dsn: str, exchange: Controls) -> None:
    """freqtrade#2383, #7444: the full amount stayed in the database, the exit failed for want of funds."""
    async with life(dsn, exchange) as bench:
        event = resting("r12")
        await opened(bench, event)
        await exchange.fill("s1.r12", client_order_id(event.event_id), "0.7")
        await bench.until_state(event, "partially_filled")
        bench.own(cancel(2, now_s(), competitor_id="r12"))
        await bench.until_state(event, "cancelled")

        cancelled = next(each for each in bench.told if getattr(each, "type", "") == "order_cancelled")
        assert cancelled.remaining == D("1.3")  # type: ignore[attr-defined]
        assert bench.position(("s1", "r12"), BTC) == D("0.7")
        await agrees(dsn, exchange, "s1.r12", bench.told)


def test_13_a_bar_is_said_when_it_is_over_and_never_while_it_forms() -> None:
    """freqtrade#13397, #11139: a stalled stream left a forming candle that passed for a closed one."""
    made = Market("made", [BTC], compute, begins_at=T0)
    for second, price in [(1, "100"), (20, "103"), (59, "98")]:
        made.trade(at(second), BTC, str(second), price, "1", "buy")

    while_it_stalls = made.advance(at(59.9))
    assert [each for each in said_of(while_it_stalls) if isinstance(each, BarClosed)] == []
    bars = [each for each in said_of(made.advance(at(60))) if isinstance(each, BarClosed)]
    assert [(each.opened_at, each.close, each.low, each.trades) for each in bars] == [(T0, D(98), D(98), 3)]


async def test_14_a_connected_but_silent_stream_is_given_up_and_what_it_kept_back_is_found(
    dsn: str, exchange: Controls
) -> None:
    """hummingbot#3101, #8250: the feed froze for 45 minutes, no recovery after a clean close."""
    async with life(dsn, exchange, exchange_poll_s=30) as bench:  # too seldom to help
        event = resting("r14")
        await opened(bench, event)
        await exchange.fault("silent_stream", seconds=1.0)
        await exchange.fill("s1.r14", client_order_id(event.event_id), "2")
        await bench.until_state(event, "filled", within_s=5)

        assert bench.of(event) == ["order_accepted", "order_filled"]


async def test_15_after_a_reconnect_the_subscription_is_back_and_the_gap_filled(dsn: str, exchange: Controls) -> None:
    """nautilus_trader#1533, #1933: reconnected without resubscribing."""
    async with life(dsn, exchange, exchange_poll_s=30) as bench:
        event = resting("r15")
        await opened(bench, event)
        await exchange.fault("gap", seconds=0.4)
        await exchange.fault("cut_streams")
        await exchange.fill("s1.r15", client_order_id(event.event_id), "0.5")  # while nobody listens
        await bench.until_state(event, "partially_filled", within_s=5)
        await asyncio.sleep(0.5)  # the gap's end
        await exchange.fill("s1.r15", client_order_id(event.event_id), "1.5")  # told by the new stream
        await bench.until_state(event, "filled", within_s=3)

        await agrees(dsn, exchange, "s1.r15", bench.told)


@pytest.mark.parametrize("offset_s", [2.0, -2.0])
async def test_16_a_clock_that_steps_is_measured_and_trading_goes_on(
    dsn: str, exchange: Controls, offset_s: float
) -> None:
    """freqtrade#9404, #4118; hummingbot#1262: clock drift ended the bot with InvalidNonce."""
    competitor = f"r16{'a' if offset_s > 0 else 'b'}"
    async with life(dsn, exchange, exchange_poll_s=30) as bench:  # not measured again before the venue says no
        await opened(bench, resting(competitor))
        await exchange.set(offset_s=offset_s)
        event = resting(competitor, 2)
        bench.own(event)
        await bench.until_state(event, "open")

        assert bench.side.clock.offset.total_seconds() == pytest.approx(offset_s, abs=0.5)
        assert len(await placed(exchange, f"s1.{competitor}", event)) == 1


async def test_17_after_a_429_nothing_is_sent_until_it_is_welcome(dsn: str, exchange: Controls) -> None:
    """hummingbot#1291, #1754: calls went on after the 429, then the ban; cancels failed."""
    async with life(dsn, exchange, exchange_valid_s=10) as bench:
        await opened(bench, resting("r17"))
        before = (await exchange.truth())["ignored"]
        await exchange.fault("throttle", seconds=1.0)
        event = resting("r17", 2)
        bench.own(event)
        await bench.until_state(event, "open")

        assert (await exchange.truth())["ignored"] <= before + 2, "no more than what was under way"
        assert bench.of(event) == ["order_accepted"], "a throttled order is not an unknown one"


async def test_18_a_handler_that_raises_once_loses_no_message(kafka: str, postgres: str, tmp_path: Path) -> None:
    """faststream#2618, #1980: a failed message was skipped once a later one succeeded."""
    world = World(kafka, postgres, tmp_path)
    await world.start()
    topic, out = await world.topic("orders.v1"), await world.topic("orders.v1", tag="-out")
    raises = {2}

    def decide(tally: dict[str, int], event: Any) -> Sequence[Event | Out]:
        if int(event.reason) in raises:
            raises.clear()
            raise ZeroDivisionError("once")
        tally["n"] = tally.get("n", 0) + 1
        return [Out(halted(int(event.reason), event.competitor_id), out)]

    def life_of_stage() -> Any:
        stage = KeyedStage(dict[str, int], decide)
        return stage_app(world.service, world.settings, topics=[topic], stage=stage, max_records=1)

    try:
        await world.send(topic, *[halted(n) for n in (1, 2, 3)])
        app, ended = life_of_stage(), asyncio.Event()
        async with running(app):
            app.state.resources.on_end = ended.set
            await asyncio.wait_for(ended.wait(), 20)
        async with running(life_of_stage()):  # as the supervisor does
            records = await world.records(out, 3)
        assert [int(decode(out, record.value).reason) for record in records] == [1, 2, 3]
    finally:
        await world.stop()


async def test_19_a_fill_is_booked_once_however_often_it_is_told(dsn: str, exchange: Controls) -> None:
    """QuantDinger#232: a restart booked a fill again from a stale baseline; the ledger doubled."""
    await exchange.fault("double_trades", seconds=30)
    event = market("r19")
    async with life(dsn, exchange) as bench:
        bench.own(event)
        await bench.until_state(event, "filled")
        told = list(bench.told)
    async with life(dsn, exchange) as bench:
        await bench.until(bench.ready)
        await bench.until(lambda: bench.venue.account(("s1", "r19")).watermark is not None)

        await agrees(dsn, exchange, "s1.r19", [*told, *bench.told])


@pytest.mark.parametrize("kind", ["lose_answer", "error_after", "garbage", "late_answer"])
async def test_20_a_market_order_whose_answer_is_lost_is_not_ordered_again(
    dsn: str, exchange: Controls, kind: Any
) -> None:
    """catalyst#317: "Ordering again" after each read timeout. A filled market order frees its id at most venues."""
    competitor = f"r20-{kind.replace('_', '-')}"
    async with life(dsn, exchange, exchange_poll_s=30) as bench:
        await opened(bench, resting(competitor, 9))
        await exchange.fault("gap", seconds=30)
        await exchange.fault(kind, seconds=1.0)
        event = market(competitor)
        bench.own(event)
        await bench.until_state(event, "filled")

        told = bench.of(event)
        if kind == "late_answer" and told[0] != "order_unknown":
            told = ["order_unknown", *told]  # a sweep may find it before its answer is overdue
        assert told == ["order_unknown", "order_accepted", "order_filled"]
        assert len(await placed(exchange, f"s1.{competitor}", event)) == 1
        await agrees(dsn, exchange, f"s1.{competitor}", bench.told)
