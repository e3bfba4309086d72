"""A whole arena in a process of its own, as `arena up` starts it, and what it left behind: for tests and benchmarks."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil

from arena.datadir import DataDir, Running
from arena.reading import read_latest, read_topics, whole_topics
from arena.stack.kafka import EmbeddedKafka
from arena.stack.postgres import EmbeddedPostgres
from arena.stack.processes import free_port, until

RUN_S = 240.0
WAIT_S = 120.0


@dataclass(frozen=True)
class Run:
    """A run that came to its end."""

    data_dir: Path
    figures: dict[str, Any]
    """The JSON object on its last line."""
    traces: Path

    async def events(self, *topics: str) -> list[Any]:
        """Every event of the topics, watermarks and repeats apart."""
        async with EmbeddedKafka(self.data_dir / "kafka") as broker:
            return [read.event async for read in read_topics(broker.bootstrap, topics)]

    async def latest(self, *topics: str) -> list[Any]:
        async with EmbeddedKafka(self.data_dir / "kafka") as broker:
            return await read_latest(broker.bootstrap, topics)

    async def query(self, sql: str) -> list[Any]:
        async with EmbeddedPostgres(self.data_dir / "postgres") as server:
            db = await asyncpg.connect(server.dsn)
            try:
                return list(await db.fetch(sql))
            finally:
                await db.close()


Meanwhile = Callable[[Path], Coroutine[Any, Any, None]]
"""What is done to the arena while it runs, given its data folder."""


async def run_arena(data_dir: Path, options: Sequence[str], meanwhile: Meanwhile | None = None) -> Run:
    traces = data_dir.parent / f"{data_dir.name}.traces.jsonl"
    command = [
        sys.executable, "-m", "arena", "up", "--json", "--data-dir", str(data_dir), "--port", str(free_port()),
        "--traces", str(traces), *options,
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, start_new_session=True
    )
    try:
        async with asyncio.timeout(RUN_S), asyncio.TaskGroup() as group:
            ended = group.create_task(process.communicate())
            if meanwhile is not None:
                group.create_task(meanwhile(data_dir))
        out, err = ended.result()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert process.returncode == 0, f"exit {process.returncode}\n{err.decode()[-4000:]}\n{logs(data_dir)}"
    return Run(data_dir, json.loads(out.decode().splitlines()[-1]), traces)


def logs(data_dir: Path, lines: int = 15) -> str:
    """The end of every service's log, for a failure's message."""
    ends = {path.name: path.read_text().splitlines()[-lines:] for path in sorted((data_dir / "logs").glob("*.log"))}
    return "\n".join(f"--- {name}\n" + "\n".join(end) for name, end in ends.items())


async def until_running(data_dir: Path) -> Running:
    async def runs() -> bool:
        return DataDir(data_dir).running() is not None

    running = DataDir(data_dir).running() if await until(runs, WAIT_S) else None
    assert running is not None, f"no arena runs in {data_dir} after {WAIT_S:.0f} s"
    return running


async def until_a_round_closes(data_dir: Path) -> int:
    """The number of the first round that is closed from now on."""
    running = await until_running(data_dir)
    async with asyncio.timeout(WAIT_S), whole_topics(running.kafka, ["rounds.v1"]) as consumer:
        await consumer.seek_to_end()
        async for record in consumer:
            event = json.loads(record.value)
            if event["type"] == "round_closed":
                return int(event["round"])
    raise AssertionError("the topic ended")


async def until_ready(data_dir: Path, service: str) -> None:
    running = await until_running(data_dir)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.ports[service]}") as client:

        async def ready() -> bool:
            try:
                return (await client.get("/readyz")).is_success
            except httpx.TransportError:
                return False

        assert await until(ready, WAIT_S), f"{service} is not ready after {WAIT_S:.0f} s"


async def kill(data_dir: Path, service: str) -> None:
    """SIGKILL to the service's process; returns when it is gone."""
    running = await until_running(data_dir)
    module = service.replace("-", "_")
    (process,) = [child for child in psutil.Process(running.pid).children() if child.cmdline()[-1:] == [module]]
    process.kill()
    await asyncio.to_thread(process.wait, WAIT_S)
