from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from competition.season_file import BadSeason, read_season

SEASONS = Path(__file__).parents[1] / "seasons"


def written(path: Path, **changes: object) -> Path:
    content = yaml.safe_load((SEASONS / "recorded.yaml").read_text())
    for place, value in changes.items():
        *parents, last = [int(name) if name.isdigit() else name for name in place.split("__")]
        target = content
        for name in parents:
            target = target[name]
        target[last] = value
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(("name", "competitors"), [("demo.yaml", 9), ("recorded.yaml", 8), ("minds.yaml", 6)])
def test_the_seasons_of_the_project_are_valid(name: str, competitors: int) -> None:
    assert len(read_season(SEASONS / name).competitors) == competitors


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"competitors__6__model": "trend"}, "buy_and_hold"),
        ({"competitors__7__active": False}, "random"),
        ({"competitors__7__kind": "quant"}, "random"),
    ],
)
def test_a_season_without_its_baselines_is_refused(tmp_path: Path, changes: dict[str, object], missing: str) -> None:
    with pytest.raises(BadSeason, match=f"every season has an active baseline of the model {missing}"):
        read_season(written(tmp_path / "season.yaml", **changes))


def test_decimals_of_the_file_are_read_exactly() -> None:
    season = read_season(SEASONS / "demo.yaml")

    assert season.rules.price_band == Decimal("0.02")
    assert season.competitors[0].parameters == {"risk_rate": "0.01"}
    assert season.competitors[2].parameters == {"gap_atr": "0", "stop_atr": "6", "reward": "5", "flips": "true"}


def test_halts_caps_and_windows_are_read_as_they_stand() -> None:
    rules = read_season(SEASONS / "demo.yaml").rules

    assert [(breaker.name, breaker.limit) for breaker in rules.breakers] == [
        ("equity_drop", Decimal("0.1")), ("drawdown", Decimal("0.4")), ("daily_loss", Decimal("0.2")),
        ("losing_streak", Decimal(8)), ("reject_storm", Decimal(60)), ("stale_storm", Decimal(20)),
        ("arena_equity_drop", Decimal("0.1")),
    ]  # fmt: skip
    assert [(cap.name, cap.scope, cap.net_max) for cap in rules.exposure] == [
        ("majors", "competitor", Decimal(50_000)), ("everyone", "arena", Decimal(300_000)),
    ]  # fmt: skip
    assert rules.windows == ()


def test_a_start_with_a_zone_is_kept_in_utc(tmp_path: Path) -> None:
    path = written(tmp_path / "season.yaml", starts_at="2026-01-01T08:00:00+08:00")

    assert read_season(path).starts_at == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("rules__levrage_max", 5, "rules.levrage_max: Extra inputs are not permitted"),
        ("colour", "red", "colour: Extra inputs are not permitted"),
        ("competitors__0__mark", "momo", "competitors.0.mark: String should match pattern"),
        ("competitors__0__mark", "RA", "competitors: mark: must be unique, RA stands there more than once"),
        ("competitors__1__competitor_id", "random-1", "competitor_id: must be unique, random-1"),
        (
            "competitors__0__kind",
            "human",
            "competitors.0.kind: Input should be 'llm', 'quant'",
        ),
        (
            "competitors__0__parameters",
            {"period": [1]},
            "0.parameters.period: Input should be a valid string",
        ),
        ("rules__deadline_s", 15, "deadline_s: must be shorter than cadence_s"),
        ("rules__leverage_max", 1_000, "rules.leverage_max: Value error, must be from 1 and at most 200"),
        ("rules__price_band", "NaN", "rules.price_band: Value error, a decimal is digits"),
        ("rules__instruments", ["BTC-USDT-PERP", "BTC-USDT-PERP"], "rules.instruments: must be unique, BTC-USDT-PERP"),
        (
            "rules__breakers",
            [{"kind": "equity_drop", "limits": "0.1"}],
            "rules.breakers: Value error, limits: there is no such",
        ),
        (
            "rules__breakers",
            [{"kind": "drawdown", "limit": "0"}],
            "rules.breakers.0: Value error, limit: must be above zero",
        ),
        ("rules__breakers", [{"kind": "drawdown", "limit": 1}] * 2, "breakers: each may stand there once"),
        (
            "rules__breakers",
            [{"kind": "losing_streak", "limit": 3, "scope": "arena"}],
            "scope: arena is for equity_drop, drawdown and daily_loss",
        ),
        (
            "rules__windows",
            [{"start": "12:00", "end": "12:00"}],
            "rules.windows.0: Value error, end: must be after start",
        ),
        ("rules__windows", [{"start": "25:00"}], "rules.windows.0.start: String should match pattern"),
        ("rules__exposure", [{"name": "all", "instruments": ["ADA-USDT-PERP"]}], "ADA-USDT-PERP of all is not among"),
        ("starts_at", "2026-01-01T00:00:00", "starts_at: Input should have timezone info"),
        ("ends_at", "yesterday", "ends_at: Input should be a valid datetime"),
        ("competitors", [], "competitors: Tuple should have at least 1 item"),
    ],
)
def test_an_error_names_the_file_the_field_and_the_rule(tmp_path: Path, place: str, value: object, said: str) -> None:
    path = written(tmp_path / "season.yaml", **{place: value})

    with pytest.raises(BadSeason) as caught:
        read_season(path)

    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is not YAML"),
        ("season_id: a\nseason_id: b\n", "season_id: stands there twice"),
        ("- 1", "Input should be a valid dictionary"),
        ("season_id: !!python/object/apply:os.getcwd []", "is not YAML"),
    ],
)
def test_a_file_that_holds_no_season_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "season.yaml"
    path.write_text(text)

    with pytest.raises(BadSeason, match=said):
        read_season(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSeason, match=r"none\.yaml: No such file"):
        read_season(tmp_path / "none.yaml")
