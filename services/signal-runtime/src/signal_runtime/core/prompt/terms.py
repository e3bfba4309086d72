"""What goes into a prompt beside the view, and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Rationale:
    """Why the competitor opened a position it still holds, in its own words: the entry of its stored answer."""

    round: int
    justification: str = ""
    confidence: Decimal | None = None
    risk_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PromptTerms:
    version: str = "1"
    """Of the template; part of what a season freezes."""
    language: Language = "en"
    tokens_max: int = 24_000
    """Budget of system and user text together, by `estimated_tokens`; what is never cut may go beyond it."""
    points: int = 10
    """Bars shown of each series, before the budget shortens them."""
    rationales: Mapping[str, Rationale] = field(default_factory=dict)
    """By instrument, of the positions held."""
    sharpe: Decimal | None = None
    """Of the season so far; null while it is not defined."""


@dataclass(frozen=True, slots=True)
class Prompt:
    system: str
    user: str
    version: str
    language: Language
    sha256: str
    """Of the UTF-8 bytes of `system`, one zero byte, `user`."""
    estimated_tokens: int
