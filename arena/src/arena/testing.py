"""Pytest plugin: Apache Kafka and PostgreSQL, one of each a test session, started when a test first asks."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from chassis.topics import provision
from contracts.topics import SERVICES

from arena.stack.kafka import EmbeddedKafka
from arena.stack.postgres import EmbeddedPostgres
from arena.stack.roles import migrated
from arena.stack.training import ensure_aot_cache

COMPETITOR_PARTITIONS, MARKET_PARTITIONS = 2, 2


class Stack(NamedTuple):
    kafka: str
    """Bootstrap servers; the topics of the contracts are there."""
    postgres: str
    """The superuser's DSN; every service's migrations are applied."""
    dsns: Mapping[str, str]
    """Each service's own, by name."""


@pytest.fixture(scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Bootstrap servers of a broker without topics."""
    await ensure_aot_cache()
    async with EmbeddedKafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The superuser's DSN of an empty server."""
    async with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server.dsn


@pytest.fixture(scope="session")
def secrets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secrets")


@pytest.fixture(scope="session")
def service_dsn(postgres: str, secrets_folder: Path) -> Callable[[str], Awaitable[str]]:
    """`await service_dsn("risk-gate")`: the DSN of the service's own role, its migrations applied."""
    known: dict[str, str] = {}

    async def dsn(service: str) -> str:
        if service not in known:
            known.update(await migrated(postgres, [service], secrets_folder))
        return known[service]

    return dsn


@pytest.fixture(scope="session")
async def stack(kafka: str, postgres: str, service_dsn: Callable[[str], Awaitable[str]]) -> Stack:
    await provision(kafka, competitor_partitions=COMPETITOR_PARTITIONS, market_partitions=MARKET_PARTITIONS)
    return Stack(kafka, postgres, {service: await service_dsn(service) for service in SERVICES})
