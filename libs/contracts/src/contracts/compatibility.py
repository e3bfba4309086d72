"""May a public event change like this within its version? Two questions, both must be answered with yes.

1. Can readers of the old schema read what is written under the new one?
2. Can readers of the new schema read what was written under the old one and is still kept?

A writer's schema is taken as closed (it writes no field it does not name), a reader's as open (it passes over what it
does not know): with the plain schemas alone, an open writer would make every added field look like a break.
"""

import json
from typing import Any

from jsoncompat import check_compat

Schema = dict[str, Any]


def breaks(old: Schema, new: Schema) -> list[str]:
    """Why the change from `old` to `new` is not allowed within a version; empty where it is."""
    reasons = []
    if not check_compat(json.dumps(_open(old)), json.dumps(_closed(new)), "serializer"):
        reasons.append("old readers cannot read new data")
    if not check_compat(json.dumps(_closed(old)), json.dumps(_open(new)), "deserializer"):
        reasons.append("new readers cannot read kept data")
    return reasons


def _open(schema: Any) -> Any:
    return _with_additional(schema, allowed=True)


def _closed(schema: Any) -> Any:
    return _with_additional(schema, allowed=False)


def _with_additional(schema: Any, *, allowed: bool) -> Any:
    if isinstance(schema, list):
        return [_with_additional(part, allowed=allowed) for part in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: _with_additional(part, allowed=allowed) for key, part in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        changed["additionalProperties"] = allowed
    return changed
