"""Child processes that do not outlive their parent, and the ports they listen on."""

import asyncio
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

LOOPBACK = "127.0.0.1"
PORTS, PORTS_TRIED = range(15_000, 32_000), 500
_given: set[int] = set()
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class PartFailed(Exception):
    """A part of the stack did not start; the message ends with the tail of its log."""


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Below the range from which the system takes the ports of outgoing connections: nobody takes it in between."""
    for _ in range(PORTS_TRIED):
        port = PORTS.start + secrets.randbelow(len(PORTS))
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise PartFailed(f"no free port on {LOOPBACK} among {PORTS_TRIED} of {PORTS.start} to {PORTS.stop - 1}")


def spawn(
    command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path, if_parent_dies: signal.Signals
) -> subprocess.Popen[bytes]:
    """Own session (a Ctrl-C in the terminal reaches only the parent), output appended to `log`.

    Call it from the main thread: Linux sends the death signal when the *thread* that forked ends.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  # our own programs, never a shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_die_with_parent(if_parent_dies),  # noqa: PLW1509  # one system call, no lock is taken
        )


def _die_with_parent(how: signal.Signals) -> Callable[[], None] | None:
    parent = os.getpid()

    def before_exec() -> None:
        assert _libc is not None
        _libc.prctl(_PR_SET_PDEATHSIG, int(how))
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return before_exec if _libc is not None else None


async def wait(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """True once it has ended."""

    async def ended() -> bool:
        return process.poll() is not None

    return await until(ended, timeout_s)


async def until(probe: Callable[[], Awaitable[bool]], timeout_s: float) -> bool:
    """Asks again and again; False where the answer was still no when time ran out."""
    try:
        async with asyncio.timeout(timeout_s):
            while not await probe():  # noqa: ASYNC110  # other processes set no asyncio events
                await asyncio.sleep(0.03)
    except TimeoutError:
        return False
    return True


async def succeeds(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Waits for a short task; one that takes too long is killed."""
    if not await wait(process, timeout_s):
        kill_group(process)
    return process.wait() == 0


async def end(process: subprocess.Popen[bytes], ladder: Sequence[tuple[signal.Signals, float]]) -> None:
    """Each signal is given its seconds; then the whole process group is killed."""
    for how, seconds in ladder:
        if process.poll() is None:
            process.send_signal(how)
        if await wait(process, seconds):
            break
    kill_group(process)
    process.wait()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def tail(log: Path, lines: int = 30) -> str:
    if not log.exists():
        return "(no log)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 64_000))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
