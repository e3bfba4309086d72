"""The unit of work of a stage: read, drop repeats, decide, save; commit; publish. (API skeleton; bodies follow.)"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import asyncpg
from contracts.base import Event


class Fenced(Exception):
    """Another worker moved this partition on: this process must stop."""


class Partition(NamedTuple):
    topic: str
    number: int


class Out(NamedTuple):
    """An output with another topic or an explicit partition than its event's own."""

    event: Event
    topic: str | None = None
    partition: int | None = None


class Record(Protocol):
    """What aiokafka's consumer hands over."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


Connection = asyncpg.Connection[Any]


class Stage(Protocol):
    async def load(self, db: Connection, partition: Partition) -> None:
        """Read the state of the partition's keys, whatever memory held of it before."""

    async def prepare(self, events: Sequence[Event]) -> None:
        """Await what the decisions on these events need from elsewhere; called once a poll, before the first decide."""

    def decide(self, partition: Partition, event: Event) -> Sequence[Event | Out]:
        """Change the state in memory; say what follows."""

    async def save(self, db: Connection) -> None:
        """Write what changed since the last save, inside the step's transaction."""
