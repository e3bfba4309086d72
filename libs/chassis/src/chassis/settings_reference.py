"""Writes docs/reference/settings.md from every service's `Settings`. Run: `python -m chassis.settings_reference`.

Services are imported by name, and only here: chassis imports no service.
"""

import argparse
import importlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from contracts.topics import SERVICES
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from chassis.settings import ServiceSettings

DOCUMENT = Path("docs/reference/settings.md")
HEAD = """# Settings

Written by `python -m chassis.settings_reference`; a test holds it to the code. A setting is read from the environment
variable named here, or from the file that `<VARIABLE>_FILE` names (as secrets are mounted).
"""
ROW = "| `{name}` | {kind} | {default} | {about} |"
TABLE = "| variable | type | default | meaning |\n|---|---|---|---|"


def reference(services: Sequence[str]) -> str:
    parts = [HEAD, "## Every service\n\n`<SERVICE>` is the service's name, e.g. `RISK_GATE`.\n", TABLE]
    parts += _rows("<SERVICE>_", ServiceSettings.model_fields)
    for service in services:
        settings = importlib.import_module(f"{service.replace('-', '_')}.settings").Settings
        prefix = settings.model_config["env_prefix"]
        own = {n: f for n, f in settings.model_fields.items() if n not in ServiceSettings.model_fields}
        parts += [f"\n## {service}\n", *([TABLE, *_rows(prefix, own)] if own else ["Nothing of its own."])]
    return "\n".join(parts) + "\n"


def _rows(prefix: str, fields: dict[str, FieldInfo]) -> Iterator[str]:
    for name, field in fields.items():
        kind, default = _kind(field.annotation), _default(field)
        about = (field.description or "").replace("|", "\\|")
        yield ROW.format(name=f"{prefix}{name.upper()}", kind=kind, default=default, about=about)


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    choices = [choice for choice in get_args(annotation) if choice is not type(None)]
    if get_origin(annotation) is None or not choices:
        return getattr(annotation, "__name__", str(annotation))
    if all(isinstance(choice, str) for choice in choices):
        return ", ".join(f"`{choice}`" for choice in choices)
    if get_origin(annotation) in (tuple, list):
        return "JSON list"
    return " or ".join(_kind(choice) for choice in choices)


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "found at the start"
    if field.default is PydanticUndefined:
        return "**required**"
    return "none" if field.default is None else f"`{field.default}`"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m chassis.settings_reference", description=__doc__)
    parser.add_argument("services", nargs="*", default=SERVICES, metavar="SERVICE")
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where it is not up to date")
    given = parser.parse_args()
    wanted = reference(given.services)
    if not given.check:
        given.document.parent.mkdir(parents=True, exist_ok=True)
        given.document.write_text(wanted, encoding="utf-8")
    elif not given.document.exists() or given.document.read_text(encoding="utf-8") != wanted:
        sys.exit(f"{given.document} is not what the settings say: run python -m chassis.settings_reference")


if __name__ == "__main__":
    main()
