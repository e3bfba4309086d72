"""The `arena` command line. Exit codes: `arena.exits`. With --json the last line of stdout is one JSON object."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from arena import options
from arena.board import Board
from arena.chaos.command import chaos
from arena.datadir import DataDir
from arena.exits import MEANING, Exit, Stopped
from arena.simulate import simulate

FAST_FORWARD_H = 2
EPILOG = "Exit codes: " + ", ".join(f"{int(code)} {meaning}" for code, meaning in MEANING.items()) + "."
STOP_S = 60.0

app = typer.Typer(
    name="arena",
    help="Starts and inspects an Open Nof1 arena on this machine. Nothing listens beyond 127.0.0.1.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ledger = typer.Typer(help="The books, without a running arena.", no_args_is_help=True)
app.add_typer(ledger, name="ledger")
decisions = typer.Typer(help="Recorded decisions, without a running arena.", no_args_is_help=True)
app.add_typer(decisions, name="decisions")
app.command(epilog=EPILOG)(simulate)
app.command(epilog=EPILOG)(chaos)

DataDirOption = Annotated[Path, typer.Option("--data-dir", help="Where broker, database, objects and logs live.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on the last line, the rest on stderr.")]


@app.command(epilog=EPILOG)
def up(
    market: Annotated[str, typer.Option(help="synthetic, or recorded:PATH[:PATH…].")] = "synthetic",
    seed: Annotated[int, typer.Option(min=0, help="Of the synthetic market: same seed, same run.")] = 1,
    speed: Annotated[str, typer.Option(help="Arena seconds a second, or max.")] = "1",
    seconds: Annotated[
        int | None, typer.Option(min=1, help="Run so far into the season, let everything come to rest, stop.")
    ] = None,
    kafka: Annotated[str, typer.Option(help="embedded, or HOST:PORT of a broker that runs.")] = options.EMBEDDED,
    postgres: Annotated[str, typer.Option(help="embedded, or a superuser's DSN.")] = options.EMBEDDED,
    data_dir: DataDirOption = Path(".arena"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the last run stopped.")] = False,
    season: Annotated[Path | None, typer.Option(help="YAML of the season to play.")] = None,
    fast_forward: Annotated[
        float,
        typer.Option(
            min=0, max=240, metavar="[HOURS]", help=f"Synthetic hours at full speed first (alone: {FAST_FORWARD_H})."
        ),
    ] = 0,
    competitors: Annotated[int | None, typer.Option(min=2, max=options.MOST_COMPETITORS)] = None,
    replicas: Annotated[list[str] | None, typer.Option(help="SERVICE=N, e.g. order-executor=2; repeatable.")] = None,
    news: Annotated[
        list[str] | None, typer.Option(help="A feed of news: https://…, a file or a folder; repeatable.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of the page.")] = 8080,
    traces: Annotated[Path | None, typer.Option(help="Append every span to this file, one JSON object a line.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Start broker, database and the seven services; Ctrl-C stops all and leaves nothing behind."""
    from arena.running import up as run_up  # imported late: half the arena, and --help should not wait for it

    if fast_forward and market != "synthetic":
        raise Stopped(Exit.USAGE, "--fast-forward: only the synthetic market has hours to spare")
    asked = options.Options(
        data_dir=data_dir,
        market=options.market(market),
        seed=seed,
        speed=options.speed(speed),
        seconds=seconds,
        kafka=kafka,
        postgres=postgres,
        resume=resume,
        season=season,
        fast_forward_s=round(fast_forward * 3600),
        competitors=competitors,
        replicas=options.replicas(replicas or ()),
        news=options.news(news or ()),
        port=port,
        traces=traces,
    )
    with Board(Console(stderr=as_json)) as board:
        figures = asyncio.run(run_up(asked, board))
    finish(figures, asked, as_json)


def finish(figures: dict[str, Any] | None, asked: options.Options, as_json: bool) -> None:
    if figures is None:
        if asked.seconds is not None:
            raise Stopped(Exit.INTERRUPTED, "stopped before the run was over")
        return
    show(figures, as_json)
    if not figures["books_balanced"] or figures["max_equity_error_usd"] >= 0.01:
        raise Stopped(Exit.UNBALANCED, "the books do not balance, or an equity cannot be explained to the cent")


@app.command(epilog=EPILOG)
def down(data_dir: DataDirOption = Path(".arena"), as_json: JsonOption = False) -> None:
    """Stop the arena that runs in the data folder, as Ctrl-C would."""
    running = DataDir(data_dir).running()
    if running is not None and (process := running.process) is not None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except psutil.TimeoutExpired:
            raise Stopped(Exit.FAILED, f"pid {running.pid} did not end within {STOP_S:.0f} s") from None
    show({"stopped": running is not None}, as_json)


