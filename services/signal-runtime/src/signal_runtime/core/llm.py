"""How a language model of a season is asked: what the frozen parameters of its competitor say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

from signal_runtime.core.models.offline_llm import PERSONAS
from signal_runtime.core.parameters import BadParameter, read_parameters
from signal_runtime.core.prompt import Language, PromptTerms

MODEL_ID_LENGTH_MAX = 50
"""With its provider's name before it, it fits into a label of the contracts."""


@dataclass(frozen=True, slots=True)
class LlmParameters:
    """Null: not sent, the provider's own default counts."""

    model: str = ""
    """The provider's id of a pinned model."""
    max_tokens: int = field(default=4_096, metadata={"low": 16, "high": 131_072})
    temperature: Decimal | None = field(default=None, metadata={"low": 0, "high": 2})
    top_p: Decimal | None = field(default=None, metadata={"low": 0, "high": 1})
    seed: int | None = field(default=None, metadata={"low": 0, "high": 2**31 - 1})
    json_mode: bool | None = None
    """Whether the provider is told that nothing but JSON may come; null: as the provider's adapter has it."""
    prompt_version: str = "1"
    language: str = field(default="en", metadata={"choices": ("en", "zh")})
    prompt_tokens_max: int = field(default=16_000, metadata={"low": 1_000, "high": 1_000_000})
    offline_persona: str = field(default="careful", metadata={"choices": tuple(PERSONAS)})
    """Who stands in for it where the provider has no key."""

    def terms(self) -> PromptTerms:
        return PromptTerms(
            version=self.prompt_version, language=cast(Language, self.language), tokens_max=self.prompt_tokens_max
        )


def read_llm_parameters(written: Mapping[str, str], *, seeds: bool, json_mode: bool) -> LlmParameters:
    """`seeds`, `json_mode`: whether the provider has them. Raises BadParameter."""
    read = read_parameters(LlmParameters, written)
    if not read.model:
        raise BadParameter("model: is required, the provider's id of a pinned model")
    if len(read.model) > MODEL_ID_LENGTH_MAX or not read.model.isprintable():
        raise BadParameter(f"model: must be printable and at most {MODEL_ID_LENGTH_MAX} characters")
    if read.seed is not None and not seeds:
        raise BadParameter("seed: this provider takes none")
    if read.json_mode and not json_mode:
        raise BadParameter("json_mode: this provider has none")
    return read
