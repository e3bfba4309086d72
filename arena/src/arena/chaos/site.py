"""The real stack with proxies in it: what can be harmed, and mended."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from chassis.topics import provision
from contracts.topics import SERVICES

from arena.chaos.proxy import Proxy
from arena.datadir import DataDir
from arena.options import REPEATABLE_START, Options, season_for
from arena.stack.kafka import EmbeddedKafka, Place, new_cluster_id
from arena.stack.parts import COMPETITOR_PARTITIONS, MARKET_PARTITIONS, Embedded
from arena.stack.postgres import EmbeddedPostgres
from arena.stack.processes import LOOPBACK, free_port
from arena.stack.roles import migrated
from arena.stack.services import Parts, specs
from arena.stack.supervisor import Supervisor

SEASON = Path(__file__).with_name("season.yaml")
REPLICAS = {"order-executor": 2}
"""Two, so that what a paused one owned goes to the other, and it wakes as a zombie."""


@dataclass(frozen=True)
class Site:
    brokers: Mapping[str, EmbeddedKafka]
    postgres: EmbeddedPostgres
    proxies: Mapping[str, list[Proxy]]
    """Of `kafka` one before every broker; of `postgres` one."""
    supervisor: Supervisor

    @property
    def kafka(self) -> str:
        """Past the proxies: for those who only look."""
        return ",".join(broker.bootstrap for broker in self.brokers.values())

    @property
    def processes(self) -> list[str]:
        return [child.spec.name for child in self.supervisor.children]

    def kill(self, name: str) -> None:
        self.supervisor[name].kill()

    def pause(self, name: str) -> None:
        if (pid := self.supervisor[name].pid) is not None:
            os.kill(pid, signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        if (pid := self.supervisor[name].pid) is not None:
            os.kill(pid, signal.SIGCONT)

    def heal(self) -> None:
        for some in self.proxies.values():
            for proxy in some:
                proxy.heal()
        for name in self.processes:
            self.go_on(name)

    async def end_feed(self, after_s: float) -> None:
        """Market-data once more, to end so many arena seconds into the season, with the round that is open then."""
        feed = self.supervisor["market-data"]
        await feed.stop()
        feed.spec = replace(feed.spec, env={**feed.spec.env, "MARKET_DATA_END_AFTER_S": str(max(1, round(after_s)))})
        feed.start()


async def open_site(options: Options, brokers: int, stack: AsyncExitStack) -> Site:
    """Started, migrated and provisioned, without a service running yet; all of it ends with `stack`."""
    folder = DataDir(options.data_dir)
    folder.prepare(resume=False)
    folder.season.write_text(season_for(options))
    kafka, before_kafka = _kafka(folder, brokers)
    postgres = EmbeddedPostgres(folder.postgres, free_port())
    embedded: list[Embedded] = [*kafka.values(), postgres]
    async with asyncio.TaskGroup() as starts:
        for part in embedded:
            stack.push_async_callback(part.stop)
            starts.create_task(part.start())
    before_postgres = Proxy(free_port(), _port(postgres.dsn))
    for proxy in (*before_kafka, before_postgres):
        stack.push_async_callback(proxy.stop)
        await proxy.start()
    inside = ",".join(broker.bootstrap for broker in kafka.values())
    await provision(
        inside, competitor_partitions=COMPETITOR_PARTITIONS, market_partitions=MARKET_PARTITIONS, replication=brokers
    )
    dsns = await migrated(postgres.dsn, SERVICES, folder.secrets)
    through = {service: _at_port(dsn, before_postgres.port) for service, dsn in dsns.items()}
    bootstrap = ",".join(f"{LOOPBACK}:{proxy.port}" for proxy in before_kafka)
    parts = Parts(bootstrap, through, folder, REPEATABLE_START)
    supervisor = Supervisor(specs(options, parts))
    stack.push_async_callback(supervisor.stop)
    return Site(kafka, postgres, {"kafka": before_kafka, "postgres": [before_postgres]}, supervisor)


def _kafka(folder: DataDir, count: int) -> tuple[dict[str, EmbeddedKafka], list[Proxy]]:
    controllers = tuple(free_port() for _ in range(count))
    cluster_id = new_cluster_id()
    places = [Place(n, free_port(), free_port(), free_port(), controllers, cluster_id) for n in range(1, count + 1)]
    brokers = {f"broker-{p.node_id}": EmbeddedKafka(folder.kafka / str(p.node_id), place=p) for p in places}
    return brokers, [Proxy(place.advertised, place.port) for place in places]


def _port(dsn: str) -> int:
    port = urlsplit(dsn).port
    assert port is not None, "our own server's DSN names its port"
    return port


def _at_port(dsn: str, port: int) -> str:
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}"))
