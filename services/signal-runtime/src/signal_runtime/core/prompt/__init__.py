"""What a language model is asked: the round's market, its own account, the rules. Same view and terms, same bytes."""

from signal_runtime.core.prompt.rationales import opening_rounds, rationale
from signal_runtime.core.prompt.render import render
from signal_runtime.core.prompt.terms import Language, Prompt, PromptTerms, Rationale

__all__ = ["Language", "Prompt", "PromptTerms", "Rationale", "opening_rounds", "rationale", "render"]
