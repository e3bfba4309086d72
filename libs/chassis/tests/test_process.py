"""Exit status and drain of a real process."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx
from chassis.testing import World

SERVICE = """
import asyncio, sys
from chassis.service import serve, service_app
from chassis.settings import ServiceSettings

async def run(resources):
    resources.health.loops["loop"].ready()
    if sys.argv[1] == "fail":
        raise ZeroDivisionError("a bug")
    if sys.argv[1] == "end":
        return
    await resources.stopping.wait()
    await resources.objects.put("drained", b"yes")

class Settings(ServiceSettings):
    model_config = {"env_prefix": "OWN_LOOP_"}

serve(lambda: service_app("own-loop", Settings(), run=run))
"""


async def start(world: World, how: str, folder: Path) -> asyncio.subprocess.Process:
    env = os.environ | {
        "OWN_LOOP_KAFKA": world.kafka,
        "OWN_LOOP_POSTGRES": world.dsn,
        "OWN_LOOP_OBJECT_STORE": folder.as_uri(),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVICE, how, env=env, stderr=asyncio.subprocess.PIPE
    )


async def test_a_loop_that_fails_ends_the_process_with_status_1_and_one_clear_line(
    world: World, tmp_path: Path
) -> None:
    process = await start(world, "fail", tmp_path)
    _, log = await asyncio.wait_for(process.communicate(), 60)
    errors = [line for line in map(json.loads, log.splitlines()) if line["level"] == "error"]
    assert process.returncode == 1
    assert [(line["event"], line["error"]) for line in errors] == [("loop failed", "ZeroDivisionError('a bug')")]


async def test_a_loop_that_has_no_more_to_do_ends_the_process_with_status_0(world: World, tmp_path: Path) -> None:
    process = await start(world, "end", tmp_path)
    await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0


async def test_sigterm_drains_and_ends_with_status_0(world: World, tmp_path: Path) -> None:
    process = await start(world, "wait", tmp_path)
    assert process.stderr is not None
    port = None
    async with asyncio.timeout(60):
        while port is None:
            port = json.loads(await process.stderr.readline()).get("port")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert (tmp_path / "drained").read_bytes() == b"yes"


async def test_a_broker_that_is_not_there_ends_the_process_within_the_bound(world: World, tmp_path: Path) -> None:
    env = os.environ | {"OWN_LOOP_KAFKA": "127.0.0.1:1", "OWN_LOOP_POSTGRES": world.dsn}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVICE, "wait", env=env, stderr=asyncio.subprocess.PIPE
    )
    await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 1
