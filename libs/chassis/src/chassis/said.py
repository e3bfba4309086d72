"""After a restore: what the topics hold already is not said again.

A database restored to an older point decides old inputs anew. Their outputs are known by their ids, which derive from
the causes; those that are on the topics stay as they are, and what follows is numbered on from them.

Compaction may have removed what came before the latest event of a key, and a stage's own watermarks fall where its
batches end: of those everything up to the latest is taken as said.
"""

from collections.abc import Mapping
from datetime import datetime

import msgpack
from contracts.topics import TOPICS
from contracts.wire import Encoded

WATERMARK = b"arena.time_advanced"


class Said:
    """Of one service: what one partition caused then, another may cause now (the last verdict of a round)."""

    def __init__(
        self, ids: set[bytes] | None = None, latest: dict[tuple[str, bytes], tuple[str, bytes]] | None = None
    ) -> None:
        self._ids = ids or set()
        self._latest = latest or {}
        """By topic and key: time and id."""

    def __bool__(self) -> bool:
        return bool(self._ids or self._latest)

    def add(self, topic: str, key: bytes, headers: Mapping[str, bytes]) -> None:
        """A record that is on a topic, in the order of its partition."""
        if _up_to_the_latest(topic, headers):
            self._latest[topic, key] = headers["ce_time"].decode(), headers["ce_id"]
        else:
            self._ids.add(headers["ce_id"])

    def covers(self, record: Encoded) -> bool:
        """Whether the record, about to be staged, is there already. Asked once for each, in order."""
        headers = dict(record.headers)
        if not _up_to_the_latest(record.topic, headers):
            known = headers["ce_id"] in self._ids
            self._ids.discard(headers["ce_id"])
            return known
        where = record.topic, record.key
        at, last_id = self._latest.get(where, ("", b""))
        if not at:
            return False
        covered = datetime.fromisoformat(headers["ce_time"].decode()) <= datetime.fromisoformat(at)
        if not covered or headers["ce_id"] == last_id:
            del self._latest[where]
        return covered

    def packed(self) -> bytes:
        packed: bytes = msgpack.packb((sorted(self._ids), [(*where, *last) for where, last in self._latest.items()]))
        return packed

    @classmethod
    def unpacked(cls, packed: bytes | None) -> "Said":
        if packed is None:
            return cls()
        ids, latest = msgpack.unpackb(packed, use_list=False)
        return cls(set(ids), {(topic, key): (at, last_id) for topic, key, at, last_id in latest})


def unsaid(said: Said | None, records: list[Encoded]) -> list[Encoded]:
    return [record for record in records if not said.covers(record)] if said else records


def _up_to_the_latest(topic: str, headers: Mapping[str, bytes]) -> bool:
    return TOPICS[topic].compacted or headers.get("ce_type") == WATERMARK
