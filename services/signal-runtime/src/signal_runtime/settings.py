from decimal import Decimal
from typing import Annotated

from chassis.settings import ServiceSettings
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from signal_runtime.core.quotas import Most, Quota

Key = Annotated[SecretStr | None, Field(description="API key; without one the provider's models are offline.")]
Calls = Annotated[int | None, Field(ge=0, description="Calls of one competitor; none: without limit.")]
Tokens = Annotated[int | None, Field(ge=0, description="Tokens of one competitor, prompts and replies together.")]
Usd = Annotated[Decimal | None, Field(ge=0, description="USD of one competitor; only calls of a known price count.")]


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

    deepseek_api_key: Key = None
    deepseek_base_url: Annotated[str, Field(description="Where DeepSeek is.")] = "https://api.deepseek.com"
    qwen_api_key: Key = None
    qwen_base_url: Annotated[str, Field(description="Where DashScope is, in its compatible mode.")] = (
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
    )
    openai_api_key: Key = None
    openai_base_url: Annotated[str, Field(description="Where OpenAI is.")] = "https://api.openai.com/v1"
    anthropic_api_key: Key = None
    anthropic_base_url: Annotated[str, Field(description="Where Anthropic is.")] = "https://api.anthropic.com"
    openai_compatible_api_key: Annotated[
        SecretStr | None, Field(description="For a server that wants one; the address alone makes it live.")
    ] = None
    openai_compatible_base_url: Annotated[
        str, Field(description="Of vLLM, Ollama, llama.cpp …, e.g. http://127.0.0.1:8000/v1; empty: offline.")
    ] = ""
    concurrent_per_provider: Annotated[
        int, Field(ge=1, le=10_000, description="Calls to one provider at once; the others wait their turn.")
    ] = 256
    reply_bytes_max: Annotated[
        int, Field(ge=1_024, le=16_777_216, description="How much of a provider's reply is read before it is cut off.")
    ] = 524_288
    quota_calls_day: Calls = None
    quota_tokens_day: Tokens = None
    quota_usd_day: Usd = None
    quota_calls_season: Calls = None
    quota_tokens_season: Tokens = None
    quota_usd_season: Usd = None

    @property
    def quota(self) -> Quota:
        """The same for every competitor."""
        return Quota(
            day=Most(self.quota_calls_day, self.quota_tokens_day, self.quota_usd_day),
            season=Most(self.quota_calls_season, self.quota_tokens_season, self.quota_usd_season),
        )
