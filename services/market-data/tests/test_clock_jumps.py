"""The wall clock jumps under a live feed: time never runs back, and no round opens twice."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from contracts.base import named_id
from contracts.competition import SeasonChanged, SeasonRules
from contracts.market import BarClosed
from contracts.wire import Encoded, decode
from exchanges.updates import Step, Trade
from market_data.assembly import partition_of
from market_data.core.market import Market, MarkRow
from market_data.core.numbering import WATERMARKED, Numbering
from market_data.core.rounds import Rounds
from market_data.indicators import compute
from market_data.outbox import Outbox
from market_data.pace import LivePace
from market_data.runner import Plan, Runner
from market_data.store import Progress

T0 = datetime(2026, 1, 1, 8, tzinfo=UTC)
BTC = "BTC-USDT-PERP"
SEASON = SeasonChanged(
    event_id=named_id("season"), at=T0, season_id="one", name="One", venue="made", clock="live", starts_at=T0,
    rules=SeasonRules(
        instruments=(BTC,), capital=Decimal(10_000), cadence_s=10, deadline_s=5, leverage_max=Decimal(10),
        order_notional_max=Decimal(20_000), position_notional_max=Decimal(30_000), price_band=Decimal("0.02"),
    ),
    rules_sha256="0" * 64,
)  # fmt: skip
PARTITIONS = dict.fromkeys(WATERMARKED, 1) | {"market.snapshots.v1": 1}


class Wall:
    """Each reading is 1 ms later; after `jumps_after` readings it is `jump` seconds off."""

    def __init__(self, jump: float, jumps_after: int = 200) -> None:
        self.readings, self._jump, self._jumps_after = 0, jump, jumps_after

    def now(self) -> datetime:
        self.readings += 1
        jump = self._jump if self.readings > self._jumps_after else 0
        return T0 + timedelta(seconds=self.readings * 0.05 + jump)


class EverySecond:
    def state(self) -> bytes:
        return b"{}"

    def __iter__(self) -> Iterator[Step]:
        for second in range(1, 61):
            at = T0 + timedelta(seconds=second)
            yield Step(at, [Trade(at, BTC, str(second), "100", "1", "buy")])


class Forgetful:
    async def save(
        self, venue: str, progress: Progress, bars: Sequence[BarClosed], marks: Sequence[MarkRow]
    ) -> None: ...

    async def closed(self, round: int) -> int:
        return round


@pytest.mark.parametrize("jump", [0, 25, -8])
async def test_each_round_opens_once_and_time_never_runs_back(jump: float, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Encoded] = []

    async def send(records: Sequence[Encoded]) -> None:
        told.extend(records)

    async def at_once(stopping: asyncio.Event, seconds: float) -> bool:  # waiting is reading the clock again
        return stopping.is_set()

    monkeypatch.setattr("market_data.runner.stopped_within", at_once)
    wall, nobody = Wall(jump), Forgetful()
    outbox = Outbox(Numbering("made", partition_of(PARTITIONS), PARTITIONS, {}), send)
    runner = Runner(
        Plan("made", "one", T0, None, live=True), EverySecond(), Market("made", [BTC], compute, begins_at=T0),
        Rounds(SEASON, T0, ends_at=None), outbox, nobody, LivePace(wall.now), nobody, asyncio.Event(), through=T0,
        turned=lambda: None, monotonic=lambda: 0.0,
    )  # fmt: skip
    assert await runner.run([])

    events = [decode(record.topic, record.value, record.headers) for record in told]
    assert [event.round for event in events if event.type == "market_snapshot"] == [1, 2, 3, 4, 5, 6, 7]
    quotes = [
        e.at for e, r in zip(events, told, strict=True) if e.type == "time_advanced" and r.topic == "market.quotes.v1"
    ]
    assert all(before <= after for before, after in pairwise(quotes))
