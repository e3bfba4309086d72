"""One way to write a value as bytes, so that a hash means the same everywhere.

JSON with sorted keys, no white space and UTF-8. Decimals and times are strings on the wire, integers stay within
2^53 in hashed values and there are no floats, so the form agrees with RFC 8785.
"""

import hashlib
import json
from typing import Any

from pydantic import BaseModel


def canonical_bytes(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def content_sha256(model: BaseModel, *, without: frozenset[str] = frozenset()) -> str:
    """Hex SHA-256 of the model's canonical JSON, its fields `without` left out."""
    return hashlib.sha256(canonical_bytes(model.model_dump(mode="json", exclude=set(without)))).hexdigest()


SNAPSHOT_UNHASHED = frozenset({"event_id", "sha256"})


def snapshot_bytes(snapshot: BaseModel) -> bytes:
    """The bytes that a `MarketSnapshot`'s `sha256` is of: everything but its id and the hash itself."""
    return canonical_bytes(snapshot.model_dump(mode="json", exclude=set(SNAPSHOT_UNHASHED)))
