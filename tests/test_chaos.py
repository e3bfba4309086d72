"""`arena chaos`, twenty seconds of it: the course with every kind of fault, on the real stack."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

WITHIN_S = 280


@pytest.mark.long
async def test_a_short_run_of_every_fault_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    figures, told = await chaos(tmp_path, "--minutes", "0.35", "--seed", "11", "--competitors", "6")

    assert (figures["lost"], figures["doubled"], figures["books_balanced"]) == (0, 0, True), told
    assert figures["not_recovered"] == [], told
    assert set(figures["faults"]) == {"kill", "pause", "delay", "cut", "black_hole", "postgres_restart"}
    assert figures["kills"] >= 6
    assert figures["rounds"] > 0
    assert figures["orders"] > 0
    assert figures["fills"] > 0


async def chaos(folder: Path, *options: str) -> tuple[dict[str, Any], str]:
    command = [sys.executable, "-m", "arena", "chaos", "--json", "--data-dir", str(folder / "data"), *options]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            out, err = await process.communicate()
    except BaseException:
        process.kill()  # its children end with it
        raise
    assert out, err.decode()[-4_000:]
    return json.loads(out.decode().splitlines()[-1]), err.decode()[-4_000:]
