from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from competition.registry import Frozen, announcements, hues, missing
from competition.season_file import SeasonFile, read_season
from competition.settings import Settings, start_of
from contracts.base import Event
from contracts.canonical import content_sha256
from contracts.competition import CompetitorRegistered, PhaseChanged, RulesFrozen, SeasonChanged
from contracts.topics import TOPICS

START = datetime(2026, 1, 1, tzinfo=UTC)
DEMO = read_season(Path(__file__).parents[1] / "seasons" / "demo.yaml")


def with_rules(**changes: object) -> SeasonFile:
    return DEMO.model_copy(update={"rules": DEMO.rules.model_copy(update=changes)})


def test_a_season_is_announced_with_rules_competitors_and_phase() -> None:
    kinds = [type(event) for event in announcements(DEMO, START)]

    assert kinds == [SeasonChanged, RulesFrozen, *[CompetitorRegistered] * 9, PhaseChanged]


def test_the_frozen_hash_is_that_of_the_rules_as_published() -> None:
    season, frozen, *_ = announcements(DEMO, START)

    assert isinstance(season, SeasonChanged)
    assert isinstance(frozen, RulesFrozen)
    assert frozen.rules_sha256 == season.rules_sha256 == content_sha256(season.rules)


def test_the_same_file_gives_the_same_events() -> None:
    assert announcements(DEMO, START) == announcements(DEMO, START)


def test_announcements_survive_the_wire() -> None:
    adapter = TOPICS["competition.v1"].adapter
    events = announcements(DEMO, START)

    assert [adapter.validate_json(event.model_dump_json()) for event in events] == events


def test_every_competitor_has_its_own_hue_and_a_chosen_one_is_kept() -> None:
    chosen = DEMO.competitors[5].model_copy(update={"hue": 0})
    competitors = [*DEMO.competitors[:5], chosen, *DEMO.competitors[6:]]

    assert hues(competitors) == [1, 2, 3, 4, 5, 0, 6, 7, 8]


def test_the_thirteenth_competitor_shares_a_hue() -> None:
    assert hues([DEMO.competitors[0]] * 14) == [*range(12), 0, 1]


def test_what_is_announced_already_is_not_announced_again() -> None:
    wanted = announcements(DEMO, START)

    assert missing(wanted, []) == wanted
    assert missing(wanted, wanted) == []
    assert missing(wanted, wanted[:4]) == wanted[4:]


def test_a_phase_that_moved_on_is_left_alone() -> None:
    *before, phase = wanted = announcements(DEMO, START)
    finished = phase.model_copy(update={"phase": "finished"})

    assert missing(wanted, [*before, finished]) == []


def test_another_seasons_competitors_do_not_matter() -> None:
    other = announcements(DEMO.model_copy(update={"season_id": "other"}), START)

    assert missing(announcements(DEMO, START), other) == announcements(DEMO, START)


def announced_otherwise() -> list[tuple[list[Event], str]]:
    fewer = DEMO.model_copy(update={"competitors": DEMO.competitors[:-1]})
    return [
        (announcements(with_rules(deadline_s=31), START), "season/demo was announced otherwise: rules was"),
        (announcements(DEMO, START + timedelta(1)), "starts_at was 2026-01-01T00:00:00Z and is 2026-01-02"),
        (announcements(fewer, START), "competitor/demo/random-1 was announced and is no longer in the file"),
    ]


@pytest.mark.parametrize(("wanted", "said"), announced_otherwise())
def test_a_season_does_not_change_after_its_announcement(wanted: list[Event], said: str) -> None:
    with pytest.raises(Frozen, match=said):
        missing(wanted, announcements(DEMO, START))


def test_the_start_is_the_files_then_the_announced_then_the_settings() -> None:
    settings = Settings(season=Path("s.yaml"), starts_at=START)
    in_file, announced = START + timedelta(1), START + timedelta(2)

    assert start_of(settings, in_file, announced) == in_file
    assert start_of(settings, None, announced) == announced
    assert start_of(settings, None, None) == START
    with pytest.raises(ValueError, match=r"s\.yaml: starts_at: required"):
        start_of(Settings(season=Path("s.yaml")), None, None)
