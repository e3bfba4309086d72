"""The runs that several tests look at."""

from pathlib import Path

import pytest
from arena.rehearsal import Run, run_arena
from order_executor.exchange.fixtures import dsn, exchange, executor_dsn, one_exchange

__all__ = ["dsn", "exchange", "executor_dsn", "one_exchange"]

ROOT = Path(__file__).parents[1]
RECORDINGS = ROOT.parent / "shared/data/market"
SHORT_SEASON = ROOT / "tests/seasons/short.yaml"


@pytest.fixture(scope="session")
def recordings() -> str:
    """`--market` of the recorded BTC and ETH streams."""
    paths = [RECORDINGS / f"binance_usdm_{name}_20240808.jsonl.gz" for name in ("btcusdt", "ethusdt")]
    if not all(path.exists() for path in paths):
        pytest.skip("the recorded Binance streams are not beside the project (shared/data/market)")
    return ":".join(["recorded", *map(str, paths)])


@pytest.fixture(scope="session")
def short_season() -> list[str]:
    """A dozen rounds on the synthetic market."""
    return ["--market", "synthetic", "--seed", "7", "--season", str(SHORT_SEASON), "--seconds", "240"]


@pytest.fixture(scope="session")
async def baseline(tmp_path_factory: pytest.TempPathFactory, short_season: list[str]) -> Run:
    """The short season at full speed, one process a service."""
    return await run_arena(tmp_path_factory.mktemp("baseline") / "data", [*short_season, "--speed", "max"])
