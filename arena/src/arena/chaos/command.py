"""`arena chaos`: harm the real stack for some minutes, and prove that nothing was lost or doubled."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from arena.exits import Exit, Stopped

DATA_DIR = Path(".arena-chaos")


def chaos(
    minutes: Annotated[
        float, typer.Option(min=0.2, max=1_440, help="Under faults; calm before and after not counted.")
    ] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the faults and of the market.")] = 1,
    scenario: Annotated[str, typer.Option(help="default, broker (it is restarted too) or three-brokers.")] = "default",
    faults: Annotated[str, typer.Option(help="all, or none: a soak.")] = "all",
    kill_every: Annotated[
        float | None, typer.Option(min=1, max=600, metavar="SECONDS", help="8, or less in a short run.")
    ] = None,
    competitors: Annotated[int, typer.Option(min=2, max=36)] = 12,
    data_dir: Annotated[
        Path, typer.Option("--data-dir", help="Emptied first; it holds every log afterwards.")
    ] = DATA_DIR,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on the last line, the rest on stderr.")
    ] = False,
) -> None:
    """Kill, pause, cut off and restart parts of a running arena at random; then count what was lost or doubled."""
    from arena.chaos.plan import SCENARIOS
    from arena.chaos.running import Asked, failed, per_kill
    from arena.chaos.running import chaos as run
    from arena.chaos.site import REPLICAS, SEASON
    from arena.cli import show
    from arena.options import Options
    from arena.stack.processes import free_port

    if scenario not in SCENARIOS:
        raise Stopped(Exit.USAGE, f"--scenario: {', '.join(SCENARIOS)}, not {scenario!r}")
    if faults not in ("all", "none"):
        raise Stopped(Exit.USAGE, f"--faults: all or none, not {faults!r}")
    for name in ("aiokafka", "asyncio"):  # that a broker is gone is the purpose
        logging.getLogger(name).setLevel(logging.CRITICAL)
    options = Options(
        data_dir=data_dir, seed=seed, season=SEASON, competitors=competitors, replicas=REPLICAS, port=free_port()
    )
    asked = Asked(minutes, seed, kill_every or per_kill(minutes), scenario, faults == "all")
    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    figures = asyncio.run(run(options, asked, console.print))
    show(figures, as_json)
    if failed(figures):
        raise typer.Exit(Exit.FAILED)
