"""Creates the topics of the contracts and the dead letters. Run: `python -m chassis.topics`."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code
from contracts.topics import DEAD_LETTERS_KEPT, SERVICES, TOPICS, dead_letter_topic

from chassis.bus import start_admin

LEADERS_WITHIN_S = 20.0


class Wanted(NamedTuple):
    partitions: int
    config: dict[str, str]


class Provisioned(NamedTuple):
    created: tuple[str, ...]
    existing: tuple[str, ...]


class Differs(Exception):
    """A topic is there with other partitions than wanted: keys would move."""


def wanted(competitor_partitions: int, market_partitions: int, services: Sequence[str] = SERVICES) -> dict[str, Wanted]:
    spread = {"single": 1, "market": market_partitions, "competitor": competitor_partitions}
    dead = {"cleanup.policy": "delete", "retention.ms": _ms(DEAD_LETTERS_KEPT.total_seconds())}
    topics = {
        name: Wanted(
            spread[topic.spread],
            {"cleanup.policy": "compact"}
            if topic.kept is None
            else {"cleanup.policy": "delete", "retention.ms": _ms(topic.kept.total_seconds())},
        )
        for name, topic in TOPICS.items()
    }
    return topics | {dead_letter_topic(service): Wanted(1, dead) for service in services}


async def provision(
    kafka: str,
    *,
    competitor_partitions: int = 12,
    market_partitions: int = 6,
    replication: int = 1,
    services: Sequence[str] = (),
) -> Provisioned:
    """Idempotent; raises Differs. `services` beyond contracts.topics.SERVICES get a dead-letter topic too."""
    want = wanted(competitor_partitions, market_partitions, [*SERVICES, *services])
    async with _admin(kafka) as admin:
        there = await _there(admin)
        different = [
            f"{name} has {there[name]} partitions, wanted {want[name].partitions}"
            for name in sorted(want.keys() & there.keys())
            if there[name] != want[name].partitions
        ]
        if different:
            raise Differs("; ".join(different))
        missing = sorted(want.keys() - there.keys())
        await _create(admin, {name: want[name] for name in missing}, replication)
        return Provisioned(tuple(missing), tuple(sorted(want.keys() & there.keys())))


async def partition_count(kafka: str, topic: str) -> int:
    """As the broker says; raises LookupError where there is no such topic."""
    async with _admin(kafka) as admin:
        there = await _there(admin)
    if topic not in there:
        raise LookupError(f"{topic}: the broker has no such topic; python -m chassis.topics creates it")
    return there[topic]


async def _create(admin: AIOKafkaAdminClient, topics: dict[str, Wanted], replication: int) -> None:
    if not topics:
        return
    response = await admin.create_topics(
        [NewTopic(name, one.partitions, replication, topic_configs=one.config) for name, one in topics.items()]
    )
    for name, code, *rest in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:  # another provisioner was faster
            raise error(f"{name}: {' '.join(map(str, rest))}")
    async with asyncio.timeout(LEADERS_WITHIN_S):
        while not await _have_leaders(admin, list(topics)):  # noqa: ASYNC110  # the broker tells nobody
            await asyncio.sleep(0.05)


async def _have_leaders(admin: AIOKafkaAdminClient, names: list[str]) -> bool:
    described = await admin.describe_topics(names)
    return all(
        not topic["error_code"] and topic["partitions"] and all(p["leader"] >= 0 for p in topic["partitions"])
        for topic in described
    )


async def _there(admin: AIOKafkaAdminClient) -> dict[str, int]:
    described: list[dict[str, Any]] = await admin.describe_topics()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


@asynccontextmanager
async def _admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = await start_admin(kafka)
    try:
        yield admin
    finally:
        await admin.close()


def _ms(seconds: float) -> str:
    return str(int(seconds * 1000))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m chassis.topics", description=__doc__)
    parser.add_argument("--kafka", default="127.0.0.1:9092", help="bootstrap servers")
    parser.add_argument("--competitor-partitions", type=int, default=12)
    parser.add_argument("--market-partitions", type=int, default=6)
    parser.add_argument("--replication", type=int, default=1)
    given = parser.parse_args()
    done = asyncio.run(
        provision(
            given.kafka,
            competitor_partitions=given.competitor_partitions,
            market_partitions=given.market_partitions,
            replication=given.replication,
        )
    )
    print(f"{len(done.created)} topics created, {len(done.existing)} were there")  # noqa: T201  # a command's answer


if __name__ == "__main__":
    main()
