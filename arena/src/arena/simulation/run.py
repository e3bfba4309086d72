"""One seed, from its season to its verdict."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any

from contracts.competition import Clock

from arena.simulation import clock, ports, season
from arena.simulation.faults import FAULTS, Faults
from arena.simulation.invariants import INVARIANTS, Checker, Invariant, Violation
from arena.simulation.market import HoledVenue
from arena.simulation.process import task_of_its_process
from arena.simulation.season import Plan
from arena.simulation.world import World

LEAD = timedelta(seconds=90)
"""Live, the processes begin so long before the first round."""


@dataclass(frozen=True)
class Case:
    """What a run follows from: the same case is the same run."""

    seed: int
    hours: float = 1.0
    competitors: int = 10
    faults: frozenset[str] = frozenset(FAULTS)
    cut: int | None = None
    """Only the first so many faults happen."""
    clock: Clock | None = None
    """None: the seed chooses."""

    def command(self) -> str:
        faults = "all" if self.faults == frozenset(FAULTS) else ",".join(sorted(self.faults)) or "none"
        said = f"arena simulate --seed {self.seed} --seeds 1 --hours {self.hours:g} --competitors {self.competitors}"
        said += f" --faults {faults}" + (f" --clock {self.clock}" if self.clock else "")
        return said if self.cut is None else f"{said} --cut {self.cut}"


@dataclass
class Outcome:
    case: Case
    events: int
    simulated_s: float
    """Arena seconds."""
    cpu_s: float
    faults: dict[str, int]
    total: int
    """Faults that happened."""
    figures: dict[str, int]
    violation: Violation | None = None
    trace: list[str] = field(default_factory=list)
    """The last records that have to do with it."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def play(case: Case, invariants: Sequence[type[Invariant]] = INVARIANTS) -> Outcome:
    """Run the case; to be called with the ports inside (`ports.simulated`)."""
    began = time.process_time()
    faults = Faults(case.seed, case.faults, case.cut)
    planned = season.plan(case.seed, case.hours, case.competitors, clock=case.clock)
    draw = random.Random(f"holes/{case.seed}")
    stale, gap = faults.happens("stale"), faults.happens("market_gap")
    planned = replace(planned, holes=season.holes(planned, draw, stale=stale, gap=gap))
    world, checker = run(planned, HoledVenue(planned), faults, invariants)
    return Outcome(
        case, checker.events, planned.seconds, time.process_time() - began, dict(sorted(faults.counts.items())),
        faults.total, _figures(world), checker.violation, checker.related() if checker.violation else [],
    )  # fmt: skip


def run(
    planned: Plan, venue: Any, faults: Faults, invariants: Sequence[type[Invariant]] = INVARIANTS
) -> tuple[World, Checker]:
    """The planned season on that venue, until everything is at rest or something does not hold."""
    played: list[tuple[World, Checker]] = []

    async def main(loop: clock.VirtualLoop) -> None:
        loop.set_task_factory(task_of_its_process)
        world = World(loop, planned, faults, venue)
        checker = Checker(world, invariants)
        played.append((world, checker))
        await world.run()
        checker.ends()

    clock.run(planned.starts_at - LEAD, main)
    return played[0]


def _figures(world: World) -> dict[str, int]:
    counted = Counter(
        dict(record.headers)["ce_type"].decode().removeprefix("arena.")
        for topic in ("orders.v1", "executions.v1", "rounds.v1")
        for where in world.log.of(topic)
        for record in world.log.records[where]
    )
    names = (
        "round_closed",
        "order_approved",
        "signal_rejected",
        "order_filled",
        "position_liquidated",
        "trading_halted",
    )
    return {name: counted[name] for name in names} | {"processes": world.born}


def simulate(cases: Sequence[Case], invariants: Sequence[type[Invariant]] = INVARIANTS) -> list[Outcome]:
    with ports.simulated():
        return [play(case, invariants) for case in cases]
