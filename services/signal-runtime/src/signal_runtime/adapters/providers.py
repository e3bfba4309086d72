"""The providers of language models: how each is spoken to, where, and with which key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from signal_runtime.settings import Settings

Protocol = Literal["openai", "anthropic"]


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    speaks: Protocol
    base_url: str
    """Empty: none is told, nothing can be asked."""
    key: SecretStr | None = None
    keyless: bool = False
    """A server that may want no key: an address is enough."""
    seeds: bool = True
    json_mode: bool = True
    """Whether it has one."""
    json_mode_by_default: bool = True
    prices: str | None = None
    """Its name in genai-prices; null: what a call costs is unknown."""

    @property
    def live(self) -> bool:
        return bool(self.base_url) and (self.key is not None or self.keyless)

    @property
    def secret(self) -> str:
        """The SDKs want a key even where the server wants none."""
        return self.key.get_secret_value() if self.key else "none"


def providers_of(settings: Settings) -> Sequence[Provider]:
    return (
        Provider("deepseek", "openai", settings.deepseek_base_url, _key(settings.deepseek_api_key),
                 seeds=False, prices="deepseek"),
        Provider("qwen", "openai", settings.qwen_base_url, _key(settings.qwen_api_key)),
        Provider("openai", "openai", settings.openai_base_url, _key(settings.openai_api_key), prices="openai"),
        Provider("anthropic", "anthropic", settings.anthropic_base_url, _key(settings.anthropic_api_key),
                 seeds=False, json_mode=False, json_mode_by_default=False, prices="anthropic"),
        Provider("openai-compatible", "openai", settings.openai_compatible_base_url,
                 _key(settings.openai_compatible_api_key), keyless=True, json_mode_by_default=False),
    )  # fmt: skip


def _key(given: SecretStr | None) -> SecretStr | None:
    """An empty one is none."""
    return given if given is not None and given.get_secret_value().strip() else None
