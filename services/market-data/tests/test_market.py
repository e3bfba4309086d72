import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from contracts.canonical import snapshot_bytes
from contracts.market import BarClosed, BookUpdated, MarketSnapshot, MarkUpdated, NewsPublished, TradePrinted
from contracts.types import plain
from contracts.wire import Encoded, decode
from exchanges.recorded import RecordedBars
from exchanges.synthetic import Synthetic
from exchanges.updates import Bar
from market_data.core.market import Market
from market_data.core.records import Marked
from market_data.indicators import compute
from market_data.ingest import preload, take

T0 = datetime(2026, 1, 1, 8, tzinfo=UTC)
BTC, ETH = "BTC-USDT-PERP", "ETH-USDT-PERP"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def market(begins_at: datetime = T0) -> Market:
    return Market("made", [ETH, BTC], compute, begins_at=begins_at)


def events(records: Sequence[Encoded]) -> list[Any]:
    return [decode(record.topic, record.value, record.headers) for record in records]


def quote(price: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    return [(f"{price - n}.0", "1.0") for n in range(30)], [(f"{price + 1 + n}.0", "2.0") for n in range(30)]


def mark(price: str, **known: Any) -> Marked:
    return Marked(price, *[known.get(name) for name in Marked._fields[1:]])


def test_a_book_comes_out_every_100_ms_with_its_best_20_levels() -> None:
    made = market()
    for milliseconds, price in [(10, 100), (60, 101), (100, 102), (130, 103)]:
        made.book(at(milliseconds / 1000), BTC, milliseconds, *quote(price))
    first, second = events(made.advance(at(0.2)))

    assert isinstance(first, BookUpdated)
    assert (first.at, first.sequence, len(first.bids), len(first.asks)) == (at(0.1), 100, 20, 20)
    assert (first.bids[0], first.asks[0]) == ((Decimal("102.0"), Decimal("1.0")), (Decimal("103.0"), Decimal("2.0")))
    assert (second.at, second.sequence) == (at(0.2), 130)


def test_a_book_waits_for_its_point() -> None:
    made = market()
    made.book(at(0.01), BTC, 1, *quote(100))

    assert made.advance(at(0.099)) == []
    assert len(made.advance(at(0.1))) == 1


def test_marks_come_out_every_second_with_the_last_price() -> None:
    made = market()
    made.mark(at(0.2), BTC, mark("100.5"))
    made.trade(at(0.3), BTC, "1", "100.0", "1", "buy")
    made.mark(at(0.4), BTC, mark("100.6"))
    trade, marked = events(made.advance(at(1)))

    assert isinstance(trade, TradePrinted)
    assert isinstance(marked, MarkUpdated)
    assert (marked.at, marked.mark_price, marked.last_price) == (at(1), Decimal("100.6"), Decimal("100.0"))
    assert [row.at for row in made.taken()[1]] == [at(1)]
    assert made.taken() == ([], [])


def test_a_minute_s_bar_comes_out_at_its_end_and_a_trade_at_the_end_is_in_the_next() -> None:
    made = market()
    made.trade(at(1), BTC, "1", "100", "2", "buy")
    made.trade(at(60), BTC, "2", "105", "1", "buy")
    first, bar, second = events(made.advance(at(60)))

    assert isinstance(bar, BarClosed)
    assert (bar.at, bar.opened_at, bar.close, bar.volume, bar.turnover, bar.trades) == (
        at(60), T0, Decimal(100), Decimal(2), Decimal(200), 1,
    )  # fmt: skip
    assert (first.venue_trade_id, second.venue_trade_id) == ("1", "2")


def test_an_empty_minute_has_no_bar() -> None:
    made = market()
    made.trade(at(1), BTC, "1", "100", "2", "buy")
    made.advance(at(60))

    assert made.advance(at(600)) == []


def test_the_first_minute_is_left_out_where_the_feed_began_within_it() -> None:
    made = market(begins_at=at(1))
    made.trade(at(2), BTC, "1", "100", "2", "buy")
    made.trade(at(62), BTC, "2", "101", "2", "buy")

    assert [event.opened_at for event in events(made.advance(at(120))) if isinstance(event, BarClosed)] == [at(60)]


def test_news_comes_out_and_stands_in_the_snapshot() -> None:
    made = market()
    made.news(at(5), "wire", "Bitcoin jumps")
    (news,) = events(made.advance(at(5)))
    shown = made.snapshot("one", 1, at(5), [BTC])

    assert isinstance(news, NewsPublished)
    assert [(item.at, item.headline, item.instruments) for item in shown.news] == [(at(5), "Bitcoin jumps", (BTC,))]


def test_what_is_not_known_is_null_in_the_snapshot() -> None:
    made = market()
    shown = made.snapshot("one", 1, T0, [BTC, "SOL-USDT-PERP"])

    for instrument in shown.instruments:
        values = instrument.model_dump(exclude={"instrument", "intraday", "context"})
        assert set(values.values()) == {None}
        assert instrument.intraday.closes_at == instrument.context.closes_at == ()
        assert instrument.intraday.volume_average is None


def warm(minutes: int) -> Market:
    """A trade a minute at 100, 101, 102 …, one unit each."""
    made = market()
    for n in range(minutes):
        made.trade(at(60 * n + 1), BTC, str(n), str(100 + n), "1", "buy")
    made.book(at(60 * minutes - 1), BTC, 9, *quote(200))
    made.mark(at(60 * minutes - 1), BTC, mark("200.5", funding_rate="0.0001", open_interest="50"))
    made.advance(at(60 * minutes))
    return made


def test_a_snapshot_shows_the_last_ten_closed_bars_and_indicators_where_they_are_warm() -> None:
    made = warm(61)
    (shown,) = made.snapshot("one", 1, at(3_660), [BTC]).instruments

    # 20 bars of three minutes are closed; the last closes with minute 60, whose price is 159
    assert (shown.bid, shown.ask, shown.mark_price) == (Decimal("200.0"), Decimal("201.0"), Decimal("200.5"))
    assert shown.last_price == Decimal(160)
    assert shown.intraday.closes_at[-1] == at(3_600)
    assert shown.intraday.close == tuple(Decimal(102 + 3 * n) for n in range(10, 20))
    assert shown.intraday.volume == (Decimal(3),) * 10
    assert shown.intraday.volume_average == Decimal(3)
    # the mean of 102, 105 … 159
    assert shown.intraday.ema20 == (*[None] * 9, Decimal("130.5"))
    assert shown.intraday.ema50 == (None,) * 10
    assert shown.intraday.rsi7[-1] == Decimal("100.0")
    # each bar spans 2 and stands 3 above the one before: the true range is 3
    assert shown.intraday.atr14[-1] == Decimal("3.0")
    assert shown.context.closes_at == ()


def test_a_snapshot_s_hash_is_that_of_its_bytes_and_stays() -> None:
    first, again = (warm(61).snapshot("one", 1, at(3_660), [BTC, ETH]) for _ in range(2))

    assert snapshot_bytes(first) == snapshot_bytes(again)
    assert first.sha256 == "e12457221617c96244c3676333a135d89dd8fdc0c2688efadded555138761d72"
    assert MarketSnapshot.model_validate_json(first.model_dump_json()) == first


def test_a_recorded_bar_file_comes_back_as_the_bars_it_was(tmp_path: Path) -> None:
    rows = ["00:00:00,100.0,110.0,90.0,105.0,400000", "00:01:00,105.0,108.0,95.0,96.0,5000"]
    (tmp_path / "btc_made.csv").write_text(
        "timestamp,open,high,low,close,volume\n" + "".join(f"2026-01-01 {row}\n" for row in rows)
    )
    venue = RecordedBars(tmp_path / "btc_made.csv")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = Market(venue.name, [BTC], compute, begins_at=start)
    for step in venue.feed(start):
        take(made, step.updates)
        made.advance(step.at)
    made.advance(start + timedelta(minutes=2))

    columns = ("open", "high", "low", "close", "volume", "turnover")
    told = [
        Bar(b.instrument, b.opened_at, **{c: plain(getattr(b, c)) for c in columns}, trades=b.trades) for b in made.bars
    ]
    assert told == list(venue.history(start + timedelta(minutes=2)))


def synthetic_market(seed: int, start: datetime) -> Market:
    venue = Synthetic(seed)
    return Market(venue.name, [one.instrument for one in venue.instruments(start)], compute, begins_at=start)


def test_a_market_taken_up_again_says_what_the_uninterrupted_one_says() -> None:
    venue, start = Synthetic(7), at(0)
    whole, first = synthetic_market(7, start), synthetic_market(7, start)
    steps = list(islice(iter(venue.feed(start)), 800))
    minutes = []
    for step in steps[:500]:
        for made in (whole, first):
            take(made, step.updates)
            made.advance(step.at)
    minutes = first.taken()[0]

    second = synthetic_market(7, start)
    for bar in minutes:
        fields = ("open", "high", "low", "close", "volume", "turnover")
        rows = {name: str(getattr(bar, name)) for name in fields}
        preload(second, [Bar(bar.instrument, bar.opened_at, **rows, trades=bar.trades)])
    second.load(json.loads(json.dumps(first.dump())))
    second.settle(steps[499].at)
    instruments = list(whole.instruments)
    assert second.snapshot("one", 1, steps[499].at, instruments) == whole.snapshot("one", 1, steps[499].at, instruments)

    for step in steps[500:]:
        for made in (whole, second):
            take(made, step.updates)
        assert second.advance(step.at) == whole.advance(step.at)
    assert second.snapshot("one", 2, steps[-1].at, instruments) == whole.snapshot("one", 2, steps[-1].at, instruments)