@app.command(epilog=EPILOG)
def status(data_dir: DataDirOption = Path(".arena"), as_json: JsonOption = False) -> None:
    """Is an arena running here, and is each of its services ready?"""
    from arena.status import look

    found = asyncio.run(look(DataDir(data_dir)))
    show(found, as_json)
    if not found["healthy"]:
        raise typer.Exit(Exit.UNHEALTHY)


@app.command(epilog=EPILOG)
def doctor(
    port: Annotated[int, typer.Option(min=1, max=65535, help="That the page would take.")] = 8080,
    data_dir: DataDirOption = Path(".arena"),
    as_json: JsonOption = False,
) -> None:
    """Does this machine have what an arena needs: ports, versions, disk, memory, clock, Kafka's jars, the page?"""
    from arena.doctor import examine

    checks = [check.as_dict() for check in examine(data_dir, port)]
    healthy = all(check["level"] != "fail" for check in checks)
    show({"healthy": healthy, "checks": checks}, as_json)
    if not healthy:
        raise typer.Exit(Exit.UNHEALTHY)


@app.command(epilog=EPILOG)
def backup(
    out: Annotated[Path, typer.Argument(help="Folder to make; it must not be there.")],
    data_dir: DataDirOption = Path(".arena"),
    as_json: JsonOption = False,
) -> None:
    """Copy database and objects into a folder, while the arena runs or stands still; the topics stay where they are."""
    from arena.backup import backup as take

    show(asyncio.run(take(DataDir(data_dir), out.absolute(), said)), as_json)


@app.command(epilog=EPILOG)
def restore(
    backup: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder that `arena backup` made.")],
    data_dir: DataDirOption = Path(".arena"),
    replace: Annotated[bool, typer.Option("--replace", help="Move a database that is there aside.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put an older database beside the topics of an arena that stands still; `arena up --resume` catches up."""
    from arena.restore import restore as put_back

    show(asyncio.run(put_back(backup, DataDir(data_dir), replace=replace, say=said)), as_json)


@ledger.command("import", epilog=EPILOG)
def import_trades(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Alpha Arena's trades, JSON or gzipped.")],
    as_json: JsonOption = False,
) -> None:
    """Post a file of closed trades to the books and hold their realised net P&L against the file's."""
    from arena import ledger_import, packed, trades_file

    try:
        imported = ledger_import.post(trades_file.read(file))
    except packed.Unreadable as unreadable:
        raise Stopped(Exit.FAILED, f"{file}: {unreadable}") from None
    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    for number, reason in imported.bad:
        errors.print(f"row {number}: {reason}")
    for number, name, difference in imported.unmatched:
        errors.print(f"row {number} ({name}): the books say {difference:+f} USD more than the file")
    show(imported.figures(), as_json)
    if imported.bad:
        raise typer.Exit(Exit.FAILED)
    if imported.unmatched:
        raise typer.Exit(Exit.UNBALANCED)


def said(what: str) -> None:
    """Progress."""
    Console(stderr=True, highlight=False).print(f"[dim]{what}[/]")


@decisions.command("check", epilog=EPILOG)
def check_decisions(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Alpha Arena's conversations, JSON (lines) or gzipped.")],
    as_json: JsonOption = False,
) -> None:
    """Put recorded replies through parser, risk gate and paper venue: what is parsed, would trade, is refused, why."""
    from arena import decisions_check, decisions_check_file, packed

    try:
        entries = decisions_check_file.read(file)
    except packed.Unreadable as unreadable:
        raise Stopped(Exit.USAGE, f"{file}: {unreadable}") from None
    console = Console(stderr=True)
    checked = decisions_check.check(track(entries, "checking", console=console, disable=not console.is_terminal))
    show(checked.figures(), as_json)


def show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    console = Console(highlight=False)
    for name, value in found.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            table = Table(*value[0].keys(), box=None, pad_edge=False, header_style="dim")
            for row in value:
                table.add_row(*map(str, row.values()))
            console.print(table)
        else:
            console.print(f"{name}: {value}")


def with_default_hours(arguments: Sequence[str]) -> list[str]:
    """`--fast-forward` may stand alone; the option parser wants a value."""
    given = list(arguments)
    for index, argument in enumerate(given):
        alone = index + 1 == len(given) or given[index + 1].startswith("-")
        if argument == "--fast-forward" and alone:
            given[index] = f"--fast-forward={FAST_FORWARD_H}"
    return given


def main(arguments: Sequence[str] | None = None) -> None:
    given = with_default_hours(sys.argv[1:] if arguments is None else arguments)
    try:
        app(args=given)
    except Stopped as stopped:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]arena:[/] {escape(str(stopped))}")
        if "--json" in given:
            show({"error": stopped.code.name.lower(), "message": str(stopped)}, as_json=True)
        sys.exit(stopped.code)
