"""`arena restore`: an older database beside newer topics; the stages then catch up to the same books.

What the topics hold already, no stage says again: chassis/said.py. This module finds out what that is.
"""

import asyncio
import shutil
import tarfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import msgpack
from aiokafka import AIOKafkaConsumer, TopicPartition
from chassis.said import Said
from chassis.step import Connection, Partition
from contracts.portfolios import PortfolioUpdated
from contracts.topics import SERVICES, TOPICS

from arena import backup_manifest
from arena.backup import SCHEMAS, Say, run_client
from arena.backup_manifest import DATABASE, OBJECTS, STARTED_WITH, Manifest
from arena.datadir import DataDir
from arena.exits import Exit, Stopped
from arena.options import EMBEDDED
from arena.reading import read_latest, records_until, whole_topics
from arena.stack.kafka import EmbeddedKafka
from arena.stack.postgres import EmbeddedPostgres

GO_ON = """
update {schema}.step_position set sequence = $3, staged = '\\x90'
where (topic, partition) = ($1, $2) and sequence < $3
"""
"""What was staged went out: something later did."""
SAID = "with old as (delete from {schema}.step_said) insert into {schema}.step_said values ($1)"


COUNT_ON = """
update pnl_tracker.accounts set seq = greatest(seq, $3) where (season_id, competitor_id) = ($1, $2)
"""
"""Marks cause more portfolios or fewer, as batches fall: readers take the greatest `seq` for the latest."""


@dataclass
class Caused:
    """What the topics hold of one service since the backup."""

    last: dict[Partition, int] = field(default_factory=dict)
    """The greatest number of each input partition."""
    said: Said = field(default_factory=Said)
    records: int = 0


