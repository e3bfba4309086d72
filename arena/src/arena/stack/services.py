"""The seven services as processes: what each is started with."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from contracts.topics import SERVICES

from arena.datadir import DataDir
from arena.options import Options
from arena.stack.jars import cache_dir
from arena.stack.processes import free_port


@dataclass(frozen=True)
class Spec:
    """One process."""

    service: str
    instance: int
    port: int
    """Of its HTTP: health and metrics, and the page's of dashboard-api."""
    env: Mapping[str, str]
    log: Path

    @property
    def name(self) -> str:
        return named(self.service, self.instance)

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-P", "-m", self.service.replace("-", "_")]


@dataclass(frozen=True)
class Parts:
    """What all services share."""

    kafka: str
    dsns: Mapping[str, str]
    folder: DataDir
    starts_at: datetime


def named(service: str, instance: int) -> str:
    return f"{service}-{instance}" if instance else service


def specs(options: Options, parts: Parts) -> list[Spec]:
    return [
        _spec(service, instance, options, parts)
        for service in SERVICES
        for instance in range(options.replicas.get(service, 1))
    ]


def _spec(service: str, instance: int, options: Options, parts: Parts) -> Spec:
    is_page = service == "dashboard-api" and instance == 0
    port = options.port if is_page else free_port()
    told = {
        "KAFKA": parts.kafka,
        "POSTGRES": parts.dsns[service],
        "INSTANCE": str(instance),
        "HEALTH_PORT": str(port),
        "OBJECT_STORE": parts.folder.objects.as_uri(),
        **_of_its_own(service, port, options, parts),
    }
    if options.traces is not None:
        told["TRACES_FILE"] = str(options.traces.absolute())
    prefix = service.replace("-", "_").upper()
    env = _inherited() | {f"{prefix}_{name}": value for name, value in told.items()}
    return Spec(service, instance, port, env, parts.folder.logs / f"{named(service, instance)}.log")


def _of_its_own(service: str, port: int, options: Options, parts: Parts) -> dict[str, str]:
    match service:
        case "competition":
            return {"SEASON": str(parts.folder.season), "STARTS_AT": parts.starts_at.isoformat()}
        case "dashboard-api":
            return {"PORT": str(port)}
        case "market-data":
            return _feed(options)
    return {}


def _feed(options: Options) -> dict[str, str]:
    feed = {"VENUE": options.market, "SEED": str(options.seed), "SPEED": options.speed}
    feed["FAST_FORWARD_S"] = str(options.fast_forward_s)
    feed["NEWS"] = json.dumps(options.news)
    if options.seconds is not None:
        feed["END_AFTER_S"] = str(options.seconds)
    return feed


def _inherited() -> dict[str, str]:
    """libpq's variables would silently change where a service connects to."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    # a service that is started again must not compile its libraries again: three seconds of the processor
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(cache_dir() / "pycache")}
    # fewer malloc arenas: a dozen Python processes share one machine
    return env | compiled | {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}
