from typing import Annotated

from chassis.settings import ServiceSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class Settings(ServiceSettings):
    """`PNL_TRACKER_…` in the environment, or a file named by `PNL_TRACKER_…_FILE`."""

    model_config = SettingsConfigDict(env_prefix="PNL_TRACKER_", extra="ignore")

    leaderboard_apart_s: Annotated[
        float, Field(gt=0, le=60, description="Seconds of wall time between two leaderboards.")
    ] = 1.0
    reports_apart_s: Annotated[
        float, Field(gt=0, le=60, description="Seconds of wall time between two looks for reports to be made.")
    ] = 1.0
    evaluated_every_rounds: Annotated[
        int, Field(ge=1, le=10_000, description="Rounds between two evaluations of the signals.")
    ] = 10