async def restore(backup: Path, folder: DataDir, *, replace: bool, say: Say) -> dict[str, Any]:
    """Raises Stopped; then the database that was there still is."""
    began = time.monotonic()
    say("checking the backup")
    manifest = await asyncio.to_thread(backup_manifest.read, backup)
    _refuse(manifest, folder, replace=replace)
    for name in STARTED_WITH:
        if not (folder.path / name).exists():
            shutil.copyfile(backup / name, folder.path / name)
    fresh = folder.path / "postgres.restoring"
    shutil.rmtree(fresh, ignore_errors=True)  # of a restore that was interrupted
    figures = await _restored(backup, manifest, folder, fresh, say)
    replaced = _swap(folder, fresh)
    objects = await asyncio.to_thread(_unpack, backup / OBJECTS, folder.objects)
    return {
        "restored": str(folder.path), "taken_at": manifest.taken_at, "replaced": replaced, **figures,
        "objects_added": objects, "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def _refuse(manifest: Manifest, folder: DataDir, *, replace: bool) -> None:
    if (running := folder.running()) is not None:
        raise Stopped(Exit.DATA_DIR, f"an arena runs in {folder.path} (pid {running.pid}): `arena down` stops it")
    options = folder.options() if (folder.path / "options.json").exists() else {}
    if options.get("postgres", EMBEDDED) != EMBEDDED or options.get("kafka", EMBEDDED) != EMBEDDED:
        raise Stopped(Exit.USAGE, "this restores the embedded parts only: docs/guides/backup.md says how others are")
    cluster = folder.kafka / "cluster-id"
    if not cluster.exists() or cluster.read_text() != manifest.kafka_cluster:
        raise Stopped(
            Exit.DATA_DIR,
            f"{folder.path} does not have the topics that belong to this backup (Kafka cluster "
            f"{manifest.kafka_cluster}): positions count in them",
        )
    if folder.postgres.exists() and not replace:
        raise Stopped(
            Exit.DATA_DIR, f"{folder.postgres} holds a database: --replace moves it aside, nothing is deleted"
        )


async def _restored(backup: Path, manifest: Manifest, folder: DataDir, fresh: Path, say: Say) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        say("starting broker and database")
        postgres = await stack.enter_async_context(EmbeddedPostgres(fresh))
        kafka = await stack.enter_async_context(EmbeddedKafka(folder.kafka))
        say("restoring the database")
        await run_client("pg_restore", postgres.dsn, "--exit-on-error", str(backup / DATABASE))
        db = await asyncpg.connect(postgres.dsn)
        stack.push_async_callback(db.close)
        async with whole_topics(kafka.bootstrap, list(TOPICS)) as consumer:
            say("looking for what the stages are to take again")
            behind = await _behind(db, consumer)
            say("looking for what the topics hold already")
            caused = await _caused(consumer, manifest)
        portfolios = await read_latest(kafka.bootstrap, [PortfolioUpdated.topic])
        await db.executemany(COUNT_ON, [(each.season_id, each.competitor_id, each.seq) for each in portfolios])
        positions = await _go_on(db, caused)
    return {"positions": positions, "records_to_take_again": behind, "records_not_said_again": sum(
        one.records for one in caused.values())}  # fmt: skip


async def _behind(db: Connection, consumer: AIOKafkaConsumer) -> int:
    """How many own records the stages take again. Raises Stopped where the broker no longer has what one needs."""
    begins = await consumer.beginning_offsets(consumer.assignment())
    ends, behind = await consumer.end_offsets(consumer.assignment()), 0
    for schema in SCHEMAS:
        if not await _has_positions(db, schema):
            continue
        for topic, partition, next_offset, cursor in await db.fetch(
            f"select topic, partition, next_offset, cursor from {schema}.step_position"  # noqa: S608  # one of SERVICES
        ):
            wanted = {TopicPartition(topic, partition): next_offset} | _market(cursor)
            for where, offset in wanted.items():
                _there(schema, where, offset, begins[where], ends[where])
            behind += ends[TopicPartition(topic, partition)] - next_offset
    return behind


def _market(cursor: bytes) -> dict[TopicPartition, int]:
    """Where a timed unit reads the market on: chassis/unit.py."""
    if not cursor:
        return {}
    _, rows = msgpack.unpackb(cursor)
    return {TopicPartition(topic, number): after for topic, number, _, after in rows}


def _there(schema: str, where: TopicPartition, offset: int, begin: int, end: int) -> None:
    what = f"{schema}: {where.topic}[{where.partition}] begins at {begin} and ends at {end}"
    if offset < begin:
        raise Stopped(Exit.DATA_DIR, f"{what}, {offset} is to be read next: the backup is older than the topic is kept")
    if offset > end:
        raise Stopped(Exit.DATA_DIR, f"{what}, {offset} is to be read next: the topics are older than the backup")


async def _caused(consumer: AIOKafkaConsumer, manifest: Manifest) -> Mapping[str, Caused]:
    """By service, from where the topics ended at the backup to where they end now."""
    found: dict[str, Caused] = {}
    ends = await consumer.end_offsets(consumer.assignment())
    for where in ends:
        consumer.seek(where, manifest.ends.get(where.topic, {}).get(str(where.partition), 0))
    async for record in records_until(consumer, ends):
        headers = dict(record.headers)
        cause = _cause(headers.get("ce_source", b"").decode())
        if cause is None:
            continue
        service, where = cause
        caused = found.setdefault(service, Caused())
        caused.last[where] = max(caused.last.get(where, 0), int(headers["ce_sequence"]))
        caused.said.add(record.topic, record.key, headers)
        caused.records += 1
    return found


def _cause(source: str) -> tuple[str, Partition] | None:
    """Of `<service>/<topic>/<partition>`, as the step writes it; other sources do not count in positions."""
    service, _, rest = source.partition("/")
    topic, _, number = rest.rpartition("/")
    return (service, Partition(topic, int(number))) if topic in TOPICS and number.isdecimal() else None


async def _go_on(db: Connection, caused: Mapping[str, Caused]) -> int:
    """Number on from what is there; remember it. Returns how many positions there are."""
    count = 0
    for service, schema in zip(SERVICES, SCHEMAS, strict=True):
        if not await _has_positions(db, schema):
            continue
        count += await db.fetchval(f"select count(*) from {schema}.step_position")  # noqa: S608  # one of SERVICES
        one = caused.get(service, Caused())
        await db.executemany(GO_ON.format(schema=schema), [(*where, last) for where, last in one.last.items()])
        await db.execute(SAID.format(schema=schema), one.said.packed())
    return count


async def _has_positions(db: Connection, schema: str) -> bool:
    return bool(await db.fetchval("select to_regclass($1)", f"{schema}.step_position"))


def _swap(folder: DataDir, fresh: Path) -> str | None:
    aside = None
    if folder.postgres.exists():
        aside = folder.path / f"postgres.replaced-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
        folder.postgres.rename(aside)
    fresh.rename(folder.postgres)
    return str(aside) if aside else None


def _unpack(tar_path: Path, objects: Path) -> int:
    """Adds what is missing, and leaves what is there: an answer that was stored is never asked for again."""
    added = 0
    with tarfile.open(tar_path) as tar:
        for member in tar:
            target = objects / member.name
            if not target.exists():
                tar.extract(member, objects, filter="data")
                added += 1
    return added
