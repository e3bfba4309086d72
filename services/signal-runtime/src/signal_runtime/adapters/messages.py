"""What is said to a model and what it says, in no provider's format."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Message:
    """`system` first, then `user` and `assistant` by turns."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    text: str
    input_tokens: int | None = None
    cached_tokens: int = 0
    """Of the input, read from the provider's cache."""
    output_tokens: int | None = None
