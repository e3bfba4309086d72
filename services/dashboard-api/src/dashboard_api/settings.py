from pathlib import Path
from typing import Annotated

from chassis.settings import ServiceSettings
from pydantic import Field
from pydantic_settings import SettingsConfigDict


def _built_page() -> Path | None:
    """`web/dist` of the checkout this module stands in, where it was built."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "web" / "dist" / "index.html").is_file():
            return folder / "web" / "dist"
    return None


class Settings(ServiceSettings):
    """`DASHBOARD_API_…` in the environment, or a file named by `DASHBOARD_API_…_FILE`."""

    model_config = SettingsConfigDict(env_prefix="DASHBOARD_API_", extra="ignore")

    port: Annotated[int, Field(ge=0, le=65535, description="Port of the public site; 0 takes any free one.")] = 8080
    hosts: Annotated[
        tuple[str, ...],
        Field(description="Host names the site answers to, as JSON list; `*` is any (behind a proxy that checks)."),
    ] = ("127.0.0.1", "localhost", "[::1]")
    web_dir: Annotated[Path | None, Field(description="The built page; by default web/dist of the checkout.")] = Field(
        default_factory=_built_page
    )
    equity_step_s: Annotated[
        int, Field(ge=1, le=86_400, description="Arena seconds from one kept equity point to the next.")
    ] = 60
    frame_interval_ms: Annotated[int, Field(ge=10, le=5_000, description="Least time between two frames.")] = 100
    heartbeat_s: Annotated[float, Field(gt=0, le=60, description="A frame at least this often.")] = 5.0
    ring: Annotated[int, Field(ge=0, le=100_000, description="Deltas kept for clients that resume.")] = 2_000
    clients_max: Annotated[int, Field(ge=1, le=100_000, description="WebSocket connections at once.")] = 2_000
    client_queue: Annotated[
        int, Field(ge=1, le=10_000, description="Frames a client may be behind before it is closed.")
    ] = 200
    message_bytes_max: Annotated[
        int, Field(ge=256, le=65_536, description="Largest WebSocket message accepted from a client.")
    ] = 16_384
    query_timeout_s: Annotated[float, Field(gt=0, le=60, description="Longest database statement of a request.")] = 5.0
