import gzip
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest
from exchanges.recorded import RecordedBars, open_recording
from exchanges.updates import Book, Mark, Trade

T0 = datetime(2022, 1, 1, tzinfo=UTC)
HEADER = "timestamp,open,high,low,close,volume\n"
RISING = "2022-01-01 00:00:00.000000,100.0,110.0,90.0,105.0,400000\n"
FALLING = "2022-01-01 00:01:00.000000,105.0,108.0,95.0,96.0,0\n"
DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "market" / "btc_perp_1m_202201.csv.gz"


def venue(tmp_path: Path, *rows: str) -> RecordedBars:
    (tmp_path / "btc_made.csv").write_text(HEADER + "".join(rows))
    return RecordedBars(tmp_path / "btc_made.csv")


def test_a_rising_bar_goes_by_its_low_to_its_high(tmp_path: Path) -> None:
    feed = venue(tmp_path, RISING).feed(T0)
    marks = [(update.at.second, update.mark_price) for step in feed for update in step.updates if type(update) is Mark]

    assert marks == [
        (0, "100.0"), (5, "97.5"), (10, "95.0"), (15, "92.5"), (20, "90.0"), (25, "95.0"), (30, "100.0"),
        (35, "105.0"), (40, "110.0"), (45, "108.3"), (50, "106.7"), (55, "105.0"),
    ]  # fmt: skip


def test_a_falling_bar_goes_by_its_high_to_its_low(tmp_path: Path) -> None:
    feed = venue(tmp_path, FALLING).feed(T0)
    trades = [update for step in feed for update in step.updates if type(update) is Trade]

    assert [trade.price for trade in trades] == ["105.0", "108.0", "95.0", "96.0"]
    assert {trade.quantity for trade in trades} == {"0.001"}


def test_a_quarter_of_the_volume_trades_at_each_corner(tmp_path: Path) -> None:
    feed = venue(tmp_path, RISING).feed(T0)
    trades = [update for step in feed for update in step.updates if type(update) is Trade]

    # 100,000 USD at 100, at 90 (1111.111 in lots of 0.001), at 110 and at 105
    assert [trade.quantity for trade in trades] == ["1000.000", "1111.111", "909.090", "952.380"]


def test_the_book_stands_a_basis_point_wide_around_the_price(tmp_path: Path) -> None:
    row = "2022-01-01 00:00:00.000000,50000.0,50000.0,50000.0,50000.0,400000\n"
    (book,) = [u for u in next(iter(venue(tmp_path, row).feed(T0))).updates if type(u) is Book]

    # one basis point of 50,000 is 5.0; half of it is rounded to 2.5, which is 25 ticks
    assert (book.bids[0], book.asks[0]) == (("49997.5", "1.000"), ("50002.5", "1.000"))
    assert (book.bids[1][0], book.asks[1][0]) == ("49992.5", "50007.5")
    assert len(book.bids) == len(book.asks) == 20


def test_bars_before_the_start_are_history_and_the_feed_begins_at_it(tmp_path: Path) -> None:
    bars = venue(tmp_path, RISING, FALLING)
    start = T0 + timedelta(minutes=1)

    (bar,) = bars.history(start)
    assert (bar.opened_at, bar.open, bar.high, bar.low, bar.close) == (T0, "100.0", "110.0", "90.0", "105.0")
    assert Decimal(bar.volume) == Decimal("3972.581")
    assert next(iter(bars.feed(start))).at == start


def test_a_bad_bar_is_counted_and_passed_over(tmp_path: Path) -> None:
    bars = venue(tmp_path, "2022-01-01 00:00:00,1,NaN,1,1,1\n", "nonsense\n", FALLING)

    assert len(list(bars.feed(T0))) == 12
    assert bars.defects.counts == {"bad bar": 2}


def test_a_truncated_file_ends_the_feed_and_says_where(tmp_path: Path) -> None:
    rows = "".join(
        f"2022-01-{1 + n // 1440:02} {n // 60 % 24:02}:{n % 60:02}:00,{n + 1},{n + 9},1,5,{n}\n" for n in range(9_000)
    )
    whole = gzip.compress((HEADER + rows).encode())
    (tmp_path / "btc_cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    bars = RecordedBars(tmp_path / "btc_cut.csv.gz")

    assert len(list(bars.feed(T0))) > 100
    assert bars.defects.ended_by is not None
    assert "btc_cut.csv.gz is damaged after line" in bars.defects.ended_by


@pytest.mark.skipif(not DATA.exists(), reason=f"the recorded bars are not at {DATA}")
def test_the_recorded_bars_resume_where_they_stopped() -> None:
    bars = open_recording([DATA])
    assert bars.starts_at == datetime(2021, 12, 31, 23, 1, tzinfo=UTC)
    start = bars.starts_at + timedelta(days=2)
    feed = bars.feed(start)
    steps = iter(feed)
    list(islice(steps, 100))
    state = feed.state()

    assert list(islice(iter(bars.feed(start, state)), 50)) == list(islice(steps, 50))
    assert len(list(bars.history(start))) == 2 * 24 * 60
