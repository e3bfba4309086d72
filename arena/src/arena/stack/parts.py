"""Broker and database of one arena: its own, or ones that run already."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from chassis.topics import Differs, provision
from contracts.topics import SERVICES, TOPICS

from arena.datadir import DataDir
from arena.exits import Exit, Stopped
from arena.options import EMBEDDED, Options
from arena.stack.jars import Tampered
from arena.stack.kafka import EmbeddedKafka
from arena.stack.postgres import EmbeddedPostgres
from arena.stack.processes import PartFailed, tail
from arena.stack.roles import migrated

COMPETITOR_PARTITIONS, MARKET_PARTITIONS = 4, 2
"""A broker boots faster with few, and one machine has few cores."""


Embedded = EmbeddedKafka | EmbeddedPostgres


@dataclass(frozen=True)
class Foundation:
    kafka: str
    dsns: dict[str, str]
    embedded: tuple[Embedded, ...]

    def check(self) -> None:
        """Raises Stopped where one of our own parts has died."""
        for part in self.embedded:
            if not part.alive:
                raise Stopped(Exit.PART, f"{type(part).__name__} died; the end of {part.log}:\n{tail(part.log)}")


async def found(options: Options, folder: DataDir, stack: AsyncExitStack) -> Foundation:
    """Broker with topics, database with tables; our own end when `stack` is closed."""
    kafka = EmbeddedKafka(folder.kafka) if options.kafka == EMBEDDED else None
    postgres = EmbeddedPostgres(folder.postgres) if options.postgres == EMBEDDED else None
    embedded = tuple(part for part in (kafka, postgres) if part is not None)
    try:
        await _start(embedded, stack)
        bootstrap = kafka.bootstrap if kafka is not None else options.kafka
        dsn = postgres.dsn if postgres is not None else options.postgres
        if not options.resume:
            await _refuse_an_earlier_arenas(bootstrap, dsn)
        async with asyncio.TaskGroup() as both:
            both.create_task(_topics(bootstrap))
            tables = both.create_task(migrated(dsn, SERVICES, folder.secrets))
    except Exception as error:
        raise _readable(error) from None
    return Foundation(bootstrap, tables.result(), embedded)


def _readable(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    foreseen = (PartFailed, Tampered, KafkaError, OSError, asyncpg.PostgresError, Differs)
    return Stopped(Exit.PART, f"{type(error).__name__}: {error}") if isinstance(error, foreseen) else error


async def _start(parts: Sequence[Embedded], stack: AsyncExitStack) -> None:
    for part in parts:
        stack.push_async_callback(part.stop)
    async with asyncio.TaskGroup() as starts:
        for part in parts:
            starts.create_task(part.start())


async def _topics(kafka: str) -> None:
    await provision(kafka, competitor_partitions=COMPETITOR_PARTITIONS, market_partitions=MARKET_PARTITIONS)


async def _refuse_an_earlier_arenas(kafka: str, dsn: str) -> None:
    """Before anything is created. Our own were emptied; what belongs to somebody else is never emptied."""
    way_out = "--resume goes on with it, or take another"
    if topics := sorted(TOPICS.keys() & await _topics_of(kafka)):
        raise Stopped(Exit.PART, f"Kafka at {kafka} has an earlier arena's topics ({topics[0]} …): {way_out}")
    if schemas := await _schemas(dsn):
        raise Stopped(Exit.PART, f"the database has an earlier arena's schemas ({schemas[0]} …): {way_out}")


async def _topics_of(kafka: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    try:
        await admin.start()
        return set(await admin.list_topics())
    finally:
        await admin.close()


async def _schemas(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        wanted = [service.replace("-", "_") for service in SERVICES]
        rows = await connection.fetch("select nspname from pg_namespace where nspname = any($1) order by 1", wanted)
        return [row["nspname"] for row in rows]
    finally:
        await connection.close()
