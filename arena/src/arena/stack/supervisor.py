"""Keeps processes running: restarts one that died, ends all in reverse order."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import httpx

from arena.exits import Exit, Stopped
from arena.stack.processes import LOOPBACK, end, spawn, tail
from arena.stack.services import Spec

RESTARTS_MAX, RESTARTS_WITHIN_S = 10, 60.0
BACKOFF_FIRST_S, BACKOFF_MOST_S = 0.2, 5.0
STOP_S = 10.0
LOG_BYTES_MAX = 20_000_000
LOOK_S = 0.25

State = Literal["starting", "ready", "restarting", "finished", "stopped"]


class Child:
    """One process and those that took its place."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.state: State = "starting"
        self.restarts = 0
        self._recent: deque[float] = deque()
        self._again_at: float | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        self.state = "starting"
        self._process = spawn(
            self.spec.command,
            log=self.spec.log,
            env=self.spec.env,
            cwd=self.spec.log.parent,
            if_parent_dies=signal.SIGKILL,
        )

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await end(process, [(signal.SIGTERM, STOP_S)])
        if self.state != "finished":
            self.state = "stopped"

    def kill(self) -> None:
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)

    def look(self, now: float) -> None:
        """Restarts it when its time has come; raises Stopped when it died too often."""
        if self.state == "restarting":
            if self._again_at is not None and now >= self._again_at:
                self.start()
        elif self.state not in ("finished", "stopped") and self._process is not None:
            code = self._process.poll()
            if code == 0:  # it had nothing left to do: a feed that ended
                self.state = "finished"
            elif code is not None:
                self._plan_restart(now, code)

    def _plan_restart(self, now: float, code: int) -> None:
        while self._recent and self._recent[0] < now - RESTARTS_WITHIN_S:
            self._recent.popleft()
        if len(self._recent) >= RESTARTS_MAX:
            raise Stopped(
                Exit.SERVICE,
                f"{self.spec.name} died {RESTARTS_MAX + 1} times within {RESTARTS_WITHIN_S:.0f} s, at last with "
                f"exit code {code}; the end of {self.spec.log}:\n{tail(self.spec.log)}",
            )
        self._again_at = now + min(BACKOFF_FIRST_S * 2 ** len(self._recent), BACKOFF_MOST_S)
        self._recent.append(now)
        self.restarts += 1
        self.state = "restarting"


class Supervisor:
    def __init__(self, specs: Sequence[Spec], changed: Callable[[Child], None] = lambda _: None) -> None:
        self.children = [Child(spec) for spec in specs]
        self._changed = changed
        self._shown: dict[str, tuple[State, int]] = {}

    def __getitem__(self, name: str) -> Child:
        return next(child for child in self.children if child.spec.name == name)

    def start(self) -> None:
        for child in self.children:
            child.start()
            self._tell(child)

    async def run(self) -> None:
        """Until it is cancelled; raises Stopped when a service cannot be kept alive."""
        clock = asyncio.get_running_loop()
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
            while True:
                for child in self.children:
                    child.look(clock.time())
                    if child.state == "starting" and await is_ready(http, child.spec.port):
                        child.state = "ready"
                    bound(child.spec.log)
                    self._tell(child)
                await asyncio.sleep(LOOK_S)

    async def stop(self) -> None:
        for child in reversed(self.children):
            await child.stop()
            self._tell(child)

    def kill(self) -> None:
        for child in self.children:
            child.kill()

    def _tell(self, child: Child) -> None:
        shown = (child.state, child.restarts)
        if self._shown.get(child.spec.name) != shown:
            self._shown[child.spec.name] = shown
            self._changed(child)


async def is_ready(http: httpx.AsyncClient, port: int) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return (await http.get(f"http://{LOOPBACK}:{port}/readyz")).is_success
    return False


def bound(log: Path) -> None:
    """Two files a process at most: what it writes appends, so its file can be emptied under it."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)
