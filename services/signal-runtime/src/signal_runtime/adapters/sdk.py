"""One call through pydantic-ai: text in, text out. The SDKs retry nothing; what follows a failure is not theirs to say.

Imported only where a provider has a key: the SDKs take a second to load.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import httpx2
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai.direct import model_request
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, SystemPromptPart, TextPart, UserPromptPart
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.alibaba import AlibabaProvider
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.deepseek import DeepSeekProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings

from signal_runtime.adapters.messages import Message, Said
from signal_runtime.adapters.providers import Provider
from signal_runtime.adapters.transport import RecordingTransport
from signal_runtime.core.llm import LlmParameters

CONNECT_WITHIN_S = 10.0
_MAX_TOKENS = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False)
"""The bound goes out as `max_tokens`: the younger name is OpenAI's own, and who does not know it writes without end."""


class Sdk:
    """A provider's client: one pool of connections for all its competitors."""

    def __init__(self, provider: Provider, reply_bytes_max: int, connections_max: int) -> None:
        self._provider = provider
        limits = httpx2.Limits(max_connections=connections_max, max_keepalive_connections=connections_max)
        secret = provider.key.get_secret_value() if provider.key else None
        self._http = httpx2.AsyncClient(
            transport=RecordingTransport(httpx2.AsyncHTTPTransport(limits=limits), reply_bytes_max, secret),
            timeout=httpx2.Timeout(None, connect=CONNECT_WITHIN_S),  # the deadline of the round bounds the rest
            follow_redirects=False,
        )
        self._models: dict[str, Model] = {}

    async def call(self, parameters: LlmParameters, messages: Sequence[Message]) -> Said:
        """Raises whatever the SDK raises; the exchange (transport.py) says what it was."""
        response = await model_request(
            self._model(parameters.model), _written(messages), model_settings=self._settings(parameters)
        )
        usage = response.usage
        told = usage.input_tokens + usage.output_tokens > 0
        return Said(
            text="".join(part.content for part in response.parts if isinstance(part, TextPart)),
            input_tokens=usage.input_tokens if told else None,
            cached_tokens=usage.cache_read_tokens,
            output_tokens=usage.output_tokens if told else None,
        )

    async def close(self) -> None:
        await self._http.aclose()

    def _model(self, name: str) -> Model:
        if name not in self._models:
            self._models[name] = self._made(name)
        return self._models[name]

    def _made(self, name: str) -> Model:
        provider = self._provider
        if provider.speaks == "anthropic":
            anthropic = AsyncAnthropic(
                base_url=provider.base_url, api_key=provider.secret, http_client=self._http, max_retries=0
            )
            return AnthropicModel(name, provider=AnthropicProvider(anthropic_client=anthropic))
        client = AsyncOpenAI(base_url=provider.base_url, api_key=provider.secret, http_client=self._http, max_retries=0)
        match provider.name:
            case "deepseek":
                return OpenAIChatModel(name, provider=DeepSeekProvider(openai_client=client))
            case "qwen":
                return OpenAIChatModel(name, provider=AlibabaProvider(openai_client=client), profile=_MAX_TOKENS)
            case "openai":
                return OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client))
        compatible = OpenAICompatibleProvider(provider.name, openai_client=client)
        return OpenAIChatModel(name, provider=compatible, profile=_MAX_TOKENS)

    def _settings(self, parameters: LlmParameters) -> ModelSettings:
        """What is null is not sent."""
        sampling = {"temperature": parameters.temperature, "top_p": parameters.top_p, "seed": parameters.seed}
        settings: dict[str, Any] = {"max_tokens": parameters.max_tokens}
        settings |= {name: _number(value) for name, value in sampling.items() if value is not None}
        by_default = self._provider.json_mode_by_default
        if by_default if parameters.json_mode is None else parameters.json_mode:
            settings["extra_body"] = {"response_format": {"type": "json_object"}}
        return cast(ModelSettings, settings)


def _number(value: Decimal | int) -> float | int:
    return value if isinstance(value, int) else float(value)


def _written(messages: Sequence[Message]) -> list[ModelMessage]:
    written: list[ModelMessage] = []
    parts: list[SystemPromptPart | UserPromptPart] = []
    for message in messages:
        if message.role == "assistant":
            written += [ModelRequest(parts=parts), ModelResponse(parts=[TextPart(message.text)])]
            parts = []
        else:
            parts.append(SystemPromptPart(message.text) if message.role == "system" else UserPromptPart(message.text))
    return [*written, ModelRequest(parts=parts)]
