from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from arena.cli import with_default_hours
from arena.exits import Exit, Stopped
from arena.options import Options, enlarged, season_for, starts_at

from arena import options

NOW = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)


def test_a_market_is_synthetic_or_files_that_are_there(tmp_path: Path) -> None:
    recording = tmp_path / "btc.jsonl"
    recording.touch()

    assert options.market("synthetic") == "synthetic"
    assert options.market(f"recorded:{recording}:{recording}") == f"recorded:{recording}:{recording}"
    for wrong in ("live", "recorded:", f"recorded:{recording}:{tmp_path}/missing"):
        with pytest.raises(Stopped) as refusal:
            options.market(wrong)
        assert refusal.value.code is Exit.USAGE


@pytest.mark.parametrize("text", ["fast", "0", "-1", "nan", "inf", "1e9"])
def test_a_speed_is_max_or_a_sane_factor(text: str) -> None:
    assert options.speed("max") == "max"
    assert options.speed("2.5") == "2.5"
    with pytest.raises(Stopped, match="--speed"):
        options.speed(text)


def test_replicas_are_of_services_that_scale() -> None:
    assert options.replicas(["order-executor=2", "risk-gate=3"]) == {"order-executor": 2, "risk-gate": 3}
    for wrong in ("order-executor", "order-executor=0", "order-executor=17", "market-data=2", "nobody=2"):
        with pytest.raises(Stopped, match="--replicas"):
            options.replicas([wrong])


def test_fast_forward_may_stand_alone() -> None:
    assert with_default_hours(["up", "--fast-forward", "--json"]) == ["up", "--fast-forward=2", "--json"]
    assert with_default_hours(["up", "--fast-forward"]) == ["up", "--fast-forward=2"]
    assert with_default_hours(["up", "--fast-forward", "6"]) == ["up", "--fast-forward", "6"]


def test_more_competitors_than_the_season_names_are_the_same_again_under_other_names() -> None:
    two = [
        {"competitor_id": "trend", "name": "Trend", "mark": "TR", "model": "trend"},
        {"competitor_id": "random", "name": "Random", "mark": "RA", "model": "random"},
    ]

    assert [entry["competitor_id"] for entry in enlarged(two, 1)] == ["trend"]
    assert enlarged(two, 3)[2] == {"competitor_id": "trend-2", "name": "Trend 2", "mark": "T2", "model": "trend"}


def test_fewer_competitors_keep_the_baselines() -> None:
    demo = yaml.safe_load(options.own_season("demo").read_text())["competitors"]

    assert [entry["competitor_id"] for entry in enlarged(demo, 3)] == ["momentum-1", "buy-and-hold", "random-1"]


def test_marks_of_the_most_competitors_are_unique_in_our_own_seasons() -> None:
    for kind in ("demo", "recorded"):
        competitors = yaml.safe_load(options.own_season(kind).read_text())["competitors"]
        marks = [entry["mark"] for entry in enlarged(competitors, options.MOST_COMPETITORS)]
        assert len(set(marks)) == options.MOST_COMPETITORS


def test_a_demo_plays_short_rounds_and_reaches_the_present(tmp_path: Path) -> None:
    demo = Options(tmp_path, fast_forward_s=7_200)

    assert yaml.safe_load(season_for(demo))["rules"]["cadence_s"] == 60
    assert starts_at(demo, NOW) == datetime(2026, 3, 1, 10, 34, tzinfo=UTC)


def test_other_synthetic_runs_always_start_at_the_same_moment(tmp_path: Path) -> None:
    plain = Options(tmp_path)

    assert yaml.safe_load(season_for(plain))["rules"]["cadence_s"] == 180
    assert starts_at(plain, NOW) == datetime(2026, 1, 5, tzinfo=UTC)


def test_a_season_of_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("{season_id: own, rules: {cadence_s: 5}, competitors: [{competitor_id: a}, {competitor_id: b}]}")

    season = yaml.safe_load(season_for(Options(tmp_path, season=own, fast_forward_s=3_600, competitors=1)))

    assert season == {"season_id": "own", "rules": {"cadence_s": 5}, "competitors": [{"competitor_id": "a"}]}
