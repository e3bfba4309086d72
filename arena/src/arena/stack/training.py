"""The JVM's ahead-of-time cache for Kafka: made once (about 15 s), it takes a start from five seconds to under two."""

import asyncio
import tempfile
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from arena.stack.jars import class_path, one_at_a_time
from arena.stack.kafka import EmbeddedKafka, aot_cache

WRITING_S = 120.0
"""At its end the JVM writes the cache."""


async def ensure_aot_cache() -> bool:
    """False where it was there already."""
    class_path()
    with one_at_a_time(aot_cache().parent):
        if aot_cache().exists():
            return False
        with tempfile.TemporaryDirectory(dir=aot_cache().parent) as scratch:
            await _train(Path(scratch))
        return True


async def _train(scratch: Path) -> None:
    made = scratch / "kafka.aot"
    kafka = EmbeddedKafka(scratch / "data", train=made)
    await kafka.start()
    try:
        await _exercise(kafka.bootstrap)
    finally:
        await kafka.stop(WRITING_S)
    made.rename(aot_cache())


async def _exercise(bootstrap: str) -> None:
    """What a start of the arena asks of a broker: topics, records, a group."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name="training", num_partitions=2, replication_factor=1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        for number in range(20):
            await producer.send_and_wait("training", b"x" * 200, key=b"%d" % number)
    consumer = AIOKafkaConsumer("training", bootstrap_servers=bootstrap, group_id="g", auto_offset_reset="earliest")
    async with consumer:
        await consumer.getone()
        await consumer.commit()


if __name__ == "__main__":
    asyncio.run(ensure_aot_cache())
