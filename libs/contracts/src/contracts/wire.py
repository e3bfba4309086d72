"""Events to Kafka records and back: JSON values, CloudEvents 1.0 binary headers, W3C trace context."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from pydantic import ValidationError

from contracts.base import Event
from contracts.topics import TOPICS

VALUE_BYTES_MAX = 1_000_000
Headers = list[tuple[str, bytes]]


class BadRecord(ValueError):
    """The record breaks its contract; the message names the field and the rule."""


class Encoded(NamedTuple):
    """A record without its place in the sequence of its source: what is staged and sent."""

    topic: str
    partition: int | None
    """None: the one the key hashes to."""
    key: bytes
    value: bytes
    headers: Headers


def encode(event: Event, *, topic: str | None = None, partition: int | None = None) -> Encoded:
    """The event as a record. `ce_source` and `ce_sequence` are added by whoever counts (`numbered`)."""
    value = event.__pydantic_serializer__.to_json(event)
    if not _in_order(value):
        raise ValueError(f"{type(event).__name__}: event_id and at must be the first of its fields, in this order")
    event_id, rest = value[13:49], value[57:90]  # {"event_id":"…36…","at":"…": whatever the event, it begins with these
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id),
        ("ce_type", _type_of(type(event))),
        ("ce_time", rest[: rest.index(b'"')]),
        ("content-type", b"application/json"),
    ]
    if event.traceparent:
        headers.append(("traceparent", event.traceparent.encode()))
    return Encoded(topic or event.topic, partition, event.key.encode(), value, headers)


def _in_order(value: bytes) -> bool:
    return value.startswith(b'{"event_id":"') and value[49:57] == b'","at":"'


@cache
def _type_of(model: type[Event]) -> bytes:
    return f"arena.{model.model_fields['type'].default}".encode()


def numbered(headers: Headers, source: str, sequence: int) -> Headers:
    """The headers with the two numbers by which every reader drops repeats."""
    return [*headers, ("ce_source", source.encode()), ("ce_sequence", b"%d" % sequence)]


def decode(topic: str, value: bytes | None, headers: Mapping[str, bytes] | Iterable[tuple[str, bytes]] = ()) -> Any:
    """The event of `topic` that the record holds. Raises BadRecord where it breaks the contract."""
    if value is None:
        raise BadRecord("value: a record of this topic has one")
    if len(value) > VALUE_BYTES_MAX:
        raise BadRecord(f"value: {len(value)} bytes, at most {VALUE_BYTES_MAX} are read")
    try:
        event: Event = TOPICS[topic].adapter.validate_json(value)
    except ValidationError as error:
        raise BadRecord(explain(error)) from None
    content = (headers if isinstance(headers, dict) else dict(headers)).get("traceparent")
    if content is not None:
        # Nobody else has seen the event yet: a copy would cost a third of the parse.
        event.__dict__["traceparent"] = content.decode("ascii", "replace")[:128]
    return event


def explain(error: ValidationError, most: int = 5) -> str:
    """One line a broken rule: where it is and what it wants; never more of the input than its type."""
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    lines = [f"{'.'.join(map(str, entry['loc'])) or 'value'}: {entry['msg']}" for entry in errors[:most]]
    return "; ".join(lines) + (f"; and {len(errors) - most} more" if len(errors) > most else "")


def header(headers: Iterable[tuple[str, bytes]], name: str) -> str | None:
    value: Mapping[str, bytes] = dict(headers)
    return value[name].decode("utf-8", "replace") if name in value else None
