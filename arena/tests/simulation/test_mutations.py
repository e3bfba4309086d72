"""Each invariant has teeth: the code is broken on purpose, and the simulation says so within a few seeds."""

import pytest
from arena.simulation.faults import named
from arena.simulation.invariants import INVARIANTS
from arena.simulation.mutations import MUTATIONS, Mutation, likelier
from arena.simulation.run import Case, simulate

SEEDS = 16


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.what)
def test_the_simulation_finds_it(mutation: Mutation) -> None:
    """Only the invariants that ought to see it look."""
    looking = [invariant for invariant in INVARIANTS if invariant.name in mutation.found_by]
    for seed in range(1, SEEDS + 1):
        with likelier(mutation.rates), mutation.broken():
            (outcome,) = simulate(
                [Case(seed, mutation.hours, 10, named(mutation.faults), clock=mutation.clock)], looking
            )
        if outcome.violation is not None:
            assert outcome.violation.name in mutation.found_by
            return
    pytest.fail(f"{mutation.what}: not found within {SEEDS} seeds")


def test_every_invariant_has_a_mutation_that_it_finds() -> None:
    assert {invariant.name for invariant in INVARIANTS} - {
        name for each in MUTATIONS for name in each.found_by
    } == set()
