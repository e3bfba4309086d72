"""The simulation is true to the real thing: a season gives the executions that Apache Kafka and PostgreSQL give."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from arena.rehearsal import Run
from arena.simulation import ports
from arena.simulation.faults import FAULTS, Faults
from arena.simulation.invariants import Checker
from arena.simulation.run import run
from arena.simulation.season import Plan
from arena.simulation.world import World
from competition.season_file import read_season
from contracts.wire import decode
from exchanges.synthetic import Synthetic

SHORT_SEASON = Path(__file__).parent / "seasons/short.yaml"
SEED, SECONDS = 7, 240
"""As in conftest.py's `short_season`."""
DISTURBANCES = frozenset(FAULTS) - {"llm_late", "llm_malformed", "stale", "market_gap", "operator"}
"""Of the machines and the network: those change when something is done, never what."""


def executions_of(log: Any) -> dict[str, list[Any]]:
    """Every field of every execution, each competitor's in their order; repeats are dropped as every reader does."""
    rows: dict[str, list[Any]] = {}
    for where in log.of("executions.v1"):
        seen: dict[bytes, int] = {}
        for record in log.records[where]:
            headers = dict(record.headers)
            source, sequence = headers["ce_source"], int(headers["ce_sequence"])
            if headers["ce_type"] != b"arena.time_advanced" and sequence > seen.get(source, -1):
                seen[source] = sequence
                event = decode(record.topic, record.value)
                rows.setdefault(event.competitor_id, []).append(event.model_dump(mode="json"))
    return rows


def simulated(plan: Plan, faults: frozenset[str]) -> tuple[World, Checker]:
    with ports.simulated():
        return run(plan, Synthetic(SEED), Faults(SEED, faults))


async def test_the_simulated_stack_gives_the_executions_of_the_real_one(baseline: Run) -> None:
    """Without faults, and with every fault of machines and network."""
    real: dict[str, list[Any]] = {}
    for event in await baseline.events("executions.v1"):
        real.setdefault(event.competitor_id, []).append(event.model_dump(mode="json"))
    (season,) = (each for each in await baseline.latest("competition.v1") if each.type == "season_changed")
    file = read_season(SHORT_SEASON)
    plan = Plan(SEED, "lockstep", season.starts_at, SECONDS, 1, file, season.starts_at + timedelta(days=1), None)

    for faults in (frozenset[str](), DISTURBANCES):
        world, checker = await asyncio.to_thread(simulated, plan, faults)  # it has a loop of its own
        assert checker.violation is None
        assert executions_of(world.log) == real
    assert world.faults.total > 20
