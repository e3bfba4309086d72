"""Producers, consumers and database connections as every service uses them; connecting is retried within a bound."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import stamina
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from chassis.publish import BATCH_BYTES_MAX
from chassis.step import Connection

_NOT_THERE_YET = (OSError, KafkaError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)
_bounded = stamina.retry(on=_NOT_THERE_YET, attempts=None, timeout=30.0, wait_max=2.0)

FETCH: dict[str, Any] = {
    "enable_auto_commit": False,
    "isolation_level": "read_committed",
    "fetch_max_bytes": 8_000_000,
    # a partition that was not asked for in the request under way waits for its end: keep that short
    "fetch_max_wait_ms": 100,
    "max_poll_records": 2_000,
}


@_bounded
async def connect(dsn: str) -> Connection:
    return await asyncpg.connect(dsn, command_timeout=30)


@_bounded
async def connect_pool(dsn: str) -> "asyncpg.Pool[Any]":
    return await asyncpg.create_pool(dsn, min_size=1, max_size=5, command_timeout=30)


@_bounded
async def start_producer(kafka: str) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka,
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        max_batch_size=BATCH_BYTES_MAX,
    )
    return await _started(producer)


@_bounded
async def start_member(kafka: str, group: str, instance: str) -> AIOKafkaConsumer:
    """A consumer of the group under its name for ever: a killed worker has its partitions back at once."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        group_id=group,
        group_instance_id=f"{group}-{instance}",
        auto_offset_reset="earliest",
        session_timeout_ms=10_000,
        heartbeat_interval_ms=2_000,
        partition_assignment_strategy=(RangePartitionAssignor,),
        **FETCH,
    )
    return await _started(consumer)


@_bounded
async def start_reader(kafka: str, *, of_one_partition: bool = False) -> AIOKafkaConsumer:
    """A consumer without a group: the caller assigns partitions.

    `of_one_partition`: no other waits for the request under way, so that the broker may keep it until something comes.
    """
    fetch = FETCH | {"fetch_max_wait_ms": 2_000} if of_one_partition else FETCH
    return await _started(AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest", **fetch))


async def _started(client: Any) -> Any:
    try:
        await client.start()
    except BaseException:
        await client.stop()
        raise
    return client


async def all_partitions(consumer: AIOKafkaConsumer, topics: Sequence[str]) -> list[TopicPartition]:
    """Every partition of the topics; raises LookupError where one is not there."""
    known: list[TopicPartition] = []
    for topic in topics:
        numbers = await consumer._client._wait_on_metadata(topic)
        known += [TopicPartition(topic, number) for number in sorted(numbers)]
    return known


async def cluster_id(kafka: str) -> str:
    admin = await start_admin(kafka)
    try:
        cluster = await admin.describe_cluster()
    finally:
        await admin.close()
    return str(cluster["cluster_id"])


@_bounded
async def start_admin(kafka: str) -> AIOKafkaAdminClient:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    try:
        await admin.start()
    except BaseException:
        await admin.close()
        raise
    return admin
