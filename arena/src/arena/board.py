"""One status line a service: a live table on a terminal, plain lines elsewhere."""

from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from arena.stack.supervisor import Child, Supervisor

COLOUR = {
    "starting": "yellow", "ready": "green", "restarting": "red", "finished": "cyan", "stopped": "dim",
}  # fmt: skip


class Board:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._supervisor: Supervisor | None = None
        self._live = Live(get_renderable=self._table, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False)

    def show(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        if self._console.is_terminal:
            self._live.start()

    def changed(self, child: Child) -> None:
        if not self._console.is_terminal and child.state != "starting":
            again = f", restarted {child.restarts} times" if child.restarts else ""
            self.say(f"{child.spec.name}: {child.state}{again}")

    def _table(self) -> Table:
        table = Table("service", "state", "pid", "restarts", "log", box=None, pad_edge=False, header_style="dim")
        for child in self._supervisor.children if self._supervisor is not None else ():
            state = f"[{COLOUR[child.state]}]{child.state}[/]"
            table.add_row(
                child.spec.name, state, str(child.pid or ""), str(child.restarts or ""), str(child.spec.log.name)
            )
        return table
