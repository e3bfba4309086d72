"""The floor: a bare aiokafka relay (getmany, send, gather) that stores nothing.

`python -m benchmarks.relay KAFKA FROM TO`
"""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


async def relay(kafka: str, source: str, target: str) -> None:
    async with (
        AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True, acks="all", linger_ms=0) as producer,
        AIOKafkaConsumer(
            source, bootstrap_servers=kafka, group_id=f"relay-{source}-{target}", enable_auto_commit=False,
            auto_offset_reset="earliest",
        ) as consumer,
    ):  # fmt: skip
        while True:
            polled = await consumer.getmany(timeout_ms=200, max_records=500)
            sent = [
                await producer.send(target, key=record.key, value=record.value, headers=list(record.headers))
                for records in polled.values()
                for record in records
            ]
            await asyncio.gather(*sent)


if __name__ == "__main__":
    asyncio.run(relay(*sys.argv[1:4]))
