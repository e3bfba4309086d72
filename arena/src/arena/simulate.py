"""`arena simulate`: seeds in, one line of figures out; a violation is shrunk and told with the way to repeat it."""

import json
import sys
from typing import Annotated, Any

import typer
from contracts.competition import Clock

from arena.exits import Exit, Stopped


def simulate(
    seed: Annotated[int, typer.Option(min=0, help="The first seed: same seed, same run.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="How many, one after the other.")] = 5,
    hours: Annotated[float, typer.Option(min=0.02, max=48, help="Arena hours of each.")] = 0.5,
    competitors: Annotated[int, typer.Option(min=2, max=500, help="Of each, its two baselines among them.")] = 10,
    faults: Annotated[str, typer.Option(help="all, none, or names with commas between.")] = "all",
    clock: Annotated[Clock | None, typer.Option(help="Else the seed chooses.")] = None,
    cut: Annotated[int | None, typer.Option(min=0, help="Let only the first so many faults happen.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the seeds.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on the last line.")] = False,
) -> None:
    """Run the whole arena in one process on a virtual clock, let everything go wrong, and check what must hold."""
    from arena.simulation import corpus  # imported late: all services, and --help should not wait for them
    from arena.simulation.faults import UnknownFault, named
    from arena.simulation.run import Case

    try:
        kinds = named(faults)
    except UnknownFault as unknown:
        raise Stopped(Exit.USAGE, f"--faults: {unknown}") from None
    cases = [Case(n, hours, competitors, kinds, cut, clock) for n in range(seed, seed + seeds)]
    played = []
    for outcome in corpus.outcomes(cases, workers):
        played.append(outcome)
        say(f"seed {outcome.case.seed}: {outcome.events} events, {outcome.total} faults, {outcome.cpu_s:.1f} s of CPU")
        if outcome.violation is not None:
            tell(outcome)
    figures = corpus.figures(cases, played)
    sys.stdout.write(json.dumps(figures) + "\n" if as_json else lines(figures))
    if figures["violations"]:
        raise typer.Exit(Exit.FAILED)


def tell(outcome: Any) -> None:
    """The seed, what broke, and the shortest way there that is found."""
    from arena.simulation import ports, shrink
    from arena.simulation.run import play

    say(f"VIOLATION with seed {outcome.case.seed}: {outcome.violation.name} at {outcome.violation.at}")
    say(f"  {outcome.violation.detail}")
    say("  looking for a shorter run ...")
    with ports.simulated():
        shortest = shrink.shrunk(outcome, play)
    assert shortest.violation is not None
    say(f"  again with: {shortest.case.command()}")
    say(f"  {shortest.violation.name}: {shortest.violation.detail}")
    for record in shortest.trace:
        say(f"    {record}")


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def lines(figures: dict[str, Any]) -> str:
    return "".join(f"{name}: {value}\n" for name, value in figures.items())
