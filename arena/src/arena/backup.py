"""`arena backup`: the database in one snapshot, and every object it may name, while the arena runs or stands still."""

import asyncio
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from chassis.bus import cluster_id
from contracts.topics import SERVICES, TOPICS
from sqlalchemy.engine import make_url

from arena.backup_manifest import DATABASE, FORMAT, OBJECTS, STARTED_WITH, Manifest, described
from arena.datadir import DataDir
from arena.exits import Exit, Stopped
from arena.options import EMBEDDED
from arena.reading import whole_topics
from arena.stack.kafka import EmbeddedKafka
from arena.stack.postgres import EmbeddedPostgres, binaries

Say = Callable[[str], None]
SCHEMAS = [service.replace("-", "_") for service in SERVICES]


class Parts(NamedTuple):
    kafka: str
    postgres: str


async def backup(folder: DataDir, out: Path, say: Say) -> dict[str, Any]:
    """Raises Stopped. `out` appears whole or not at all."""
    began = time.monotonic()
    with _whole(out) as scratch:
        manifest, objects = await _taken(folder, scratch, say)
    return {
        "backup": str(out), "taken_at": manifest.taken_at, "format": FORMAT, "objects": objects,
        "bytes": sum(file["bytes"] for file in manifest.files.values()),
        "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    if out.exists():
        raise Stopped(Exit.USAGE, f"{out} is there already: a backup overwrites nothing")
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield scratch
        scratch.rename(out)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


async def _taken(folder: DataDir, scratch: Path, say: Say) -> tuple[Manifest, int]:
    async with parts_of(folder) as parts:
        ends = await _ends(parts.kafka)  # before the snapshot: what it had not said yet lies beyond
        cluster, taken_at = await cluster_id(parts.kafka), datetime.now(UTC).isoformat()
        say("copying the database")
        only = [f"--schema={schema}" for schema in SCHEMAS]
        await run_client("pg_dump", parts.postgres, "--format=custom", f"--file={scratch / DATABASE}", *only)
    say("copying the objects")  # after the snapshot: an object is stored before anything is derived from it
    objects = await asyncio.to_thread(_pack, folder.objects, scratch / OBJECTS)
    for name in STARTED_WITH:
        shutil.copyfile(folder.path / name, scratch / name)
    say("writing the checksums")
    files = {name: await asyncio.to_thread(described, scratch / name) for name in (DATABASE, OBJECTS, *STARTED_WITH)}
    manifest = Manifest(FORMAT, taken_at, cluster, ends, files)
    manifest.write(scratch)
    return manifest, objects


@asynccontextmanager
async def parts_of(folder: DataDir) -> AsyncIterator[Parts]:
    """Broker and database of the arena: those that run, else they are started for as long as this takes."""
    try:
        options = folder.options()
    except FileNotFoundError:
        raise Stopped(Exit.DATA_DIR, f"{folder.path} holds no arena") from None
    kafka, postgres, running = options["kafka"], options["postgres"], folder.running()
    async with AsyncExitStack() as stack:
        if running is not None:
            kafka = running.kafka
        elif kafka == EMBEDDED:
            kafka = (await stack.enter_async_context(EmbeddedKafka(folder.kafka))).bootstrap
        if postgres == EMBEDDED:
            server = EmbeddedPostgres(folder.postgres)
            postgres = server.running_dsn if running is not None else (await stack.enter_async_context(server)).dsn
        yield Parts(kafka, postgres)


async def _ends(kafka: str) -> dict[str, dict[str, int]]:
    async with whole_topics(kafka, list(TOPICS)) as consumer:
        found: dict[str, dict[str, int]] = {}
        for where, end in sorted((await consumer.end_offsets(consumer.assignment())).items()):
            found.setdefault(where.topic, {})[str(where.partition)] = end
        return found


async def run_client(program: str, dsn: str, *arguments: str) -> None:
    """pg_dump or pg_restore. The password goes by the environment: arguments are for everybody to read."""
    url = make_url(dsn)
    env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGPASSWORD": str(url.password or "")}
    where = url._replace(drivername="postgresql", password=None).render_as_string()
    options = [f"--dbname={where}", "--no-owner", "--no-privileges", *arguments]
    process = await asyncio.create_subprocess_exec(
        str(binaries() / program), *options,
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        _, said = await process.communicate()
    except BaseException:
        process.kill()
        raise
    if process.returncode != 0:
        raise Stopped(Exit.PART, f"{program} failed: {said.decode(errors='replace')[-2000:]}")


def _pack(objects: Path, out: Path) -> int:
    """How many. One that is being written is nobody's yet."""
    count = 0
    with tarfile.open(out, "w") as tar:
        for path in sorted(objects.rglob("*")) if objects.is_dir() else ():
            if path.is_file() and path.suffix != ".partial":
                tar.add(path, path.relative_to(objects).as_posix(), recursive=False)
                count += 1
    return count
