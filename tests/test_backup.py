"""The database of a season is lost and an older one restored beside the newer topics: the same books in the end."""

import asyncio
import json
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from arena.reading import records_until, whole_topics
from arena.rehearsal import Run, run_arena, until_a_round_closes
from arena.stack.kafka import EmbeddedKafka
from arena.stack.processes import free_port
from contracts.wire import header

LEDGER = """
select season_id, competitor_id, at, event_id, trade_id, account, amount from pnl_tracker.ledger_entries
order by 1, 2, 3, 4, 6, 7
"""
STEPS = ["orders.v1", "executions.v1", "rounds.v1", "decisions.requested.v1"]
"""Where every record is the output of a step, and none was compacted away."""


async def arena(*arguments: str) -> dict[str, Any]:
    """A command of the arena; its JSON, with the exit code."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "arena", *arguments, "--json",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert out, err.decode()[-2000:]
    found: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return found | {"exit": process.returncode}


async def backed_up_and_stopped(data_dir: Path, options: Sequence[str], backup: Path) -> dict[str, Any]:
    """A season of which a backup is taken early, and which is stopped in its middle."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "arena", "up", "--data-dir", str(data_dir), "--port", str(free_port()), *options,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        while await until_a_round_closes(data_dir) < 3:
            pass
        taken = await arena("backup", str(backup), "--data-dir", str(data_dir))
        await until_a_round_closes(data_dir)
        await arena("down", "--data-dir", str(data_dir))
        await process.wait()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
    return taken


async def numbers(run: Run) -> dict[str, set[tuple[str, str]]]:
    """Under which numbers of which sources each event stands in the topics."""
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    async with EmbeddedKafka(run.data_dir / "kafka") as broker, whole_topics(broker.bootstrap, STEPS) as consumer:
        async for record in records_until(consumer, await consumer.end_offsets(consumer.assignment())):
            source, number = header(record.headers, "ce_source"), header(record.headers, "ce_sequence")
            found[header(record.headers, "ce_id") or ""].add((source or "", number or ""))
    return found


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_an_older_database_beside_newer_topics_comes_to_the_same_books(
    baseline: Run, short_season: list[str], tmp_path: Path
) -> None:
    data_dir, backup = tmp_path / "data", tmp_path / "backup"
    taken = await backed_up_and_stopped(data_dir, [*short_season, "--speed", "4"], backup)
    assert taken["exit"] == 0

    refused = await arena("restore", str(backup), "--data-dir", str(data_dir))
    assert "--replace" in refused["message"]
    restored = await arena("restore", str(backup), "--data-dir", str(data_dir), "--replace")
    assert restored["exit"] == 0
    assert restored["records_to_take_again"] > 0
    assert restored["records_not_said_again"] > 0

    run = await run_arena(data_dir, ["--resume", "--seconds", "240", "--speed", "max"])
    assert run.figures["books_balanced"]
    assert run.figures["max_equity_error_usd"] == 0
    assert await comparable(run) == await comparable(baseline)
    assert await run.query(LEDGER) == await baseline.query(LEDGER)
    said = await numbers(run)
    assert {event: places for event, places in said.items() if len(places) > 1} == {}, "said once, under one number"
    assert len({place for places in said.values() for place in places}) == len(said), "no number for two events"


async def comparable(run: Run) -> dict[str, Any]:
    """Each competitor's executions in their order, and who leads."""
    rows: defaultdict[str, list[Any]] = defaultdict(list)
    for event in await run.events("executions.v1"):
        rows[event.competitor_id].append(event.model_dump(mode="json"))
    (leaderboard,) = await run.latest("leaderboard.v1")
    return rows | {"leaderboard": [row.model_dump(mode="json") for row in leaderboard.rows]}
