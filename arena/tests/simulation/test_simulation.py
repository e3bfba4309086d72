"""The simulation finds nothing in the code as it is, the same in every run, and everything that may go wrong does."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from arena.simulation import shrink
from arena.simulation.faults import FAULTS, Faults, UnknownFault, named
from arena.simulation.invariants import Violation
from arena.simulation.run import Case, Outcome, simulate

CORPUS = [Case(seed, 0.3, 10) for seed in range(101, 114)]
FRESH = 2


@pytest.fixture(scope="module")
def corpus() -> list[Outcome]:
    return simulate(CORPUS)


def test_nothing_is_lost_or_doubled_over_the_fixed_corpus(corpus: list[Outcome]) -> None:
    assert [outcome.violation for outcome in corpus if outcome.violation] == []
    figures = sum((Counter(outcome.figures) for outcome in corpus), Counter())
    assert min(figures[name] for name in ("round_closed", "order_approved", "signal_rejected", "order_filled")) > 20


def test_every_fault_happens_in_the_fixed_corpus(corpus: list[Outcome]) -> None:
    """A fault that never happens is not tested, whatever the figures say."""
    happened = sum((Counter(outcome.faults) for outcome in corpus), Counter())

    assert {name: happened[name] for name in FAULTS if not happened[name]} == {}


def test_nothing_is_lost_or_doubled_with_fresh_seeds() -> None:
    seeds = [random.SystemRandom().randrange(10**6, 2**31) for _ in range(FRESH)]
    for outcome in simulate([Case(seed, 0.2, 10) for seed in seeds]):
        print(outcome.case.command())
        assert outcome.violation is None, outcome.case.command()


def test_the_same_seed_gives_the_same_line_in_another_process() -> None:
    """Whatever the order of sets and the speed of the machine."""
    lines = []
    for hashes in ("1", "2"):
        command = [sys.executable, "-m", "arena", "simulate", "--seed", "5", "--seeds", "1", "--hours", "0.1", "--json"]
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=200)
        figures = json.loads(ran.stdout.splitlines()[-1])
        del figures["simulated_seconds_per_second"]
        lines.append(figures)

    assert lines[0] == lines[1]
    assert lines[0]["violations"] == []


def test_faults_are_named_or_refused() -> None:
    assert named("all") == frozenset(FAULTS)
    assert named("none") == frozenset()
    assert named("crashed, gap") == {"crashed", "gap"}
    with pytest.raises(UnknownFault, match="is none of all, none, delayed"):
        named("gremlins")


def test_a_cut_lets_the_first_faults_happen_and_no_more() -> None:
    everything, first = Faults(7, FAULTS), Faults(7, FAULTS, cut=2)
    drawn = [(everything.happens("reordered", 0.5), first.happens("reordered", 0.5)) for _ in range(40)]

    assert (first.total, everything.total > first.total) == (2, True)
    assert all(mine == theirs for theirs, mine in drawn[: [theirs for theirs, _ in drawn].index(True) + 1])


def test_what_is_found_is_shrunk_to_the_fault_and_the_size_that_it_takes() -> None:
    """A run that breaks as soon as its 13th fault happens, needs a crash, two competitors and a tenth of an hour."""
    (found,) = simulate([Case(1, 0.05, 2, frozenset())])
    violation = Violation("judged_once", 1, "", "")

    def play(case: Case) -> Outcome:
        happened = 40 if case.cut is None else min(case.cut, 40)
        breaks = "crashed" in case.faults and happened >= 13 and case.competitors >= 2 and case.hours >= 0.1
        return replace(found, case=case, total=happened, violation=violation if breaks else None)

    best = shrink.shrunk(play(Case(1, 2.0, 16)), play).case

    assert (best.hours, best.competitors, best.faults, best.cut) == (0.125, 2, frozenset({"crashed"}), 13)
