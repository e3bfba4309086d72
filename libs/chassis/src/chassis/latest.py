"""The latest event of each key of a topic, read by every instance without a group. (API skeleton; bodies follow.)"""

from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, TypeVar

from contracts.base import Event

E = TypeVar("E", bound=Event)
T = TypeVar("T")


class LatestValues(Generic[E]):
    """Compacted topics are read from the beginning, others from the last 5,000 records of each partition.

    After `start` (or `async with`) everything that was in the topic is known. `keep` chooses the events to remember.
    """

    def __init__(
        self,
        kafka: str,
        topic: str,
        key: Callable[[E], Hashable] | None = None,
        *,
        keep: Callable[[E], bool] | None = None,
        on_event: Callable[[E], None] | None = None,
    ) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> "LatestValues[E]":
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    def get(self, key: Hashable) -> E | None:
        raise NotImplementedError

    def values(self) -> Iterator[E]:
        raise NotImplementedError

    def watermark(self) -> datetime | None:
        """The least of the partitions' latest TimeAdvanced; None until each has had one."""
        raise NotImplementedError

    async def wait(self, predicate: Callable[[], T | None], timeout_s: float) -> T:
        """The predicate's first result that is neither None nor False; asked again whenever something came.

        Raises TimeoutError, and whatever ended the reader.
        """
        raise NotImplementedError

    def changes(self) -> AsyncIterator[Any]:
        """Every event from now on (TimeAdvanced too), in order within a partition."""
        raise NotImplementedError
