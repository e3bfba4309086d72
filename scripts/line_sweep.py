"""Kills a stage before the n-th line of step.py that it executes, for every n, and looks whether that can be seen.

Each stage is started again and plays on to the end of its input; what it then has said and kept must be what a stage
says and keeps that nobody killed. `make line-sweep ARGS="--every 20"`; the last line is one JSON object.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from arena.stack.kafka import EmbeddedKafka
from arena.stack.postgres import EmbeddedPostgres
from chassis.testing_crash import Kind
from chassis.testing_sweep import Sweep

AT_ONCE = 4


async def sweep_kind(sweep: Sweep, kind: Kind, every: int, folder: Path) -> dict[str, Any]:
    counted = folder / kind
    undisturbed = await sweep.stand(kind, "undisturbed", lines_into=str(counted))
    await sweep.play(undisturbed)
    lines = range(1, int(counted.read_text()) + 1, every)
    room, began, done = asyncio.Semaphore(AT_ONCE), time.monotonic(), 0

    async def play(line: int) -> tuple[int, str, bool]:
        nonlocal done
        async with room:
            stand = await sweep.stand(kind, f"line-{line}", line=line)
            killed = await sweep.play(stand) == -9
            done += 1
            print(f"\r{kind}: {done} of {len(lines)}", end="", file=sys.stderr)
            return line, stand.service, killed

    async with asyncio.TaskGroup() as group:
        plays = [group.create_task(play(line)) for line in lines]
    print(file=sys.stderr)
    histories = await sweep.histories()
    expected = histories[undisturbed.service]
    lives = [(line, histories[service], killed) for line, service, killed in (play.result() for play in plays)]
    differ = [line for line, one, _ in lives if (one.said, one.kept) != (expected.said, expected.kept)]
    return {
        "lines": int(counted.read_text()),
        "killed": sum(killed for _, _, killed in lives),
        "sent_again": sum(history.repeats for _, history, _ in lives),
        "different": differ,
        "seconds": round(time.monotonic() - began, 1),
    }


async def main(every: int) -> int:
    with TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            EmbeddedKafka(folder / "kafka") as kafka,
            EmbeddedPostgres(folder / "postgres") as postgres,
            Sweep.on(kafka.bootstrap, postgres.dsn, folder) as sweep,
        ):
            found = {kind: await sweep_kind(sweep, kind, every, folder) for kind in get_args(Kind)}
    print(json.dumps({"every": every} | found))
    return int(any(one["different"] for one in found.values()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="K", help="every K-th line only; 1: each of them")
    sys.exit(asyncio.run(main(parser.parse_args().every)))
