"""Wires market-data. Run: `python -m market_data`."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from chassis.bus import cluster_id
from chassis.service import Resources, service_app
from chassis.worker import ensure_same_broker
from contracts.competition import SeasonChanged
from exchanges.venue import Venue
from starlette.applications import Starlette

from market_data.assembly import assemble, open_venue
from market_data.handlers import RoundClosings, Seasons, until
from market_data.metrics import Metrics
from market_data.settings import Settings
from market_data.store import Store, opened
from market_data.waiting import unless_stopped

SERVICE = "market-data"


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    venue = open_venue(settings)

    async def run(resources: Resources) -> None:
        async with AsyncExitStack() as stack:
            await ensure_same_broker(await resources.connect(), await cluster_id(settings.kafka), SERVICE)
            store = await stack.enter_async_context(opened(settings.postgres))
            await _lead(resources, settings, venue, store, stack)

    return service_app(SERVICE, settings, run=run)


async def _lead(resources: Resources, settings: Settings, venue: Venue, store: Store, stack: AsyncExitStack) -> None:
    """Wait to be the one that leads the venue, and for a season; run the feed; stay when it has ended."""
    stopping, turned = resources.stopping, resources.health.loops["loop"].turned
    metrics = Metrics(resources.telemetry.registry, venue)
    if not await store.lead(venue.name, stopping, turned):
        return
    season = await _season(settings, stopping, turned, stack)
    if season is None:
        return
    closings = RoundClosings(settings.kafka, season.season_id, turned)
    await stack.enter_async_context(closings.reader)
    runner, listed, desk = await assemble(resources, settings, venue, store, season, closings, metrics)
    if season.clock == "live" and settings.news:
        reading = asyncio.create_task(desk.keep_reading(settings.news_apart_s))
        resources.watch(reading, resources.health.loop("news"))
        stack.callback(reading.cancel)
    resources.health.loops["loop"].ready()
    if await runner.run(listed):
        metrics.feed_ended.set(1)
        resources.telemetry.log.info("feed ended", through=runner.through.isoformat(), defects=str(venue.defects))
        await _stay(stopping, turned)


async def _season(
    settings: Settings, stopping: asyncio.Event, turned: Callable[[], None], stack: AsyncExitStack
) -> SeasonChanged | None:
    """None where the process is asked to stop before there is one."""
    seasons = Seasons(settings.kafka, settings.season)
    await stack.enter_async_context(seasons.reader)
    found = asyncio.ensure_future(until(seasons.reader, seasons.current, turned))
    return found.result() if await unless_stopped(stopping, found) else None


async def _stay(stopping: asyncio.Event, turned: Callable[[], None]) -> None:
    """The feed is over, the process is not: it goes on saying so."""
    while await unless_stopped(stopping, asyncio.sleep(1)):
        turned()
