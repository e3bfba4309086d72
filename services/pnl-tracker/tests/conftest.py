import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tracker_parts and timescale_server are imported by name

from tracker_parts import Parts, started


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    """No other test's executions are on its topics."""
    async with started(tmp_path) as parts:
        yield parts
