"""The committed schemas and AsyncAPI document are those of the code; no event broke its released form."""

import json
from pathlib import Path
from typing import Any

import pytest
from contracts.compatibility import breaks
from contracts.schemas import ROOT, documents, event_schema
from contracts.topics import TOPICS
from jsonschema import Draft202012Validator

RELEASED = ROOT / "released"
DOCUMENTS = documents()


def released_schemas() -> list[Path]:
    return sorted(RELEASED.glob("*/*/*.json"))


@pytest.mark.parametrize("path", sorted(DOCUMENTS))
def test_a_committed_document_equals_the_code(path: str) -> None:
    assert (ROOT / path).read_text() == DOCUMENTS[path], "run `make schemas` and commit the result"


def test_no_schema_is_left_of_an_event_that_is_gone() -> None:
    committed = {str(path.relative_to(ROOT)) for path in (ROOT / "schemas").rglob("*.json")}

    assert committed == DOCUMENTS.keys() - {"asyncapi.json"}


@pytest.mark.parametrize("path", released_schemas(), ids=lambda path: "/".join(path.parts[-3:]))
def test_an_event_keeps_faith_with_every_release(path: Path) -> None:
    topic, event = path.parent.name, path.stem
    now = {kind.__name__: kind for kind in TOPICS[topic].event_types}
    assert event in now, f"{event} was released on {topic}: within a version no event disappears"

    assert breaks(json.loads(path.read_text()), event_schema(now[event])) == []


def test_there_is_a_release_to_keep_faith_with() -> None:
    assert len(released_schemas()) >= 40


def schema(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
BASE = schema({"a": TEXT, "b": TEXT, "side": {"enum": ["buy", "sell"]}}, ["a", "side"])
OLD_READERS, NEW_READERS = "old readers cannot read new data", "new readers cannot read kept data"


@pytest.mark.parametrize(
    ("change", "new", "expected"),
    [
        ("add optional", schema({**BASE["properties"], "c": TEXT}, ["a", "side"]), []),
        ("add required", schema({**BASE["properties"], "c": TEXT}, ["a", "side", "c"]), [NEW_READERS]),
        ("drop optional", schema({"a": TEXT, "side": BASE["properties"]["side"]}, ["a", "side"]), []),
        ("drop required", schema({"b": TEXT, "side": BASE["properties"]["side"]}, ["side"]), [OLD_READERS]),
        ("required to optional", schema(BASE["properties"], ["side"]), [OLD_READERS]),
        (
            "widen enum",
            schema({**BASE["properties"], "side": {"enum": ["buy", "sell", "none"]}}, ["a", "side"]),
            [OLD_READERS],
        ),
        ("narrow enum", schema({**BASE["properties"], "side": {"enum": ["buy"]}}, ["a", "side"]), [NEW_READERS]),
        (
            "text to whole number",
            schema({**BASE["properties"], "a": WHOLE}, ["a", "side"]),
            [OLD_READERS, NEW_READERS],
        ),
    ],
)
def test_the_compatibility_check_knows_the_kinds_of_change(
    change: str, new: dict[str, Any], expected: list[str]
) -> None:
    assert breaks(BASE, new) == expected, change


def test_every_schema_is_a_json_schema() -> None:
    for path, content in DOCUMENTS.items():
        if path != "asyncapi.json":
            Draft202012Validator.check_schema(json.loads(content))


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    document = json.loads(DOCUMENTS["asyncapi.json"])

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [ref for part in node.values() for ref in references(part)]
        return [ref for part in node for ref in references(part)] if isinstance(node, list) else []

    for reference in set(references(document)):
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
    assert document["channels"].keys() == TOPICS.keys()


def test_a_decimal_is_a_string_everywhere_in_the_schemas() -> None:
    numbers = [
        (path, name)
        for path, content in DOCUMENTS.items()
        if path != "asyncapi.json"
        for name, part in _properties(json.loads(content))
        if part.get("type") == "number"
    ]

    assert numbers == []


def test_every_text_list_and_whole_number_has_a_bound() -> None:
    unbounded = []
    for path, content in DOCUMENTS.items():
        if path == "asyncapi.json":
            continue
        for name, part in _properties(json.loads(content)):
            kind = part.get("type")
            if kind == "integer" and not {"maximum", "exclusiveMaximum"} & part.keys():
                unbounded.append((path, name))
            if kind == "array" and "maxItems" not in part:
                unbounded.append((path, name))
            if kind == "string" and not {"maxLength", "pattern", "format", "enum", "const"} & part.keys():
                unbounded.append((path, name))

    assert unbounded == []


def _properties(node: Any, name: str = "") -> list[tuple[str, dict[str, Any]]]:
    if isinstance(node, list):
        return [found for part in node for found in _properties(part, name)]
    if not isinstance(node, dict):
        return []
    own = [(name, node)] if "type" in node and isinstance(node["type"], str) else []
    return own + [found for key, part in node.items() for found in _properties(part, key)]
