import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from exchanges.recorded import RecordedStreams, open_recording
from exchanges.updates import Book, Mark, Step, Trade

SECOND = 1_723_161_255
"""2024-08-08 23:54:15 UTC"""
DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "market"
RECORDINGS = [DATA / f"binance_usdm_{symbol}_20240808.jsonl.gz" for symbol in ("btcusdt", "ethusdt")]
needs_recordings = pytest.mark.skipif(not RECORDINGS[0].exists(), reason=f"the recorded streams are not in {DATA}")


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(SECOND, UTC) + timedelta(milliseconds=milliseconds)


def line(milliseconds: int, frame: dict[str, object]) -> bytes:
    return b"%d %s\n" % (SECOND * 10**9 + milliseconds * 10**6, json.dumps(frame).encode())


def depth(first: int, last: int, before: int, *bids: tuple[str, str], symbol: str = "BTCUSDT") -> dict[str, object]:
    data = {"e": "depthUpdate", "E": 1, "T": 1, "s": symbol, "U": first, "u": last, "pu": before, "b": bids, "a": []}
    return {"stream": f"{symbol.lower()}@depth@0ms", "data": data}


def snapshot(last: int) -> dict[str, object]:
    return {"lastUpdateId": last, "E": 1, "T": 1, "bids": [("100.0", "1.0")], "asks": [("100.2", "1.0")]}


def ticker(bid: str, ask: str) -> dict[str, object]:
    data = {"e": "bookTicker", "u": 999, "s": "BTCUSDT", "b": bid, "B": "1", "a": ask, "A": "1", "T": 1, "E": 1}
    return {"stream": "btcusdt@bookTicker", "data": data}


def trade(number: int, price: str, quantity: str, *, buyer_is_maker: bool) -> dict[str, object]:
    data = {
        "e": "trade", "E": 1, "T": 1, "s": "BTCUSDT", "t": number, "p": price, "q": quantity, "X": "MARKET",
        "m": buyer_is_maker,
    }  # fmt: skip
    return {"stream": "btcusdt@trade", "data": data}


def recording(tmp_path: Path, *lines: bytes, name: str = "made.jsonl") -> RecordedStreams:
    (tmp_path / name).write_bytes(b"".join(lines))
    return RecordedStreams([tmp_path / name])


def steps(venue: RecordedStreams) -> list[Step]:
    assert venue.starts_at is not None
    return list(venue.feed(venue.starts_at - timedelta(seconds=1)))


def test_a_step_holds_the_trades_one_book_and_one_mark_of_its_100_ms(tmp_path: Path) -> None:
    venue = recording(
        tmp_path,
        line(10, depth(1, 9, 0)),
        line(20, snapshot(5)),
        line(30, depth(10, 11, 9, ("100.1", "2.0"))),
        line(40, trade(7, "100.2", "0.5", buyer_is_maker=False)),
        line(50, ticker("100.1", "100.2")),
        line(60, ticker("100.1", "100.4")),
        line(70, trade(8, "100.1", "0.4", buyer_is_maker=True)),
        line(100, depth(12, 13, 11, ("100.1", "3.0"))),
    )

    (step,) = steps(venue)

    assert step.at == at(100)
    assert step.updates == [
        Trade(at(40), "BTC-USDT-PERP", "7", "100.2", "0.5", "buy"),
        Mark(at(60), "BTC-USDT-PERP", "100.25", last_price="100.1"),
        Trade(at(70), "BTC-USDT-PERP", "8", "100.1", "0.4", "sell"),
        Book(at(100), "BTC-USDT-PERP", 13, [("100.1", "3.0"), ("100.0", "1.0")], [("100.2", "1.0")]),
    ]


def test_time_passes_in_steps_without_frames(tmp_path: Path) -> None:
    venue = recording(tmp_path, line(10, ticker("1", "2")), line(390, ticker("1", "2")))

    assert [(step.at, len(step.updates)) for step in steps(venue)] == [
        (at(100), 1), (at(200), 0), (at(300), 0), (at(400), 1),
    ]  # fmt: skip


def test_a_book_out_of_sync_says_nothing_and_the_ticker_never_patches_it(tmp_path: Path) -> None:
    venue = recording(
        tmp_path,
        line(10, snapshot(5)),
        line(20, depth(4, 9, 3)),
        line(110, depth(20, 30, 19, ("100.1", "2.0"))),
        line(120, ticker("100.1", "100.3")),
        line(210, depth(31, 32, 30)),
        line(310, {**snapshot(31)}),
    )

    books = [(step.at, update.sequence) for step in steps(venue) for update in step.updates if type(update) is Book]

    assert books == [(at(100), 9), (at(400), 32)]
    assert venue.defects.counts == {"gap in the depth of BTC-USDT-PERP": 1}


def test_bad_lines_are_counted_and_named_and_the_feed_goes_on(tmp_path: Path) -> None:
    venue = recording(
        tmp_path,
        line(10, ticker("1", "2")),
        b"no time here\n",
        b"%d {broken\n" % (SECOND * 10**9 + 20 * 10**6),
        line(30, {"stream": "x", "data": {"e": "unheardOf"}}),
        line(40, {}),
        line(50, ticker("2", "3")),
    )

    (step,) = steps(venue)

    assert step.updates == [Mark(at(50), "BTC-USDT-PERP", "2.5")]
    assert sum(venue.defects.counts.values()) == 4
    assert venue.defects.first["line without a time"] == "made.jsonl:2"


def test_a_truncated_file_ends_the_feed_and_says_where(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(line(10 * n, ticker(str(n), str(n + 1))) for n in range(1, 5_000)))
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    venue = RecordedStreams([tmp_path / "cut.jsonl.gz"])

    assert len(steps(venue)) > 10
    assert venue.defects.ended_by is not None
    assert venue.defects.ended_by.startswith("cut.jsonl.gz is damaged after line ")


def test_a_file_of_nothing_known_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"made\.jsonl"):
        recording(tmp_path, b"12 {}\n")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        open_recording([tmp_path / "absent.jsonl"])


def digest(steps: list[Step]) -> str:
    return hashlib.sha256(repr(steps).encode()).hexdigest()


@needs_recordings
def test_the_recorded_books_have_no_gap_and_are_never_crossed() -> None:
    venue = RecordedStreams(RECORDINGS)
    assert venue.starts_at is not None
    feed = venue.feed(venue.starts_at)
    books = [update for step in feed for update in step.updates if type(update) is Book]

    assert feed.frames == 93_954 + 74_655
    assert str(venue.defects) == "none"
    assert {book.instrument for book in books} == {"BTC-USDT-PERP", "ETH-USDT-PERP"}
    assert all(float(book.bids[0][0]) < float(book.asks[0][0]) for book in books)
    assert all(len(book.bids) == len(book.asks) == 20 for book in books)
    assert (books[-1].bids[0], books[-1].asks[0]) == (("2681.38", "8.486"), ("2681.39", "22.624"))


@needs_recordings
def test_a_resumed_recording_goes_on_as_if_it_had_not_stopped() -> None:
    venue = RecordedStreams(RECORDINGS)
    assert venue.starts_at is not None
    feed = venue.feed(venue.starts_at)
    list(islice(feed, 150))
    state = feed.state()

    uninterrupted = list(islice(iter(venue.feed(venue.starts_at)), 150, 200))
    resumed = list(islice(iter(venue.feed(venue.starts_at, state)), 50))

    assert digest(resumed) == digest(uninterrupted)
