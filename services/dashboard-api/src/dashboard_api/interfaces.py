"""Writes what others program against: OpenAPI and the GraphQL schema. Run: `python -m dashboard_api.interfaces`."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from dashboard_api.rest import create_rest
from dashboard_api.schema import schema
from dashboard_api.settings import Settings
from dashboard_api.site import Site


def openapi() -> str:
    document = create_rest(Site(Settings(web_dir=None))).openapi()
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def sdl() -> str:
    return schema.as_str() + "\n"


WRITTEN: Mapping[str, Callable[[], str]] = {"openapi.json": openapi, "schema.graphql": sdl}


def folder() -> Path:
    """The service's, in a checkout."""
    return Path(__file__).resolve().parents[2]


if __name__ == "__main__":
    for name, written in WRITTEN.items():
        (folder() / name).write_text(written(), encoding="utf-8")
