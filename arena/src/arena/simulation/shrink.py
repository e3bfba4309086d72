"""The shortest run that still breaks the same invariant: less time, fewer competitors, fewer faults."""

from collections.abc import Callable
from dataclasses import replace

from arena.simulation.run import Case, Outcome

LEAST_HOURS = 0.05
BASELINES = 2
"""Competitors that every season has."""
Play = Callable[[Case], Outcome]


def shrunk(found: Outcome, play: Play, *, attempts: int = 60) -> Outcome:
    """At most so many runs; what is returned breaks what `found` breaks."""
    search = _Search(found, play, attempts)
    search.fewer_faults()
    search.less_time()
    search.fewer_competitors()
    search.fewer_kinds()
    search.fewer_faults()
    return search.best


class _Search:
    def __init__(self, found: Outcome, play: Play, attempts: int) -> None:
        assert found.violation is not None
        self.best, self._name = found, found.violation.name
        self._play, self._left = play, attempts

    def _try(self, case: Case) -> bool:
        if self._left <= 0:
            return False
        self._left -= 1
        outcome = self._play(case)
        if outcome.violation is None or outcome.violation.name != self._name:
            return False
        self.best = outcome
        return True

    def less_time(self) -> None:
        while (hours := self.best.case.hours / 2) >= LEAST_HOURS and self._try(replace(self.best.case, hours=hours)):
            pass

    def fewer_competitors(self) -> None:
        while (fewer := self.best.case.competitors // 2) >= BASELINES and self._try(
            replace(self.best.case, competitors=fewer)
        ):
            pass

    def fewer_kinds(self) -> None:
        if self._try(replace(self.best.case, faults=frozenset(), cut=None)):
            return
        for name in sorted(self.best.case.faults):
            self._try(replace(self.best.case, faults=self.best.case.faults - {name}))

    def fewer_faults(self) -> None:
        """The first faults up to the one that it takes, by bisection."""
        low, high = -1, self.best.total
        while low + 1 < high:
            middle = (low + high) // 2
            if self._try(replace(self.best.case, cut=middle)):
                high = middle
            else:
                low = middle
