"""The loop over a made feed: what goes out, when time holds, where it ends and how it is taken up again."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from contracts.base import named_id
from contracts.competition import SeasonChanged, SeasonRules
from contracts.market import BarClosed, BookUpdated, MarketSnapshot, TimeAdvanced
from contracts.wire import Encoded, decode
from exchanges.recorded import open_recording
from exchanges.synthetic import Synthetic
from exchanges.updates import Book, Step, Trade
from exchanges.venue import Feed
from market_data.assembly import partition_of
from market_data.core.bars import Bar
from market_data.core.market import Market, MarkRow
from market_data.core.numbering import WATERMARKED, Numbering
from market_data.core.rounds import Rounds
from market_data.indicators import compute
from market_data.outbox import Outbox
from market_data.pace import FactorPace, LivePace
from market_data.runner import Plan, Runner
from market_data.store import Progress

T0 = datetime(2026, 1, 1, 8, tzinfo=UTC)
BTC = "BTC-USDT-PERP"
RULES = SeasonRules(
    instruments=(BTC,),
    capital=Decimal(10_000),
    cadence_s=60,
    deadline_s=20,
    leverage_max=Decimal(10),
    order_notional_max=Decimal(20_000),
    position_notional_max=Decimal(30_000),
    price_band=Decimal("0.02"),
)
SEASON = SeasonChanged(
    event_id=named_id("season"), at=T0, season_id="one", name="One", venue="made", clock="lockstep", starts_at=T0,
    rules=RULES, rules_sha256="0" * 64,
)  # fmt: skip
DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "market"
RECORDINGS = [DATA / f"binance_usdm_{symbol}_20240808.jsonl.gz" for symbol in ("btcusdt", "ethusdt")]
BOOK = f"arena.{BookUpdated.model_fields['type'].default}".encode()
PARTITIONS = dict.fromkeys(WATERMARKED, 2) | dict.fromkeys(
    ["market.snapshots.v1", "market.news.v1", "market.instruments.v1"], 1
)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


class MadeFeed:
    """A trade at each of these seconds, each in a step of its own."""

    def __init__(self, seconds: Iterable[float]) -> None:
        self._seconds = seconds

    def state(self) -> bytes:
        return b"{}"

    def __iter__(self) -> Iterator[Step]:
        for n, second in enumerate(self._seconds):
            yield Step(after(second), [Trade(after(second), BTC, str(n), "100", "1", "buy")])


class Judge:
    """Closes rounds when it is told to."""

    def __init__(self, *, at_once: bool) -> None:
        self._at_once = at_once
        self.asked: list[int] = []
        self.is_asked = asyncio.Event()
        self.close = asyncio.Event()

    async def closed(self, round: int) -> int:
        self.asked.append(round)
        self.is_asked.set()
        if not self._at_once:
            await self.close.wait()
        return round


class Keeper:
    def __init__(self) -> None:
        self.saved: list[Progress] = []
        self.bars: list[BarClosed] = []

    async def save(self, venue: str, progress: Progress, bars: Sequence[BarClosed], marks: Sequence[MarkRow]) -> None:
        self.saved.append(progress)
        self.bars += bars


class Run:
    """A runner and everything it told."""

    def __init__(
        self, feed: Feed, *, ends_after: float | None = None, judge: Judge | None = None, market: Market | None = None,
        resume: Progress | None = None, saves: bool = False, played: SeasonChanged = SEASON,
    ) -> None:  # fmt: skip
        self.records: list[Encoded] = []
        self.batches: list[list[Encoded]] = []
        self.judge, self.keeper = judge or Judge(at_once=True), Keeper()
        self.stopping = asyncio.Event()
        ends_at = None if ends_after is None else after(ends_after)
        now = [0.0 if saves else -10.0]

        async def send(records: Sequence[Encoded]) -> None:
            self.records += records
            self.batches.append(list(records))

        def monotonic() -> float:
            now[0] += 1.0 if saves else 0.0
            return now[0]

        opened, closed = (resume.opened, resume.closed) if resume else (0, 0)
        sequences = resume.sequences if resume else {}
        self.market = market or Market("made", [BTC], compute, begins_at=T0)
        begins_at = played.starts_at
        self.runner = Runner(
            Plan("made", "one", begins_at, ends_at, live=False), feed, self.market,
            Rounds(played, begins_at, opened=opened, closed=closed, ends_at=ends_at),
            Outbox(Numbering("made", partition_of(PARTITIONS), PARTITIONS, sequences), send), self.keeper,
            FactorPace(None, T0, monotonic), self.judge, self.stopping,
            through=resume.through if resume else begins_at - timedelta(seconds=1), turned=lambda: None,
            monotonic=monotonic,
        )  # fmt: skip

    async def to_end(self) -> bool:
        return await self.runner.run([])

    def story(self) -> list[str]:
        """Trades, snapshots and the watermarks of one partition, in the order in which they went out."""
        told = []
        for record in self.records:
            event = decode(record.topic, record.value, record.headers)
            second = (event.at - T0).total_seconds()
            if isinstance(event, MarketSnapshot):
                told.append(f"round {event.round} at {second:g}")
            elif not isinstance(event, TimeAdvanced):
                told.append(f"{event.type} at {second:g}")
            elif (record.topic, record.partition) == ("market.quotes.v1", 0):
                told.append(f"through {second:g}, closed {event.closed_round}")
        return told


async def test_everything_up_to_an_opening_is_out_before_the_snapshot_and_time_goes_on_to_the_hold() -> None:
    run = Run(MadeFeed([-0.5, 0, 10, 25]), ends_after=30)

    assert await run.to_end()
    assert run.story() == [
        "trade_printed at -0.5", "trade_printed at 0", "through 0, closed 0", "round 1 at 0",
        "trade_printed at 10", "through 20, closed 0", "trade_printed at 25", "through 25, closed 1",
    ]  # fmt: skip


async def test_a_step_is_cut_where_a_round_opens_within_it() -> None:
    class OneStep(MadeFeed):
        def __iter__(self) -> Iterator[Step]:
            yield Step(after(5), [Trade(after(s), BTC, str(s), "100", "1", "buy") for s in (-0.5, 0, 0.5)])

    run = Run(OneStep([]), ends_after=10)
    await run.to_end()

    assert run.story()[:5] == [
        "trade_printed at -0.5", "trade_printed at 0", "through 0, closed 0", "round 1 at 0", "trade_printed at 0.5",
    ]  # fmt: skip


async def test_nothing_comes_out_while_time_holds() -> None:
    judge = Judge(at_once=False)
    run = Run(MadeFeed([1, 21, 22]), ends_after=30, judge=judge)
    running = asyncio.create_task(run.to_end())
    await judge.is_asked.wait()

    assert run.runner.holding
    assert run.story()[-2:] == ["trade_printed at 1", "through 20, closed 0"]

    judge.close.set()
    assert await running
    assert run.story()[-3:] == ["trade_printed at 21", "trade_printed at 22", "through 22, closed 1"]


async def test_a_stop_ends_a_hold_and_saves_nothing_beyond_it() -> None:
    judge = Judge(at_once=False)
    run = Run(MadeFeed([1, 21]), judge=judge, saves=True)
    running = asyncio.create_task(run.to_end())
    await judge.is_asked.wait()
    run.stopping.set()

    assert not await running
    assert [progress.through for progress in run.keeper.saved] == [after(1)]


async def test_the_round_that_is_open_when_the_recording_ends_is_run_out() -> None:
    run = Run(MadeFeed([-1, 5]))

    assert await run.to_end()
    assert run.judge.asked == [1]
    assert run.story()[-3:] == ["trade_printed at 5", "through 20, closed 0", "through 21, closed 1"]


async def test_every_partition_has_one_watermark_a_batch_after_its_data() -> None:
    run = Run(MadeFeed([-0.5, 0, 10, 25]), ends_after=30)
    await run.to_end()

    for batch in run.batches:
        kinds = [(record.topic, record.partition, dict(record.headers)["ce_type"]) for record in batch]
        marks = [(topic, partition) for topic, partition, kind in kinds if kind == b"arena.time_advanced"]
        assert len(marks) == len(set(marks))
        assert all(kind == b"arena.time_advanced" for *_, kind in kinds[len(kinds) - len(marks) :])


@pytest.mark.skipif(not RECORDINGS[0].exists(), reason="the recorded streams are not beside the project")
async def test_the_recorded_streams_have_their_rounds_and_whole_bars() -> None:
    venue = open_recording(RECORDINGS)
    assert venue.starts_at is not None
    names = [one.instrument for one in venue.instruments(venue.starts_at)]
    market = Market(venue.name, names, compute, begins_at=venue.starts_at)
    played = SEASON.model_copy(update={"starts_at": venue.starts_at})
    run = Run(venue.feed(venue.starts_at), market=market, played=played, saves=True)
    await run.to_end()

    # 345 seconds from 23:54:15: rounds open every minute, and four minutes are whole and over
    assert run.judge.asked == [1, 2, 3, 4, 5, 6]
    closed = [(bar.instrument, f"{bar.opened_at:%H:%M}") for bar in run.keeper.bars]
    assert closed == [(name, f"23:{minute}") for minute in range(55, 59) for name in sorted(names)]
    last = [decode(r.topic, r.value, r.headers) for r in run.records if r.topic == "market.snapshots.v1"][-1]
    assert [shown.bid is not None and shown.bid < (shown.ask or 0) for shown in last.instruments] == [True]
    assert set(last.instruments[0].intraday.ema20) <= {None}


def synthetic(resume: Progress | None = None, bars: Sequence[BarClosed] = ()) -> Run:
    venue, start = Synthetic(7), T0 - timedelta(seconds=1)
    market = Market(venue.name, [one.instrument for one in venue.instruments(start)], compute, begins_at=start)
    for bar in bars:
        market.instruments[bar.instrument].add(
            Bar(bar.opened_at, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.turnover, bar.trades)
        )
    if resume is not None:
        market.load(resume.market)
        market.settle(resume.through)
    feed = venue.feed(start, resume.venue_state.encode() if resume else None)
    return Run(feed, ends_after=250, market=market, resume=resume, saves=True)


def numbered(records: Sequence[Encoded]) -> dict[tuple[str, bytes, bytes], bytes]:
    """Values of data by topic, source and sequence."""
    found = {}
    for record in records:
        headers = dict(record.headers)
        if headers["ce_type"] != b"arena.time_advanced":
            found[record.topic, headers["ce_source"], headers["ce_sequence"]] = record.value
    return found


async def test_a_killed_feed_goes_on_with_the_same_records_and_the_same_numbers() -> None:
    whole = synthetic()
    await whole.to_end()
    resumed = synthetic(whole.keeper.saved[100], [bar for bar in whole.keeper.bars if bar.at <= after(100)])
    at_kill = resumed.runner.through
    await resumed.to_end()

    assert after(50) < at_kill < after(150)
    told, again = numbered(whole.records), numbered(resumed.records)
    assert again.items() <= told.items()
    assert len(again) > 1_000
    assert {value for key, value in told.items() if key not in again} == {
        record.value
        for record in whole.records
        if dict(record.headers)["ce_type"] != b"arena.time_advanced"
        and decode(record.topic, record.value, record.headers).at <= at_kill
    }


async def test_pace_waits_by_its_factor_and_never_makes_up_for_a_hold() -> None:
    now = [100.0]
    pace = FactorPace(10, T0, lambda: now[0])

    assert pace.wait_s(after(-5), after(0)) == 0
    assert round(pace.wait_s(after(0), after(1)), 6) == 0.1
    now[0] = 100.05
    assert round(pace.wait_s(after(0), after(1)), 6) == 0.05
    now[0] = 160.0
    pace.held()
    assert round(pace.wait_s(after(1), after(3)), 6) == 0.2


async def test_full_speed_never_waits() -> None:
    assert FactorPace(None, T0, lambda: 0.0).wait_s(T0, after(9_999)) == 0


class SilentSocket:
    """Connected: a step every 100 ms. Its books end after half a second, and begin again after two and a half."""

    def __init__(self, begins_at: datetime) -> None:
        self._begins_at = begins_at

    def state(self) -> bytes:
        return b"{}"

    def __iter__(self) -> Iterator[Step]:
        for tenth in range(1, 30):
            at = self._begins_at + timedelta(milliseconds=100 * tenth)
            says = tenth <= 5 or tenth >= 25
            yield Step(at, [Book(at, BTC, tenth, [("99.9", "1")], [("100.1", "1")])] if says else [])


async def test_live_a_silent_socket_suspends_the_instrument_within_two_seconds_of_the_wall() -> None:
    begins_at = datetime.now(UTC)
    market = Market("made", [BTC], compute, begins_at=begins_at, silent_after=timedelta(seconds=1.5))
    season = SEASON.model_copy(update={"clock": "live", "starts_at": begins_at + timedelta(hours=1)})
    told: list[tuple[float, str | None]] = []

    async def send(records: Sequence[Encoded]) -> None:
        books = [decode(r.topic, r.value, r.headers) for r in records if dict(r.headers)["ce_type"] == BOOK]
        told.extend((time.monotonic(), book.suspended) for book in books)

    outbox = Outbox(Numbering("made", partition_of(PARTITIONS), PARTITIONS, {}), send)
    runner = Runner(
        Plan("made", "one", begins_at, None, live=True), SilentSocket(begins_at), market,
        Rounds(season, begins_at, ends_at=None), outbox, Keeper(), LivePace(lambda: datetime.now(UTC)),
        Judge(at_once=True), asyncio.Event(), through=begins_at, turned=lambda: None, monotonic=time.monotonic,
    )  # fmt: skip
    assert await runner.run([])

    suspended = next(index for index, (_, why) in enumerate(told) if why == "silent")
    assert [why for _, why in told[:suspended]] == [None] * 5
    assert told[suspended][0] - told[suspended - 1][0] <= 2.0
    assert {why for _, why in told[suspended + 1 :]} == {None}, "it is resumed by its next book"
