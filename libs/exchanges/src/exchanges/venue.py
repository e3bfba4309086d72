"""The one protocol of venues, market data side."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from contracts.market import InstrumentListed

from exchanges.defects import Defects
from exchanges.updates import Bar, Step


class Feed(Protocol):
    """A run through the market. Nobody waits in it: whoever iterates sets the pace."""

    def __iter__(self) -> Iterator[Step]:
        """Steps in order of `at`, each at another time; it ends where the venue has no more to say."""

    def state(self) -> bytes:
        """Opaque JSON after the step just yielded: `feed(start, resume=state)` goes on with the next, byte for byte."""


class Venue(Protocol):
    name: str
    starts_at: datetime | None
    """Where a recording begins; None: the venue begins whenever it is asked to."""
    defects: Defects

    def instruments(self, at: datetime) -> Sequence[InstrumentListed]: ...

    def history(self, before: datetime) -> Iterable[Bar]:
        """One-minute bars closed at or before `before`, each instrument's in order. Empty where the venue has none."""

    def feed(self, start: datetime, resume: bytes | None = None) -> Feed: ...
