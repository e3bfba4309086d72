"""The exchange side on PostgreSQL against a fake exchange that is a process of its own."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from exchanges.fake.running import Controls, fake_exchange
from order_executor.exchange.testing import agrees, life, placed
from order_executor.testing import BTC, ETH, T0, D, cancel, order
from prometheus_client import generate_latest


def now_s() -> float:
    return (datetime.now(UTC) - T0).total_seconds()


async def test_an_order_goes_out_is_filled_and_the_books_and_the_metrics_say_so(dsn: str, exchange: Controls) -> None:
    async with life(dsn, exchange) as bench:
        assert not bench.ready()
        await bench.until(bench.ready)
        buy = order(1, "buy", "2", now_s(), competitor_id="plain")
        bench.own(buy)
        await bench.until_state(buy, "filled")
        bench.metrics.tell(bench.venue)

        assert bench.of(buy) == ["order_accepted", "order_filled"]
        assert bench.position(("s1", "plain"), BTC) == D(2)
        await agrees(dsn, exchange, "s1.plain", bench.told)
        assert b'arena_exchange_orders{state="filled"} 1.0' in generate_latest(bench.registry)


async def test_nothing_is_sent_while_the_venue_cannot_be_asked(dsn: str, exchange: Controls) -> None:
    """A failed query is not `flat`."""
    await exchange.fault("drop", "holdings", times=5)
    async with life(dsn, exchange) as bench:
        buy = order(1, "buy", "2", now_s(), competitor_id="asked")
        bench.own(buy)
        await bench.until(lambda: bench.side.clock.is_measured and bench.venue.account(("s1", "asked")) is not None)
        assert not bench.ready()
        assert await placed(exchange, "s1.asked") == []
        await bench.until_state(buy, "filled")


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_under_faults_drawn_from_a_seed_every_order_ends_and_the_books_agree(dsn: str, seed: int) -> None:
    chance = random.Random(seed)
    async with fake_exchange(seed) as controls, life(dsn, controls, exchange_valid_s=60) as bench:
        orders: list[Any] = []
        for n in range(1, 11):
            limit = chance.choice([{}, {"limit": "99"}])
            instrument = chance.choice([BTC, ETH])
            orders.append(order(n, "buy", "1", now_s(), competitor_id="drawn", instrument=instrument, **limit))
            bench.own(orders[-1])
            await bench.until_state(orders[-1], "open", "filled", "cancelled", "unknown", "rejected")
        await controls.behave()
        bench.own(cancel(99, now_s(), competitor_id="drawn"))
        await bench.until(lambda: all(bench.order(each).is_final for each in orders), within_s=30)

        await agrees(dsn, controls, "s1.drawn", bench.told)
        account = bench.venue.account(("s1", "drawn"))
        held = (await controls.truth())["accounts"]["s1.drawn"]["holdings"]
        assert {name: D(quantity) for name, quantity in held.items()} == account.positions
