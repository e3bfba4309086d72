"""Creates the topics of the contracts and the dead letters. (API skeleton; bodies follow.)"""

from collections.abc import Sequence
from typing import NamedTuple


class Provisioned(NamedTuple):
    created: tuple[str, ...]
    existing: tuple[str, ...]


class Differs(Exception):
    """A topic is there with other partitions than wanted: keys would move."""


async def provision(
    kafka: str,
    *,
    competitor_partitions: int = 12,
    market_partitions: int = 6,
    replication: int = 1,
    services: Sequence[str] = (),
) -> Provisioned:
    """Idempotent; raises Differs. `services` beyond contracts.topics.SERVICES get a dead-letter topic too."""
    raise NotImplementedError


async def partition_count(kafka: str, topic: str) -> int:
    """As the broker says; raises LookupError where there is no such topic."""
    raise NotImplementedError
