import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from arena.exits import Exit, Stopped
from arena.stack import supervisor as module
from arena.stack.processes import free_port, until
from arena.stack.services import Spec
from arena.stack.supervisor import Child, Supervisor, bound

READY = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""


@dataclass(frozen=True)
class Script(Spec):
    source: str = ""

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-c", self.source, str(self.port)]


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str, str], Script]:
    return lambda name, source: Script(name, 0, free_port(), {}, tmp_path / f"{name}.log", source)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_FIRST_S", 0.01)
    monkeypatch.setattr(module, "BACKOFF_MOST_S", 0.05)
    monkeypatch.setattr(module, "LOOK_S", 0.02)


async def reaches(child: Child, state: str, restarts: int = 0) -> bool:
    async def there() -> bool:
        return child.state == state and child.restarts >= restarts

    return await until(there, 20)


async def test_a_service_that_was_killed_comes_back(script: Callable[[str, str], Script]) -> None:
    supervisor = Supervisor([script("gate", READY)])
    supervisor.start()
    keeping = asyncio.create_task(supervisor.run())
    gate = supervisor["gate"]
    assert await reaches(gate, "ready")
    first = gate.pid

    gate.kill()

    assert await reaches(gate, "ready", restarts=1)
    assert gate.pid != first
    keeping.cancel()
    await supervisor.stop()


async def test_a_service_that_keeps_dying_is_given_up_with_the_end_of_its_log(
    script: Callable[[str, str], Script],
) -> None:
    supervisor = Supervisor([script("gate", "raise SystemExit('no such table: orders')")])
    supervisor.start()

    with pytest.raises(Stopped, match="gate died 11 times") as failure:
        await supervisor.run()

    assert failure.value.code is Exit.SERVICE
    assert "no such table: orders" in str(failure.value)
    await supervisor.stop()


async def test_a_service_that_ended_well_is_not_started_again(script: Callable[[str, str], Script]) -> None:
    supervisor = Supervisor([script("feed", "print('the recording is over')")])
    supervisor.start()
    keeping = asyncio.create_task(supervisor.run())

    assert await reaches(supervisor["feed"], "finished")
    assert supervisor["feed"].restarts == 0
    keeping.cancel()
    await supervisor.stop()
    assert supervisor["feed"].state == "finished"


async def test_all_are_ended_in_reverse_order_with_what_they_started(script: Callable[[str, str], Script]) -> None:
    parent = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
    ended: list[str] = []
    supervisor = Supervisor(
        [script("first", READY), script("second", parent + READY)],
        lambda child: ended.append(child.spec.service) if child.state == "stopped" else None,
    )
    supervisor.start()
    keeping = asyncio.create_task(supervisor.run())
    assert await reaches(supervisor["first"], "ready")
    assert await reaches(supervisor["second"], "ready")
    keeping.cancel()
    pids = [child.pid for child in supervisor.children]
    family = [psutil.Process(pid) for pid in pids if pid is not None]
    family += [grandchild for process in family for grandchild in process.children(recursive=True)]
    assert len(family) == 3

    await supervisor.stop()

    assert ended == ["second", "first"]
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


async def test_a_service_that_ignores_sigterm_is_killed(
    script: Callable[[str, str], Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_S", 0.2)
    supervisor = Supervisor([script("deaf", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY)])
    supervisor.start()
    keeping = asyncio.create_task(supervisor.run())
    assert await reaches(supervisor["deaf"], "ready")
    keeping.cancel()
    pid = supervisor["deaf"].pid
    assert pid is not None

    await supervisor.stop()

    assert not psutil.pid_exists(pid)


def test_a_log_that_grew_too_long_is_emptied_and_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOG_BYTES_MAX", 10)
    log = tmp_path / "gate.log"
    with log.open("ab") as service:
        service.write(b"a line that is too long\n")
        service.flush()
        bound(log)
        service.write(b"next\n")
        service.flush()

    assert log.read_bytes() == b"next\n"
    assert (tmp_path / "gate.log.1").read_bytes() == b"a line that is too long\n"
