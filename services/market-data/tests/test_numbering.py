from datetime import UTC, datetime

from contracts.wire import Encoded, decode
from market_data.core.numbering import Numbering
from market_data.core.records import Quote, book_record, trade_record

AT = datetime(2026, 1, 1, 8, tzinfo=UTC)
TOPICS = ("market.quotes.v1", "market.trades.v1", "market.bars.v1", "market.marks.v1")


def numbering(**sequences: int) -> Numbering:
    def partition_of(topic: str, key: bytes) -> int:
        return int(key.startswith(b"ETH"))

    return Numbering("made", partition_of, dict.fromkeys(TOPICS, 2), sequences)


def place(record: Encoded) -> tuple[int | None, str, str]:
    headers = dict(record.headers)
    return record.partition, headers["ce_source"].decode(), headers["ce_sequence"].decode()


def book(instrument: str) -> Encoded:
    return book_record("made", AT, instrument, Quote(1, [("1", "1")], [("2", "1")]))


def test_each_partition_counts_for_itself() -> None:
    numbers = numbering()
    placed = [place(numbers.data(book(name))) for name in ("BTC-USDT-PERP", "ETH-USDT-PERP", "BTC-USDT-PERP")]

    assert placed == [
        (0, "market-data/made/market.quotes.v1/0", "1"),
        (1, "market-data/made/market.quotes.v1/1", "1"),
        (0, "market-data/made/market.quotes.v1/0", "2"),
    ]
    assert place(numbers.data(trade_record("made", AT, "BTC-USDT-PERP", "1", "1", "1", "buy")))[2] == "1"


def test_sequences_go_on_where_they_were_left() -> None:
    numbers = numbering(**{"market.quotes.v1/0": 41})

    assert place(numbers.data(book("BTC-USDT-PERP")))[2] == "42"


def test_a_watermark_goes_into_every_partition_with_the_last_sequence_of_its_data() -> None:
    numbers = numbering()
    numbers.data(book("BTC-USDT-PERP"))
    marks = numbers.watermarks(AT, closed_round=3)

    assert [(record.topic, record.partition) for record in marks] == [(topic, n) for topic in TOPICS for n in (0, 1)]
    assert [place(record)[2] for record in marks] == ["1", "0", "0", "0", "0", "0", "0", "0"]
    event = decode(marks[1].topic, marks[1].value, marks[1].headers)
    assert (event.at, event.partition, event.closed_round, marks[1].key) == (AT, 1, 3, b"partition/1")
    assert len({dict(record.headers)["ce_id"] for record in marks}) == 8
