"""A stage whose database or broker goes away under it: nothing is acknowledged too early, nothing goes out twice."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import pytest
from arena.chaos.proxy import Proxy
from arena.stack.kafka import EmbeddedKafka, Place, new_cluster_id
from arena.stack.processes import LOOPBACK, free_port, until
from arena.stack.training import ensure_aot_cache
from chassis.publish import Out
from chassis.service import Resources, stage_app
from chassis.settings import ServiceSettings
from chassis.step import Connection, Partition, Writing
from chassis.testing import World, halted, running
from contracts.base import Event
from contracts.orders import TradingHalted, TradingResumed

WITHIN_S = 30


class Site(NamedTuple):
    world: World
    """Past the proxies."""
    kafka: Proxy
    postgres: Proxy
    settings: ServiceSettings
    """Through them."""


@pytest.fixture(scope="module")
async def detour(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[EmbeddedKafka, Proxy]]:
    await ensure_aot_cache()
    place = Place(1, free_port(), free_port(), free_port(), (free_port(),), new_cluster_id())
    proxy = Proxy(place.advertised, place.port)
    await proxy.start()
    async with EmbeddedKafka(tmp_path_factory.mktemp("detour"), place=place) as broker:
        yield broker, proxy
    await proxy.stop()


@pytest.fixture
async def site(detour: tuple[EmbeddedKafka, Proxy], postgres: str, tmp_path: Path) -> AsyncIterator[Site]:
    broker, kafka = detour
    world = World(broker.bootstrap, postgres, tmp_path)
    await world.start()
    parts = urlsplit(world.dsn)
    proxy = Proxy(free_port(), parts.port or 0)
    await proxy.start()
    dsn = urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{proxy.port}"))
    yield Site(world, kafka, proxy, ServiceSettings(kafka=f"{LOOPBACK}:{kafka.port}", postgres=dsn))
    await proxy.stop()
    await world.stop()


class Echo:
    """Says one event for each; `saving` is called in every transaction."""

    def __init__(self, topic: str, saving: Callable[[], None] = lambda: None) -> None:
        self._topic, self._saving = topic, saving

    async def load(self, db: Connection, partition: Partition) -> None: ...

    async def prepare(self, events: Sequence[Event]) -> None: ...

    def decide(self, partition: Partition, event: Event) -> Sequence[Any]:
        assert isinstance(event, TradingHalted)
        said = TradingResumed(
            event_id=event.child_id(0),
            at=event.at,
            season_id="s",
            competitor_id=event.competitor_id,
            reason=event.reason,
        )
        return [Out(said, self._topic)]

    async def save(self, out: Writing) -> None:
        self._saving()


async def reasons(world: World, topic: str, wanted: int) -> list[str]:
    """Every record of the topic, repeats too."""
    return [json.loads(record.value)["reason"] for record in await world.records(topic, wanted, repeats=True)]


async def position(world: World) -> tuple[int, bool]:
    """(next offset, whether outputs are staged)."""
    ((offset, staged),) = await world.fetch("select next_offset, staged <> '\\x90' from step_position")
    return offset, staged


async def until_failed(resources: Resources) -> BaseException:
    ended = asyncio.Event()
    resources.on_end = ended.set
    if not resources.ended:
        await asyncio.wait_for(ended.wait(), WITHIN_S)
    assert resources.failure is not None
    return resources.failure


async def test_without_postgres_a_stage_acknowledges_nothing_and_ends_and_the_next_one_goes_on(site: Site) -> None:
    world = site.world
    given, said = await world.topic("orders.v1"), await world.topic("orders.v1", tag="-said")
    app = stage_app(world.service, site.settings, topics=[given], stage=Echo(said))
    async with running(app) as resources:
        await world.send(given, halted(1))
        assert await reasons(world, said, 1) == ["1"]
        await site.postgres.stop()
        await until_failed(resources)  # though it has nothing to do at the moment
        await world.send(given, halted(2))
    assert (await position(world))[0] == 1, "the second record was not acknowledged"

    await site.postgres.start()
    async with running(stage_app(world.service, site.settings, topics=[given], stage=Echo(said))):
        await world.send(given, halted(3))
        told = await world.records(said, 3)
    assert len(told) == 3


async def test_without_kafka_what_was_committed_waits_and_goes_out_once(site: Site) -> None:
    world = site.world
    given, said = await world.topic("orders.v1"), await world.topic("orders.v1", tag="-said")

    def gone() -> None:
        site.kafka.black_hole(True)  # after the input was read, before the output is sent

    async with running(stage_app(world.service, site.settings, topics=[given], stage=Echo(said, gone))):
        await world.send(given, halted(1))
        assert await until(lambda: _committed(world), WITHIN_S)
        assert await position(world) == (1, True)
        with pytest.raises(TimeoutError):
            await world.records(said, 1, within_s=0.5)
        site.kafka.heal()
        assert await reasons(world, said, 1) == ["1"]


async def _committed(world: World) -> bool:
    return bool(await world.fetch("select from step_position where next_offset > 0"))
