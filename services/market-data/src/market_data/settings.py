"""What market-data is told from outside."""

from typing import Annotated

from chassis.settings import ServiceSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="MARKET_DATA_")

    venue: Annotated[
        str,
        Field(
            pattern=r"^(synthetic|recorded:.+)$", description="synthetic, or recorded:PATH[:PATH…] of one recording."
        ),
    ] = "synthetic"
    seed: Annotated[
        int, Field(ge=0, lt=2**32, description="Of the synthetic market: the same seed, the same bytes.")
    ] = 1
    speed: Annotated[
        str, Field(pattern=r"^(max|[0-9]+(\.[0-9]+)?)$", description="Arena seconds a second, or max. Lockstep only.")
    ] = "1"
    fast_forward_s: Annotated[
        float, Field(ge=0, description="Arena seconds from the season's start at full speed, before speed applies.")
    ] = 0
    end_after_s: Annotated[
        float | None, Field(gt=0, description="Arena seconds from the season's start, then the feed ends; none: never.")
    ] = None
    step_ms: Annotated[int, Field(ge=10, le=60_000, description="Of the synthetic feed.")] = 1_000
    book_grid_ms: Annotated[int, Field(ge=10, le=60_000, description="Books come out at most this often.")] = 100
    mark_grid_ms: Annotated[int, Field(ge=10, le=60_000, description="Marks come out at most this often.")] = 1_000
    silent_after_s: Annotated[
        float, Field(ge=0.2, le=3_600, description="Live: an instrument without a book for so long is suspended.")
    ] = 1.5
    news: Annotated[
        tuple[str, ...],
        Field(max_length=50, description="Feeds besides the venue's own, a JSON list: https://…, a file, a folder."),
    ] = ()
    news_apart_s: Annotated[
        float, Field(ge=1, le=3600, description="Live: seconds between two looks at the feeds.")
    ] = 60.0
    season: Annotated[str | None, Field(description="Season to serve; none: the one that starts last.")] = None
