"""A plan is a function of its seed, and has in it what it promises."""

import itertools
from collections import Counter
from pathlib import Path

import pytest
from arena.chaos.plan import PAUSE_S, Fault, plan
from arena.chaos.site import SEASON
from arena.options import Options, season_for
from competition.season_file import read_season

PROCESSES = ["market-data", "competition", "risk-gate", "order-executor", "order-executor-1"]


def ten_minutes(seed: int = 1, **asked: object) -> list[Fault]:
    return plan(seed, 600, PROCESSES, kill_every_s=8, **asked)  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_plan_and_another_gives_another() -> None:
    assert ten_minutes(1) == ten_minutes(1)
    assert ten_minutes(1) != ten_minutes(2)


@pytest.mark.parametrize("seed", range(20))
def test_ten_minutes_have_more_than_sixty_kills_and_every_kind_of_fault(seed: int) -> None:
    faults = ten_minutes(seed)
    kinds = Counter(fault.kind for fault in faults)

    assert kinds["kill"] == 75  # 600 / 8
    assert set(kinds) == {"kill", "pause", "delay", "cut", "black_hole", "postgres_restart"}
    assert [fault.at_s for fault in faults] == sorted(fault.at_s for fault in faults)
    assert all(0 <= fault.at_s < 620 for fault in faults)
    assert all(PAUSE_S[0] <= fault.lasts_s <= PAUSE_S[1] for fault in faults if fault.kind == "pause")


def test_no_process_is_killed_again_before_every_other_was() -> None:
    killed = [fault.target for fault in ten_minutes() if fault.kind == "kill"]
    decks = [killed[first : first + 5] for first in range(0, 75, 5)]

    assert all(sorted(deck) == sorted(PROCESSES) for deck in decks)
    assert all(before != after for before, after in itertools.pairwise(killed))


@pytest.mark.parametrize(("scenario", "brokers"), [("broker", 1), ("three-brokers", 3)])
def test_a_broker_is_restarted_only_where_it_is_asked_for(scenario: str, brokers: int) -> None:
    restarted = {f.target for f in ten_minutes(scenario=scenario, brokers=brokers) if f.kind == "broker_restart"}

    assert restarted <= {f"broker-{number}" for number in range(1, brokers + 1)}
    assert len(restarted) == brokers
    assert not [fault for fault in ten_minutes() if fault.kind == "broker_restart"]


def test_a_short_run_has_every_kind_too() -> None:
    kinds = {fault.kind for fault in plan(3, 30, PROCESSES, kill_every_s=4)}

    assert kinds == {"kill", "pause", "delay", "cut", "black_hole", "postgres_restart"}


@pytest.mark.parametrize("competitors", [2, 12, 36])
def test_the_season_is_one_that_competition_accepts(tmp_path: Path, competitors: int) -> None:
    path = tmp_path / "season.yaml"
    path.write_text(season_for(Options(tmp_path, season=SEASON, competitors=competitors)))

    assert len(read_season(path).competitors) == competitors
