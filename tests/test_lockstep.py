"""The same season gives the same executions: at any speed, on any number of processes, whoever is killed meanwhile."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from arena.rehearsal import Run, kill, run_arena, until_a_round_closes, until_ready
from contracts.topics import SERVICES


def comparable(events: list[Any]) -> dict[str, list[Any]]:
    """Every field of every execution, each competitor's in their order; there is no order between competitors."""
    rows: dict[str, list[Any]] = {}
    for event in events:
        rows.setdefault(event.competitor_id, []).append(event.model_dump(mode="json"))
    return rows


async def outcome(run: Run) -> tuple[dict[str, list[Any]], list[Any]]:
    executions = comparable(await run.events("executions.v1"))
    (leaderboard,) = await run.latest("leaderboard.v1")
    return executions, [row.model_dump(mode="json") for row in leaderboard.rows]


async def test_the_short_season_trades(baseline: Run) -> None:
    figures = baseline.figures

    assert figures["competitors"] == 6
    assert figures["rounds"] == 12
    assert figures["missed"] == 0
    assert figures["fills"] > 10
    assert figures["rejected"] > 0
    assert figures["books_balanced"] is True
    assert figures["max_equity_error_usd"] == 0


async def test_every_competitor_is_asked_in_every_round_and_judged(baseline: Run) -> None:
    events = await baseline.events("rounds.v1", "decisions.requested.v1", "orders.v1")
    competitors = {"momentum-1", "trend-fast", "bold-falcon", "random-1", "random-2", "buy-and-hold"}
    closed = {event.round for event in events if event.type == "round_closed"}

    def pairs(kind: str) -> set[tuple[int, str]]:
        return {(event.round, event.competitor_id) for event in events if event.type == kind}

    everyone = {(number, name) for number in closed for name in competitors}
    assert closed == set(range(1, len(closed) + 1))
    assert pairs("decision_requested") >= everyone
    assert pairs("decision_judged") >= everyone


@pytest.mark.parametrize(
    "arenas",
    [
        # the one that is paced leaves the processors to the other
        [["--speed", "10"], ["--speed", "max", "--replicas", "order-executor=2"]],
        [["--speed", "max", "--replicas", "risk-gate=2"]],
    ],
    ids=["at speed 10, and with two order executors", "with two risk gates"],
)
async def test_the_executions_are_the_same(
    baseline: Run, short_season: list[str], tmp_path: Path, arenas: list[list[str]]
) -> None:
    async with asyncio.TaskGroup() as group:
        runs = [
            group.create_task(run_arena(tmp_path / f"arena{n}", [*short_season, *options]))
            for n, options in enumerate(arenas)
        ]

    for run in runs:
        assert await outcome(run.result()) == await outcome(baseline)


async def test_every_service_is_killed_once_and_the_executions_are_the_same(
    baseline: Run, short_season: list[str], tmp_path: Path
) -> None:
    killed: list[str] = []

    async def kill_each(data_dir: Path) -> None:
        for service in SERVICES:
            await until_a_round_closes(data_dir)
            await kill(data_dir, service)
            killed.append(service)
            await until_ready(data_dir, service)

    other = await run_arena(tmp_path / "data", [*short_season, "--speed", "4"], kill_each)

    assert killed == list(SERVICES)
    assert other.figures["restarts"] >= len(SERVICES)
    assert await outcome(other) == await outcome(baseline)
