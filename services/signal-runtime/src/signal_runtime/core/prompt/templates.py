"""The words of each version and language, read once when the code is: a template is part of it."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from signal_runtime.core.prompt.terms import Language


class UnknownTemplate(LookupError):
    """There is no template of that version and language."""


def _read() -> Mapping[tuple[str, str], Mapping[str, Any]]:
    folder = files("signal_runtime.core.prompt") / "templates"
    named = [(file.name.removesuffix(".toml"), file) for file in folder.iterdir() if file.name.endswith(".toml")]
    return {tuple(name.rsplit(".", 1)): tomllib.loads(file.read_text("utf-8")) for name, file in named}  # type: ignore[misc]


TEMPLATES = _read()
"""By (version, language)."""


def words(version: str, language: Language) -> Mapping[str, Any]:
    if (version, language) not in TEMPLATES:
        there = ", ".join(sorted(".".join(key) for key in TEMPLATES))
        raise UnknownTemplate(f"{version}.{language}: is none of {there}")
    return TEMPLATES[version, language]
