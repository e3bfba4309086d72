from datetime import datetime
from pathlib import Path
from typing import Annotated

from chassis.settings import ServiceSettings
from contracts.types import Time
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class Settings(ServiceSettings):
    """`COMPETITION_…` in the environment, or a file named by `COMPETITION_…_FILE`."""

    model_config = SettingsConfigDict(env_prefix="COMPETITION_", extra="ignore")

    season: Annotated[Path, Field(description="Path of the season's YAML file.")]
    starts_at: Annotated[
        Time | None,
        Field(description="When round 1 opens (RFC 3339), where the file leaves it open; the first start's stands."),
    ] = None
    writer_wait_s: Annotated[
        float, Field(gt=0, le=3_600, description="Seconds to wait for another process to let go of the season.")
    ] = 30.0


def start_of(settings: Settings, in_file: datetime | None, announced: datetime | None) -> datetime:
    """The file's own start; else the announced one, so that a resumed season keeps its schedule; else the setting's."""
    starts_at = in_file or announced or settings.starts_at
    if starts_at is None:
        raise ValueError(f"{settings.season}: starts_at: required here or as COMPETITION_STARTS_AT")
    return starts_at
