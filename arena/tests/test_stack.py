import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import TopicPartition
from arena.stack import jars
from arena.stack.kafka import EmbeddedKafka, aot_cache, new_cluster_id
from arena.stack.postgres import EmbeddedPostgres
from arena.stack.processes import PartFailed, until


async def test_kafka_started_again_has_the_same_cluster_id_and_its_data(tmp_path: Path) -> None:
    async with EmbeddedKafka(tmp_path / "kafka") as first:
        cluster_id = first.cluster_id
        await create_topic(first.bootstrap, "kept")
        async with AIOKafkaProducer(bootstrap_servers=first.bootstrap) as producer:
            await producer.send_and_wait("kept", b"still here")

    async with EmbeddedKafka(tmp_path / "kafka") as second:
        assert await broker_cluster_id(second.bootstrap) == cluster_id
        consumer = AIOKafkaConsumer(bootstrap_servers=second.bootstrap, auto_offset_reset="earliest")
        async with consumer:
            consumer.assign([TopicPartition("kept", 0)])
            assert (await consumer.getone()).value == b"still here"


async def test_postgres_started_again_has_its_data_and_its_password(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "postgres") as first:
        password = first.dsn.split("@")[0]
        connection = await asyncpg.connect(first.dsn)
        await connection.execute("create table kept (word text); insert into kept values ('still here')")
        await connection.close()

    async with EmbeddedPostgres(tmp_path / "postgres") as second:
        connection = await asyncpg.connect(second.dsn)
        assert await connection.fetchval("select word from kept") == "still here"
        await connection.close()
    assert second.dsn.split("@")[0] == password
    assert (tmp_path / "postgres" / "password").stat().st_mode & 0o777 == 0o600


async def test_postgres_lets_nobody_in_without_the_password(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "postgres") as server:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.dsn, password="guess")


async def test_parts_listen_on_loopback_only_and_leave_no_process_behind(tmp_path: Path) -> None:
    async with EmbeddedKafka(tmp_path / "kafka") as kafka, EmbeddedPostgres(tmp_path / "postgres") as postgres:
        processes = [p for pid in (kafka.pid, postgres.pid) for p in family(pid)]
        listening = {c.laddr.ip for p in processes for c in p.net_connections() if c.status == psutil.CONN_LISTEN}
        assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}
        assert len(processes) > 3  # postgres has its workers
    assert [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []


async def test_parts_die_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    program = """
        import asyncio, sys
        from pathlib import Path
        from arena.stack.kafka import EmbeddedKafka
        from arena.stack.postgres import EmbeddedPostgres

        async def main(folder):
            async with EmbeddedKafka(folder / "kafka") as kafka, EmbeddedPostgres(folder / "postgres") as postgres:
                print(kafka.pid, postgres.pid, flush=True)
                await asyncio.Event().wait()

        asyncio.run(main(Path(sys.argv[1])))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:  # noqa: ASYNC220  # it is killed at once
        assert parent.stdout is not None
        orphans = [p for pid in parent.stdout.readline().split() for p in family(int(pid))]
        assert len(orphans) > 3
        os.kill(parent.pid, signal.SIGKILL)

    async def all_gone() -> bool:
        return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in orphans)

    assert await until(all_gone, 20)


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PartFailed, match=f"port {port} .* is taken"):
            await EmbeddedKafka(tmp_path, port).start()


async def test_a_start_that_fails_shows_the_end_of_the_log(tmp_path: Path) -> None:
    async with EmbeddedKafka(tmp_path):
        pass
    (tmp_path / "log" / "meta.properties").write_text("version=1\ncluster.id=another\nnode.id=7\n")
    with pytest.raises(PartFailed, match="node id 7") as failure:
        await EmbeddedKafka(tmp_path).start()
    assert "kafka.log" in str(failure.value)


def test_a_cluster_id_is_never_taken_for_an_option() -> None:
    ids = [new_cluster_id() for _ in range(500)]
    assert all(len(name) == 22 and name[0].isalpha() for name in ids)
    assert len(set(ids)) == 500


def test_a_jar_that_is_not_the_locked_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = "org.example:good:1.0", "org.example:bad:2.0"
    (tmp_path / "good-1.0").write_bytes(b"good")
    (tmp_path / "bad-2.0").write_bytes(b"evil")
    lock = {good: "770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c", bad: "0" * 64}
    monkeypatch.setattr(jars, "download", lambda name, _: tmp_path / jars.file_name(name).removesuffix(".jar"))

    with pytest.raises(jars.Tampered, match=r"org\.example:bad:2\.0: sha256 is .*, locked is 0000"):
        jars.fetch(lock, tmp_path / "jars")
    assert not (tmp_path / "jars").exists()


def test_the_lock_names_kafka_and_every_jar_has_a_sha256() -> None:
    locked = jars.locked()
    assert f"org.apache.kafka:kafka_2.13:{jars.KAFKA_VERSION}" in locked
    assert "org.slf4j:slf4j-simple:1.7.36" in locked
    assert all(len(sha256) == 64 for sha256 in locked.values())


def test_the_aot_cache_belongs_to_one_lock() -> None:
    assert aot_cache().parent == jars.kafka_home()


def family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


async def create_topic(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name=name, num_partitions=1, replication_factor=1)])
    await admin.close()


async def broker_cluster_id(bootstrap: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    cluster_id: str = (await admin.describe_cluster())["cluster_id"]
    await admin.close()
    return cluster_id
