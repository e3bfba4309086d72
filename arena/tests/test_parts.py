from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from arena.datadir import DataDir
from arena.exits import Exit, Stopped
from arena.options import Options
from arena.stack.parts import found
from arena.testing import Stack
from contracts.topics import SERVICES


async def refusal(options: Options) -> str:
    async with AsyncExitStack() as stack:
        with pytest.raises(Stopped) as refused:
            await found(options, DataDir(options.data_dir), stack)
    assert refused.value.code is Exit.PART
    return str(refused.value)


async def test_a_broker_with_an_earlier_arenas_topics_is_left_alone(stack: Stack, tmp_path: Path) -> None:
    told = await refusal(Options(tmp_path, kafka=stack.kafka, postgres=stack.postgres))

    assert "earlier arena" in told
    assert "--resume" in told


async def test_a_broker_that_is_not_there_is_named(tmp_path: Path, postgres: str) -> None:
    told = await refusal(Options(tmp_path, kafka="127.0.0.1:1", postgres=postgres))

    assert "Unable to bootstrap from [('127.0.0.1', 1" in told


async def test_a_new_arena_has_topics_and_an_account_a_service(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        foundation = await found(Options(tmp_path), DataDir(tmp_path), stack)

        assert list(foundation.dsns) == list(SERVICES)
        foundation.check()
        await foundation.embedded[1].stop()
        with pytest.raises(Stopped, match="EmbeddedPostgres died"):
            foundation.check()
    assert not any(part.alive for part in foundation.embedded)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o600}
