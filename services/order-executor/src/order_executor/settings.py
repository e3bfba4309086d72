from typing import Annotated

from chassis.settings import ServiceSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class Settings(ServiceSettings):
    """`ORDER_EXECUTOR_…` in the environment, or a file named by `ORDER_EXECUTOR_…_FILE`."""

    model_config = SettingsConfigDict(env_prefix="ORDER_EXECUTOR_", extra="ignore")

    exchange_url: Annotated[
        str | None, Field(description="An outside venue; none: every season trades at the paper venue.")
    ] = None
    exchange_seasons: Annotated[
        tuple[str, ...], Field(max_length=50, description="JSON list of the seasons that trade at the outside venue.")
    ] = ()
    exchange_window_s: Annotated[
        float,
        Field(gt=0, le=60, description="The venue carries a request out within this time of its stamp, or never."),
    ] = 5.0
    exchange_answer_s: Annotated[float, Field(gt=0, le=120, description="Longest wait for an answer.")] = 10.0
    exchange_visible_s: Annotated[
        float, Field(ge=0, le=600, description="How long the venue's lists may lack an order that it has taken.")
    ] = 5.0
    exchange_ask_s: Annotated[float, Field(gt=0, le=60, description="Between two questions about one order.")] = 2.0
    exchange_valid_s: Annotated[
        float, Field(gt=0, le=3_600, description="An order not at the venue this long after its moment is given up.")
    ] = 60.0
    exchange_human_s: Annotated[
        float, Field(gt=0, le=86_400, description="An order unknown for longer needs an operator.")
    ] = 300.0
    exchange_poll_s: Annotated[
        float, Field(gt=0, le=300, description="Between two looks at everything the venue says of an account.")
    ] = 5.0
    exchange_silent_s: Annotated[
        float, Field(gt=0, le=300, description="A stream silent for longer is connected anew.")
    ] = 25.0
    exchange_burst: Annotated[
        float,
        Field(ge=4, le=10_000, description="Requests at once, of all accounts; a quarter is kept for getting out."),
    ] = 60.0
    exchange_per_second: Annotated[float, Field(gt=0, le=10_000, description="Requests a second, of all accounts.")] = (
        20.0
    )
