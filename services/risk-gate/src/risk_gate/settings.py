from typing import Annotated

from chassis.settings import ServiceSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class Settings(ServiceSettings):
    """`RISK_GATE_…` in the environment, or a file named by `RISK_GATE_…_FILE`."""

    model_config = SettingsConfigDict(env_prefix="RISK_GATE_", extra="ignore")

    wait_live_s: Annotated[
        float, Field(gt=0, le=30, description="Seconds a live verdict waits for portfolio, season and instrument.")
    ] = 2.0
    wait_lockstep_s: Annotated[
        float, Field(gt=0, le=600, description="Seconds a verdict in lockstep waits for these and for the market.")
    ] = 60.0
