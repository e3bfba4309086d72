"""A stage is killed at every named point, started again, and in the end it has said and kept what it would have.

Each point once; CHASSIS_CRASH_SWEEP=all (`make crash-sweep`): every kind of stage, at the first and the second passing.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from chassis.crash_points import arm, points
from chassis.testing_crash import Kind
from chassis.testing_sweep import OUTPUTS, History, Sweep

ALL = os.environ.get("CHASSIS_CRASH_SWEEP") == "all"
AT_ONCE = 4
OF_ONE_KIND: dict[str, Kind] = {
    "plain": "plain", "worker": "plain", "timed": "timed", "rows.after_begin": "timed", "rows.before_commit": "timed",
}  # fmt: skip
"""The timed stage asks for the connection, the plain one only writes rows."""
WHILE_REBALANCING = {"worker.revoked", "timed.revoked"}
"""Passed where a second replica joins: tests/test_scale_out.py."""
ONCE_A_LIFE = {"timed.before_rewind"}


class Case(NamedTuple):
    kind: Kind
    point: str
    passing: int


def cases() -> list[Case]:
    found = []
    for point in points("chassis"):
        only = OF_ONE_KIND.get(point) or OF_ONE_KIND.get(point.partition(".")[0])
        kinds: list[Kind] = [only] if only else ["plain", "timed"]
        passings = [1] if point in ONCE_A_LIFE else [1, 2]
        if point not in WHILE_REBALANCING:
            found += [Case(kind, point, passing) for kind in kinds for passing in passings]
    return found


def test_a_point_is_the_name_and_the_passing_at_which_it_kills() -> None:
    for wrong in ("step.after_commit", "step.after_commit:0", "step.after_commit:x", "step.after_commit:1:KILL", ":1"):
        with pytest.raises(ValueError, match="CHASSIS_CRASH_POINT"):
            arm(wrong)


@pytest.fixture
async def sweep(kafka: str, postgres: str, tmp_path: Path) -> AsyncIterator[Sweep]:
    async with Sweep.on(kafka, postgres, tmp_path) as one:
        yield one


@pytest.mark.slow
async def test_killed_at_every_point_a_stage_says_and_keeps_what_it_would_have(sweep: Sweep) -> None:
    every = cases()
    chosen = every if ALL else list({case.point: case for case in every}.values())
    room = asyncio.Semaphore(AT_ONCE)

    async def play(case: Case | Kind) -> str:
        async with room:
            if isinstance(case, str):
                stand = await sweep.stand(case, "undisturbed")
                assert await sweep.play(stand) is None
            else:
                name = f"{case.point}-{case.passing}".replace(".", "-").replace("_", "-")
                stand = await sweep.stand(case.kind, name, point=f"{case.point}:{case.passing}")
                assert await sweep.play(stand) == -9, f"{case} was not passed"
            return stand.service

    undisturbed = {kind: await play(kind) for kind in OUTPUTS}
    async with asyncio.TaskGroup() as group:
        plays = [group.create_task(play(case)) for case in chosen]
    services = [play.result() for play in plays]
    histories = await sweep.histories()
    for kind, service in undisturbed.items():
        assert whole(histories[service]) == OUTPUTS[kind]
        assert not histories[service].repeats
    for case, service in zip(chosen, services, strict=True):
        history, expected = histories[service], histories[undisturbed[case.kind]]
        assert history.said == expected.said, case
        assert history.kept == expected.kept, case
    repeats = sum(histories[service].repeats for service in services)
    print(f"{len(chosen)} kills, {repeats} records sent again, 0 lost, 0 doubled")
    assert repeats, "a kill between commit and send shows as records sent again"


def whole(history: History) -> int:
    """How many outputs; those of one cause are numbered without a gap."""
    numbers: dict[str, list[int]] = {}
    for where, said in history.said.items():
        numbers.setdefault(where.partition(" -> ")[0], []).extend(number for number, _, _ in said)
    for found in numbers.values():
        assert sorted(found) == list(range(1, len(found) + 1))
    return sum(map(len, numbers.values()))
