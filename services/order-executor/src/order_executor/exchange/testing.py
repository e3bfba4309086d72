"""For tests: the exchange side on PostgreSQL and the fake exchange: the step's order of effects, without Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import asyncpg
from chassis.health import Health
from chassis.rows import writing
from chassis.telemetry import Telemetry
from contracts.base import Event
from contracts.executions import OrderFilled
from contracts.orders import OrderApproved
from exchanges.fake.running import Controls

from order_executor.exchange.core import AccountKey, Order
from order_executor.exchange.core.ids import client_order_id
from order_executor.exchange.side import ExchangeSide
from order_executor.settings import Settings

TURNS_APART_S = 0.01
WITHIN_S = 20.0


def quick(url: str, **changes: Any) -> Settings:
    """Conclusive 0.5 + 0.5 + 0.3 s after a sending, by two looks."""
    fields: dict[str, Any] = {
        "exchange_url": url, "exchange_seasons": ("s1",), "exchange_window_s": 0.5, "exchange_answer_s": 0.5,
        "exchange_visible_s": 0.3, "exchange_ask_s": 0.1, "exchange_valid_s": 10, "exchange_human_s": 60,
        "exchange_poll_s": 0.3, "exchange_silent_s": 0.6, "exchange_burst": 1000, "exchange_per_second": 1000,
        "log_level": "error",
    }  # fmt: skip
    return Settings(**(fields | changes))


class Bench:
    """One life of the executor. What it committed the next life finds; what it only knew dies with it."""

    def __init__(self, dsn: str, controls: Controls, settings: Settings) -> None:
        self.controls, self.settings, self._dsn = controls, settings, dsn
        self.side = ExchangeSide(settings)
        self.told: list[Event] = []
        """Committed: what the rest of the arena has."""
        self.ready: Callable[[], bool] = lambda: False
        self.registry: Any = None
        self.metrics: Any = None
        self._committing = False

    @property
    def venue(self) -> Any:
        return self.side.venue

    async def run(self, stack: AsyncExitStack) -> None:
        db = await asyncpg.connect(self._dsn)
        stack.push_async_callback(db.close)
        pool = await stack.enter_async_context(asyncpg.create_pool(self._dsn, min_size=1, max_size=2))
        await self.venue.load(db, 0)
        health, telemetry = Health(), Telemetry("test", self.settings)
        self.registry = telemetry.registry

        async def get_pool() -> Any:
            return pool

        resources: Any = SimpleNamespace(pool=get_pool, telemetry=telemetry, health=health)
        running = await stack.enter_async_context(self.side.open(resources))
        self.metrics = running.metrics
        self.ready = lambda: health.loops["exchange"].is_ready
        turning = asyncio.create_task(self._turn(db, running.running))
        stack.push_async_callback(_ended, turning)

    async def _turn(self, db: Any, running: "asyncio.Task[None]") -> None:
        while True:
            if running.done():
                running.result()
            self._committing = True
            told = self.venue.heard(0)
            if told is not None:
                async with writing(db) as out:
                    self.venue.save(out)
                self.told += told
            self._committing = False
            await asyncio.sleep(TURNS_APART_S)

    def own(self, *events: Any) -> None:
        """From the risk gate."""
        for event in events:
            self.told += self.venue.own(0, event)

    async def until(self, done: Callable[[], bool], within_s: float = WITHIN_S) -> None:
        """And committed."""
        async with asyncio.timeout(within_s):
            while self.venue.desks[0].changed or self._committing or not done():  # noqa: ASYNC110  # tells nobody
                await asyncio.sleep(TURNS_APART_S)

    def order(self, event: OrderApproved) -> Order:
        found = self.venue.desks[0].order(client_order_id(event.event_id))
        assert found is not None
        return found  # type: ignore[no-any-return]

    async def until_state(self, event: OrderApproved, *states: str, within_s: float = WITHIN_S) -> None:
        await self.until(lambda: self.order(event).state in states, within_s)

    def of(self, event: OrderApproved) -> list[str]:
        """The types of what was told of an order."""
        about = (each for each in self.told if getattr(each, "order_id", None) == event.event_id)
        return [each.type for each in about]  # type: ignore[attr-defined]

    def position(self, key: AccountKey, instrument: str) -> Decimal:
        account = self.venue.account(key)
        return account.positions.get(instrument, Decimal(0)) if account else Decimal(0)


@asynccontextmanager
async def life(dsn: str, controls: Controls, **changes: Any) -> AsyncIterator[Bench]:
    bench = Bench(dsn, controls, quick(controls.url, **changes))
    async with AsyncExitStack() as stack:
        await bench.run(stack)
        yield bench


async def _ended(task: "asyncio.Task[None]") -> None:
    """Its failure is the test's."""
    task.cancel()
    (ended,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(ended, Exception):
        raise ended


async def placed(controls: Controls, account: str, event: OrderApproved | None = None) -> list[dict[str, Any]]:
    """The venue orders that really exist, of one intent or of all."""
    known = (await controls.truth())["accounts"].get(account, {"orders": []})["orders"]
    name = client_order_id(event.event_id) if event is not None else None
    return [order for order in known if name in (None, order["client_order_id"])]


async def agrees(dsn: str, controls: Controls, account: str, told: Sequence[Event]) -> None:
    """Each trade of the venue's is in the record and was told, once; and each intent has one order at most."""
    truth = (await controls.truth())["accounts"].get(account, {"orders": [], "trades": []})
    season, competitor = account.split(".")
    db = await asyncpg.connect(dsn)
    try:
        rows = await db.fetch(
            "select trade_id, abs(quantity) as quantity from exchange_trades "
            "where season_id = $1 and competitor_id = $2",
            season, competitor,
        )  # fmt: skip
    finally:
        await db.close()
    wanted = {trade["trade_id"]: Decimal(trade["quantity"]) for trade in truth["trades"]}
    assert {row["trade_id"]: row["quantity"] for row in rows} == wanted
    fills = [event for event in told if isinstance(event, OrderFilled) and event.competitor_id == competitor]
    assert len({fill.trade_id for fill in fills}) == len(fills), "told once"
    assert sorted(fill.quantity for fill in fills) == sorted(wanted.values())
    names = [order["client_order_id"] for order in truth["orders"]]
    assert len(names) == len(set(names)), "one venue order an intent"
