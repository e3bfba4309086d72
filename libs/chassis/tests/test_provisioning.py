"""Topics and schemas: made once, made again without harm, and no more rights than needed."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from chassis import topics
from chassis.migrate import migrate
from chassis.testing import World
from contracts.topics import SERVICES, TOPICS, dead_letter_topic

MIGRATION = """
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("create table note (id serial primary key, body text)")
"""


def test_every_topic_of_the_contracts_and_every_services_dead_letters_are_wanted() -> None:
    want = topics.wanted(competitor_partitions=12, market_partitions=6)
    assert want.keys() == TOPICS.keys() | {dead_letter_topic(service) for service in SERVICES}
    assert (want["orders.v1"].partitions, want["market.quotes.v1"].partitions, want["control.v1"].partitions) == (
        12,
        6,
        1,
    )
    assert want["portfolios.v1"].config == {"cleanup.policy": "compact"}
    assert want["market.quotes.v1"].config == {"cleanup.policy": "delete", "retention.ms": "3600000"}


async def test_topics_are_created_once_and_a_difference_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = f"{world.service}.fresh.v1"

    def one(competitor_partitions: int, *_: object) -> dict[str, topics.Wanted]:
        return {mine: topics.Wanted(competitor_partitions, {"cleanup.policy": "delete", "retention.ms": "3600000"})}

    monkeypatch.setattr(topics, "wanted", one)
    assert await topics.provision(world.kafka, competitor_partitions=3) == ((mine,), ())
    assert await topics.provision(world.kafka, competitor_partitions=3) == ((), (mine,))
    with pytest.raises(topics.Differs, match="has 3 partitions, wanted 4"):
        await topics.provision(world.kafka, competitor_partitions=4)
    assert await topics.partition_count(world.kafka, mine) == 3
    config = await world.admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, mine)])
    values = {entry[0]: entry[1] for entry in config[0].resources[0][4]}
    assert values["retention.ms"] == "3600000"
    with pytest.raises(LookupError, match=r"chassis\.topics creates it"):
        await topics.partition_count(world.kafka, f"{mine}-not")


async def test_a_service_has_its_own_schema_and_no_rights_beyond(world: World, tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "0001_note.py").write_text(MIGRATION)
    dsn = await asyncio.to_thread(migrate, world.admin_dsn, "note-keeper", migrations=tmp_path, password="of-no-value")
    again = await asyncio.to_thread(migrate, world.admin_dsn, "note-keeper", migrations=tmp_path)
    assert "of-no-value" in dsn
    assert "of-no-value" not in again
    db = await asyncpg.connect(dsn)
    try:
        await db.execute("insert into note (body) values ('mine')")
        await db.execute("insert into step_position values ('orders.v1', 0)")
        for forbidden in (
            "create table more (id int)", "drop table note", "truncate note", "create role another",
            f'select * from "{world.service.replace("-", "_")}".step_position', "create schema mine",
            "alter role note_keeper superuser",
        ):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.execute(forbidden)
    finally:
        await db.close()


async def test_a_reset_forgets_positions_and_state(world: World) -> None:
    db = await asyncpg.connect(world.dsn)
    await db.execute("insert into step_position values ('orders.v1', 0)")
    await db.close()
    await asyncio.to_thread(migrate, world.admin_dsn, world.service, reset=True)
    assert await world.fetch("select * from step_position") == []
