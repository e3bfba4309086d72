from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chassis.testing import World


@pytest.fixture
async def world(kafka: str, postgres: str, tmp_path: Path) -> AsyncIterator[World]:
    one = World(kafka, postgres, tmp_path)
    await one.start()
    yield one
    await one.stop()
