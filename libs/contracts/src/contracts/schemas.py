"""The published form of the contracts: a JSON Schema an event and one AsyncAPI 3 document, written from the code.

`python -m contracts.schemas` writes them beside the package; a test keeps the committed files equal to the code.
"""

import json
import sys
from pathlib import Path
from typing import Any

from contracts.base import Event
from contracts.topics import TOPICS, Topic

ROOT = Path(__file__).parents[2]
DIALECT = "https://json-schema.org/draft/2020-12/schema"

HEADERS: dict[str, Any] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_time", "ce_source", "ce_sequence", "content-type"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid", "description": "the value's event_id"},
        "ce_type": {"type": "string", "description": "arena.<the value's type>"},
        "ce_time": {"type": "string", "format": "date-time", "description": "the value's at"},
        "ce_source": {"type": "string", "description": "who counted ce_sequence"},
        "ce_sequence": {
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "rises within a ce_source; a record whose number is not above the last one seen is a repeat",
        },
        "content-type": {"const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C trace context"},
    },
}


def event_schema(event: type[Event]) -> dict[str, Any]:
    """The reader's schema: what every version of the event, old and new, satisfies."""
    return {"$schema": DIALECT, **event.model_json_schema(mode="validation")}


def documents() -> dict[str, str]:
    """Path below the package's root -> content."""
    files = {
        f"schemas/{topic.name}/{event.__name__}.json": event_schema(event)
        for topic in TOPICS.values()
        for event in topic.event_types
    }
    return {path: _json(content) for path, content in {**files, "asyncapi.json": asyncapi()}.items()}


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 from the subscriber's view: every operation receives."""
    events = {event for topic in TOPICS.values() for event in topic.event_types}
    messages = {event.__name__: _message(event) for event in sorted(events, key=lambda event: event.__name__)}
    schemas: dict[str, Any] = {}
    for event in sorted(events, key=lambda event: event.__name__):
        schema = event.model_json_schema(mode="validation", ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[event.__name__] = schema
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Open Nof1",
            "version": "1.0.0",
            "description": "Readers pass over fields they do not know and read an unknown enum value as 'other'.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS.values()},
        "operations": {f"receive {topic.name}": _operation(topic) for topic in TOPICS.values()},
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    configuration = {"cleanup.policy": ["compact" if topic.compacted else "delete"]}
    if topic.kept is not None:
        configuration |= {"retention.ms": int(topic.kept.total_seconds() * 1000)}  # type: ignore[dict-item]
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}. Written by {topic.producer}.",
        "tags": [{"name": "public" if topic.public else "internal"}],
        "messages": {
            event.__name__: {"$ref": f"#/components/messages/{event.__name__}"} for event in topic.event_types
        },
        "bindings": {"kafka": {"topic": topic.name, "topicConfiguration": configuration, "bindingVersion": "0.5.0"}},
    }


def _operation(topic: Topic) -> dict[str, Any]:
    return {"action": "receive", "channel": {"$ref": f"#/channels/{topic.name}"}}


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.model_fields["type"].default,
        "contentType": "application/json",
        "headers": HEADERS,
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(root: Path = ROOT) -> None:
    wanted = documents()
    for path, content in wanted.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    for stale in {str(path.relative_to(root)) for path in (root / "schemas").rglob("*.json")} - wanted.keys():
        (root / stale).unlink()
    sys.stdout.write(f"{len(wanted)} documents written\n")


if __name__ == "__main__":
    main()
