"""Many seeds on several processes, and the figures of all together."""

import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from arena.simulation import ports
from arena.simulation.run import Case, Outcome, play


def outcomes(cases: Sequence[Case], workers: int) -> Iterator[Outcome]:
    """In the order of the cases, each as soon as it and those before it are there."""
    if workers == 1 or len(cases) == 1:
        yield from map(_played, cases)
        return
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=100) as pool:
        yield from pool.imap(_played, cases)


def _played(case: Case) -> Outcome:
    with ports.simulated():
        return play(case)


def figures(cases: Sequence[Case], played: Sequence[Outcome]) -> dict[str, Any]:
    """`simulated_seconds_per_second` is arena time by CPU time: it says the same on a busy machine."""
    faults: Counter[str] = Counter()
    figures: Counter[str] = Counter()
    for outcome in played:
        faults.update(outcome.faults)
        figures.update(outcome.figures)
    simulated_s, cpu_s = sum(each.simulated_s for each in played), sum(each.cpu_s for each in played)
    return {
        "seeds": [case.seed for case in cases] if len(cases) == 1 else f"{cases[0].seed}..{cases[-1].seed}",
        "runs": len(played),
        "hours": round(simulated_s / 3_600, 3),
        "competitor_hours": round(sum(each.simulated_s / 3_600 * each.case.competitors for each in played), 3),
        "events": sum(each.events for each in played),
        "faults": dict(sorted(faults.items())),
        **figures,
        "violations": [each.violation._asdict() for each in played if each.violation is not None],
        "simulated_seconds_per_second": round(simulated_s / cpu_s, 1) if cpu_s else 0,
    }
