import importlib
from pathlib import Path

import pytest
from chassis.settings import ServiceSettings
from chassis.settings_reference import DOCUMENT, reference
from contracts.topics import SERVICES
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="STAGE_")

    limit: int = 1


def test_the_environment_is_read_under_the_services_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE_KAFKA", "broker:9092")
    monkeypatch.setenv("STAGE_LIMIT", "7")
    monkeypatch.setenv("KAFKA", "elsewhere:9092")
    assert (Settings().kafka, Settings().limit) == ("broker:9092", 7)


def test_a_secret_is_read_from_the_file_that_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "postgres"
    secret.write_text("postgresql://stage:hush@db/arena\n")
    monkeypatch.setenv("STAGE_POSTGRES_FILE", str(secret))
    assert Settings().postgres == "postgresql://stage:hush@db/arena"
    assert "hush" not in repr(Settings())
    assert "hush" not in str(Settings())


def test_what_is_out_of_bounds_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE_TRACE_RATIO", "1.5")
    with pytest.raises(ValidationError, match="trace_ratio"):
        Settings()


def test_the_reference_says_what_the_settings_are() -> None:
    root = Path(__file__).parents[3]
    assert (root / DOCUMENT).read_text(encoding="utf-8") == reference(SERVICES), (
        "run python -m chassis.settings_reference"
    )


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_is_explained(service: str) -> None:
    settings = importlib.import_module(f"{service.replace('-', '_')}.settings").Settings
    unexplained = [name for name, field in settings.model_fields.items() if not field.description]
    assert unexplained == []
