"""What a service is told from outside: `<PREFIX>NAME` in the environment, or a file named by `<PREFIX>NAME_FILE`."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """A service subclasses it with `model_config = SettingsConfigDict(env_prefix="RISK_GATE_")`."""

    model_config = SettingsConfigDict(extra="ignore")

    kafka: Annotated[str, Field(description="Bootstrap servers, HOST:PORT, comma-separated.")] = "127.0.0.1:9092"
    postgres: Annotated[
        str, Field(repr=False, description="DSN with the service's own login role; its schema is the search path.")
    ] = "postgresql://127.0.0.1/arena"
    instance: Annotated[
        str,
        Field(pattern=r"^[a-zA-Z0-9-]{1,32}$", description="Names this replica for ever (a StatefulSet's ordinal)."),
    ] = "0"
    health_host: Annotated[str, Field(description="Where HTTP listens.")] = "127.0.0.1"
    health_port: Annotated[int, Field(ge=0, le=65535, description="Port of HTTP; 0 takes any free one.")] = 0
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="Least level logged.")] = (
        "info"
    )
    log_format: Annotated[Literal["json", "console"], Field(description="One JSON object a line, or for eyes.")] = (
        "json"
    )
    otlp_endpoint: Annotated[
        str | None, Field(description="OTLP/HTTP collector, e.g. http://127.0.0.1:4318; none exports nothing there.")
    ] = None
    trace_ratio: Annotated[float, Field(ge=0, le=1, description="Share of new traces that is recorded.")] = 1.0
    traces_file: Annotated[Path | None, Field(description="Append spans to this file, one JSON object a line.")] = None
    object_store: Annotated[str, Field(description="URL of the object store: file://, memory:// or s3://.")] = (
        "memory://objects"
    )

    accept_market_gap: Annotated[
        bool, Field(description="Go on although the broker deleted market records before this service had read them.")
    ] = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the library names its arguments
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _NamedFiles(settings_cls)


class _NamedFiles(PydanticBaseSettingsSource):
    """`<PREFIX>NAME_FILE` holds the path of a file with the value, as secrets are mounted."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002  # as above

        path = os.environ.get(f"{self.config.get('env_prefix', '')}{field_name}_FILE".upper())
        return (Path(path).read_text(encoding="utf-8").strip() if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}
