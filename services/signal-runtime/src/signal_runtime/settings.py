from typing import Annotated

from chassis.settings import ServiceSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class Settings(ServiceSettings):
    """`SIGNAL_RUNTIME_…` in the environment, or a file named by `SIGNAL_RUNTIME_…_FILE`."""

    model_config = SettingsConfigDict(env_prefix="SIGNAL_RUNTIME_", extra="ignore")

    concurrent_per_model: Annotated[
        int, Field(ge=1, le=10_000, description="Answers awaited at once from models of one name.")
    ] = 64
    at_work_max: Annotated[int, Field(ge=1, le=100_000, description="Requests at work at once.")] = 1_000
    inputs_within_s: Annotated[
        float,
        Field(gt=0, le=3_600, description="Lockstep: seconds to wait for a round's snapshot and portfolio, then end."),
    ] = 120.0
    test_models: Annotated[bool, Field(description="Register the models slow, broken, malformed and silent.")] = False
