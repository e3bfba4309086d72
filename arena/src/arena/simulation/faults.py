"""What may go wrong, how often it did, and by which seed. Every draw of a run comes from its one `random.Random`."""

import math
import random
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple


class Fault(NamedTuple):
    """`rate`: its chance each time it could happen."""

    rate: float
    what: str


FAULTS: dict[str, Fault] = {
    "delayed": Fault(0.006, "a partition's records reach one reader seconds late"),
    "redelivered": Fault(0.01, "a reader is handed records again, or a batch is written twice"),
    "reordered": Fault(0.05, "records of one partition (so of some keys) overtake those of another"),
    "gap": Fault(0.004, "a reader is handed records from beyond where it stands"),
    "rebalanced": Fault(0.5, "a second worker comes or goes and takes partitions over"),
    "zombie": Fault(0.5, "a worker stands still, loses its partitions to another and goes on"),
    "crashed": Fault(0.0007, "a process dies between two effects: before one, after one, or with its answer lost"),
    "skewed": Fault(0.3, "a process reads a clock that is wrong"),
    "stale": Fault(0.5, "an instrument's prices stand still while time goes on"),
    "market_gap": Fault(0.4, "an instrument's records of some minutes are missing"),
    "venue_lost": Fault(0.005, "executions that were committed are not sent before the venue dies"),
    "venue_late": Fault(0.02, "executions reach the books late"),
    "venue_duplicated": Fault(0.02, "executions are sent twice"),
    "venue_reordered": Fault(0.02, "executions of one competitor overtake another's"),
    "llm_late": Fault(0.01, "a model answers after the deadline"),
    "llm_malformed": Fault(0.02, "a model answers nonsense"),
    "operator": Fault(0.5, "an operator halts, resumes or flattens in the middle of it"),
}
"""Stable names."""

VENUE = {
    "lost": "venue_lost", "delayed": "venue_late", "redelivered": "venue_duplicated", "reordered": "venue_reordered",
}  # fmt: skip


class UnknownFault(ValueError):
    """The message names the fault and all there are."""


def named(text: str) -> frozenset[str]:
    """Of `all`, `none` or names with commas between. Raises UnknownFault."""
    if text in ("all", "none"):
        return frozenset(FAULTS if text == "all" else ())
    names = frozenset(name.strip() for name in text.split(","))
    if strange := sorted(names - FAULTS.keys()):
        raise UnknownFault(f"{strange[0]}: is none of all, none, {', '.join(FAULTS)}")
    return names


class Faults:
    """`cut`: only so many faults happen, the first ones; the draws go on, so that a smaller cut is a prefix."""

    def __init__(self, seed: int, enabled: Collection[str], cut: int | None = None) -> None:
        self.random = random.Random(seed)
        self._enabled, self._cut = frozenset(enabled), math.inf if cut is None else cut
        self.counts: Counter[str] = Counter()
        self.total = 0

    def happens(self, name: str, rate: float | None = None) -> bool:
        """Counted where it does; who asks makes it happen."""
        chance = FAULTS[name].rate if rate is None else rate
        return self.random.random() < chance and name in self._enabled and self._count(name)

    def _count(self, name: str) -> bool:
        if self.total >= self._cut:
            return False
        self.total += 1
        self.counts[name] += 1
        return True

    def stop(self) -> None:
        """From now on nothing goes wrong."""
        self._cut = self.total

    def seconds(self, mean: float, most: float) -> float:
        return min(self.random.expovariate(1 / mean), most)
