"""Wires the competition. Run: `python -m competition`."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

import asyncpg
from chassis.latest import LatestValues
from chassis.service import Background, Resources, stage_app
from contracts.base import Event
from contracts.competition import SeasonChanged
from starlette.applications import Starlette

from competition.core import Season
from competition.handlers import SeasonStage, topics
from competition.registry import announcements, missing
from competition.season_file import SeasonFile, read_season
from competition.settings import Settings, start_of

SERVICE = "competition"
WRITER_LOCK = 0x6E6F6631
"""Of this database: whoever holds it writes the season."""


class SecondWriter(Exception):
    """Another process holds the season; there is one writer."""


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    file = read_season(settings.season)
    stage = SeasonStage(file.season_id)
    background = [single_writer(settings), announcer(settings, file, stage)]
    return stage_app(SERVICE, settings, topics=topics(file.clock), stage=stage, background=background)


def single_writer(settings: Settings) -> Background:
    """Held on a connection of its own: Postgres lets go of it when the process dies, however it dies."""

    @asynccontextmanager
    async def hold(resources: Resources) -> AsyncIterator[None]:
        db = await resources.connect()
        try:
            await db.execute("select pg_advisory_lock($1)", WRITER_LOCK, timeout=settings.writer_wait_s)
        except (TimeoutError, asyncpg.QueryCanceledError):
            raise SecondWriter(f"not free after {settings.writer_wait_s} s: run one instance of {SERVICE}") from None
        yield

    return hold


def announcer(settings: Settings, file: SeasonFile, stage: SeasonStage) -> Background:
    """Before the first record is read: the season is on its topic, in full, and as it was announced first."""

    def enter(resources: Resources) -> AbstractAsyncContextManager[None]:
        return _announce(resources, settings, file, stage)

    return enter


@asynccontextmanager
async def _announce(
    resources: Resources, settings: Settings, file: SeasonFile, stage: SeasonStage
) -> AsyncIterator[None]:
    async with LatestValues[Event](settings.kafka, SeasonChanged.topic, lambda event: event.key) as latest:
        announced = list(latest.values())
    wanted = announcements(file, start_of(settings, file.starts_at, _announced_start(file, announced)))
    # Each entity is a source of its own: it is announced once, whatever was announced before or after it. All go in one
    # batch: who reads of the season reads of its competitors at once, before market time can stand and wait for them.
    news = [(event, f"{SERVICE}/{event.key}", 1) for event in missing(wanted, announced)]
    await resources.publisher.send_numbered(news)
    season = wanted[0]
    assert isinstance(season, SeasonChanged)
    stage.season = Season(season, tuple(entry.competitor_id for entry in file.competitors if entry.active))
    resources.telemetry.log.info("season announced", season=season.season_id, starts_at=season.starts_at.isoformat())
    yield


def _announced_start(file: SeasonFile, announced: list[Event]) -> datetime | None:
    starts = [
        event.starts_at for event in announced if isinstance(event, SeasonChanged) and event.season_id == file.season_id
    ]
    return starts[0] if starts else None
