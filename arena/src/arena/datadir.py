"""The folder of one arena: broker, database, objects, secrets, logs, and who runs there now."""

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from arena.exits import Exit, Stopped

MARKER = "ARENA"
MARKER_TEXT = "Data of an Open Nof1 arena. A new run deletes everything in this folder; `arena up --resume` goes on.\n"


@dataclass(frozen=True)
class Running:
    """What `arena up` notes about itself for `status` and `down`."""

    pid: int
    started: float
    """The process's creation time, Unix seconds: with the pid it names one process for ever."""
    url: str
    kafka: str
    ports: dict[str, int] = field(default_factory=dict)
    """HTTP port by process name."""

    @property
    def process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 1.0
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


class DataDir:
    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.kafka = self.path / "kafka"
        self.postgres = self.path / "postgres"
        self.objects = self.path / "objects"
        self.logs = self.path / "logs"
        self.secrets = self.path / "secrets"
        self.season = self.path / "season.yaml"
        self._marker = self.path / MARKER
        self._options = self.path / "options.json"
        self._running = self.path / "running.json"

    def prepare(self, *, resume: bool) -> None:
        """Ready for a run: emptied, or with --resume left as it is. Refuses every folder that no arena made."""
        if resume and not self._options.exists():
            raise Stopped(Exit.DATA_DIR, f"{self.path} holds no run to resume: leave --resume out")
        if (running := self.running()) is not None:
            raise Stopped(Exit.DATA_DIR, f"an arena runs in {self.path} (pid {running.pid}): `arena down` stops it")
        if self.path.exists() and not self._marker.exists() and any(self.path.iterdir()):
            raise Stopped(Exit.DATA_DIR, f"{self.path} was not made by arena and is not empty: it stays untouched")
        self.path.mkdir(parents=True, exist_ok=True)
        self._marker.write_text(MARKER_TEXT)
        if not resume:
            self._empty()

    def _empty(self) -> None:
        for entry in self.path.iterdir():
            if entry == self._marker:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def running(self) -> Running | None:
        """The arena that runs here now."""
        try:
            running = Running(**json.loads(self._running.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return running if running.process is not None else None

    def note_running(self, url: str, kafka: str, ports: dict[str, int]) -> None:
        me = psutil.Process(os.getpid())
        self._write(self._running, asdict(Running(me.pid, me.create_time(), url, kafka, ports)))

    def note_stopped(self) -> None:
        self._running.unlink(missing_ok=True)

    def options(self) -> dict[str, Any]:
        """Those the last run here was started with."""
        saved: dict[str, Any] = json.loads(self._options.read_text())
        return saved

    def note_options(self, options: dict[str, Any]) -> None:
        self._write(self._options, options)

    def _write(self, path: Path, content: dict[str, Any]) -> None:
        scratch = path.with_suffix(".new")
        scratch.write_text(json.dumps(content, indent=1))
        scratch.replace(path)
