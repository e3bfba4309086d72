"""`render`: the view and the terms as text."""

import hashlib

from signal_runtime.core.prompt.terms import Prompt, PromptTerms
from signal_runtime.core.view import View


def render(view: View, terms: PromptTerms) -> Prompt:
    system, user = "", f"Round {view.request.round}"
    sha256 = hashlib.sha256(f"{system}\0{user}".encode()).hexdigest()
    return Prompt(system, user, terms.version, terms.language, sha256, len(user))
