"""The synthetic venue: six instruments, any seed, any start, any speed."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from contracts.market import InstrumentListed

from exchanges.defects import Defects
from exchanges.listing import listed
from exchanges.synthetic.feed import SyntheticFeed
from exchanges.synthetic.history import history
from exchanges.synthetic.parameters import CHARACTERS
from exchanges.updates import Bar

HISTORY_DAYS = 11
"""Enough for ten warm points of a 50-bar average of 4-hour bars."""


class Synthetic:
    name = "synthetic"

    def __init__(self, seed: int, *, step: timedelta = timedelta(seconds=1)) -> None:
        if not 0 <= seed < 2**32:
            raise ValueError("a seed is from 0 up to 2^32 - 1")
        self._seed, self._step, self.defects = seed, step, Defects()
        self.starts_at: datetime | None = None

    def instruments(self, at: datetime) -> Sequence[InstrumentListed]:
        return [listed(character.listing, self.name, at) for character in CHARACTERS]

    def history(self, before: datetime) -> Iterator[Bar]:
        return history(self._seed, before, HISTORY_DAYS)

    def feed(self, start: datetime, resume: bytes | None = None) -> SyntheticFeed:
        return SyntheticFeed(self._seed, start, self._step, resume)
