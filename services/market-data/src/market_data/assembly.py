"""The parts of one run: the venue, the market warmed up, the rounds, and where they were left."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiokafka.partitioner import DefaultPartitioner
from chassis.bus import all_partitions, start_reader
from chassis.publish import acknowledged
from chassis.service import Resources
from contracts.competition import SeasonChanged
from contracts.topics import TOPICS
from contracts.wire import Encoded, encode
from exchanges.news import open_source
from exchanges.recorded import open_recording
from exchanges.synthetic import Synthetic
from exchanges.venue import Venue

from market_data.core.bars import MINUTE, floored
from market_data.core.instrument import HISTORY
from market_data.core.market import Market
from market_data.core.numbering import Numbering, PartitionOf
from market_data.core.rounds import Rounds
from market_data.indicators import compute
from market_data.ingest import preload
from market_data.metrics import Metrics
from market_data.news_desk import NewsDesk
from market_data.outbox import Outbox, Send
from market_data.pace import FactorPace, LivePace
from market_data.runner import Closings, Pace, Plan, Runner
from market_data.settings import Settings
from market_data.store import Progress, Store

LEAD = timedelta(minutes=1)
"""The feed begins so long before round 1, so that there are books and marks."""


def open_venue(settings: Settings) -> Venue:
    if settings.venue == "synthetic":
        return Synthetic(settings.seed, step=timedelta(milliseconds=settings.step_ms))
    return open_recording([Path(path) for path in settings.venue.split(":")[1:]])


async def assemble(
    resources: Resources, settings: Settings, venue: Venue, store: Store, season: SeasonChanged, closings: Closings,
    metrics: Metrics,
) -> tuple[Runner, list[Encoded], NewsDesk]:  # fmt: skip
    """The runner, the records of the instruments with which it begins, and the news that it is handed."""
    saved = await store.progress(venue.name)
    resumed = saved if saved is not None and saved.season_id == season.season_id else None
    live = season.clock == "live"
    start = resumed.start if resumed else _begin(venue, season, live=live)
    through = resumed.through if resumed else start
    plan = Plan(venue.name, season.season_id, start, _end(settings, season), live)
    listings = venue.instruments(start)
    market = _market(settings, venue, [listing.instrument for listing in listings], start, live=live)
    await _warm(market, venue, store, start, resumed)
    opened, closed = (resumed.opened, resumed.closed) if resumed else (0, 0)
    rounds = Rounds(season, start, opened=opened, closed=closed, ends_at=plan.ends_at)
    outbox = Outbox(await _numbering(settings, venue, saved), _send(resources, metrics))
    feed = venue.feed(start, resumed.venue_state.encode() if resumed else None)
    desk = _news_desk(resources, settings, metrics, through, live=live)
    await desk.read()
    runner = Runner(
        plan, feed, market, rounds, outbox, store, _pace(settings, season, live=live), closings, resources.stopping,
        through=through, turned=resources.health.loops["loop"].turned, monotonic=time.monotonic,
        news=desk.due,
    )  # fmt: skip
    metrics.watch(runner)
    metrics.watch_market(market)
    log = resources.telemetry.log.bind(venue=venue.name, season=season.season_id)
    log.info("feed begins", start=start.isoformat(), through=through.isoformat(), opened=opened, closed=closed)
    return runner, [encode(listing) for listing in listings], desk


def _news_desk(resources: Resources, settings: Settings, metrics: Metrics, since: datetime, *, live: bool) -> NewsDesk:
    def failed(source: str, reason: str) -> None:
        metrics.news_failures.inc()
        resources.telemetry.log.warning("news source failed", source=source, reason=reason)

    sources = [open_source(where) for where in settings.news]
    return NewsDesk(sources, since, live=live, now=lambda: datetime.now(UTC), failed=failed)


def _begin(venue: Venue, season: SeasonChanged, *, live: bool) -> datetime:
    """A whole minute, so that the first bar is whole, unless the recording begins within one."""
    if live:
        return floored(datetime.now(UTC), timedelta(seconds=1))
    begin = floored(season.starts_at, MINUTE) - LEAD
    return begin if venue.starts_at is None else max(begin, venue.starts_at)


def _end(settings: Settings, season: SeasonChanged) -> datetime | None:
    """At full speed nothing paces a feed that no round holds: it ends with the season."""
    ends = [] if settings.end_after_s is None else [season.starts_at + timedelta(seconds=settings.end_after_s)]
    if season.ends_at is not None and settings.speed == "max" and season.clock == "lockstep":
        ends.append(season.ends_at)
    return min(ends, default=None)


def _market(settings: Settings, venue: Venue, instruments: Sequence[str], start: datetime, *, live: bool) -> Market:
    return Market(
        venue.name,
        instruments,
        compute,
        begins_at=start,
        book_grid=timedelta(milliseconds=settings.book_grid_ms),
        mark_grid=timedelta(milliseconds=settings.mark_grid_ms),
        silent_after=timedelta(seconds=settings.silent_after_s) if live else None,
    )


async def _warm(market: Market, venue: Venue, store: Store, start: datetime, resumed: Progress | None) -> None:
    """The minutes before the start, as the venue tells them, and those since, as they were written down."""
    await asyncio.to_thread(lambda: preload(market, venue.history(start)))
    if resumed is not None:
        end = floored(resumed.through, MINUTE)
        preload(market, await store.bars(venue.name, max(start, end - HISTORY), end))
        market.load(resumed.market)
    market.settle(resumed.through if resumed else start)


async def _numbering(settings: Settings, venue: Venue, saved: Progress | None) -> Numbering:
    """Sequences go on from those of an earlier season: readers drop what is not above them."""
    partitions = await _partitions(settings.kafka)
    return Numbering(venue.name, partition_of(partitions), partitions, saved.sequences if saved else {})


async def _partitions(kafka: str) -> dict[str, int]:
    names = [name for name, topic in TOPICS.items() if topic.producer == "market-data"]
    reader = await start_reader(kafka)
    try:
        return dict(Counter(where.topic for where in await all_partitions(reader, names)))
    finally:
        await reader.stop()


def partition_of(partitions: Mapping[str, int]) -> PartitionOf:
    """The default partitioner of every Kafka client, and so of chassis.publish."""
    partitioner = DefaultPartitioner()

    def partition(topic: str, key: bytes) -> int:
        numbers = list(range(partitions[topic]))
        return int(partitioner(key, numbers, numbers))

    return partition


def _send(resources: Resources, metrics: Metrics) -> Send:
    async def send(records: Sequence[Encoded]) -> None:
        with resources.telemetry.publish_seconds.time():
            await acknowledged(await resources.publisher.hand_over(records))
        metrics.records.inc(len(records))

    return send


def _pace(settings: Settings, season: SeasonChanged, *, live: bool) -> Pace:
    if live:
        return LivePace(lambda: datetime.now(UTC))
    factor = None if settings.speed == "max" else float(settings.speed)
    return FactorPace(factor, season.starts_at + timedelta(seconds=settings.fast_forward_s), time.monotonic)
