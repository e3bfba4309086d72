from chassis.settings import ServiceSettings
from pydantic_settings import SettingsConfigDict


class Settings(ServiceSettings):
    """`ORDER_EXECUTOR_…` in the environment, or a file named by `ORDER_EXECUTOR_…_FILE`."""

    model_config = SettingsConfigDict(env_prefix="ORDER_EXECUTOR_", extra="ignore")
