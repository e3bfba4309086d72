from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from contracts.base import named_id
from contracts.market import BookUpdated, MarkUpdated, TradePrinted
from contracts.wire import Encoded, decode, encode
from market_data.core.records import Marked, Quote, book_record, mark_record, named, trade_record

AT = datetime(2026, 1, 1, 8, 0, 0, 100_000, tzinfo=UTC)
EIGHT = datetime(2026, 1, 1, 8, tzinfo=UTC)
BTC = "BTC-USDT-PERP"


@pytest.mark.parametrize(
    ("record", "event"),
    [
        (
            book_record("made", AT, BTC, Quote(7, [("100.10", "2.000"), ("100.00", "1")], [("100.20", "0.5")])),
            BookUpdated(
                event_id=named_id("market-data", "made", "book", BTC, "2026-01-01T08:00:00.100000Z"),
                at=AT,
                instrument=BTC,
                venue="made",
                sequence=7,
                bids=((Decimal("100.10"), Decimal("2.000")), (Decimal("100.00"), Decimal(1))),
                asks=((Decimal("100.20"), Decimal("0.5")),),
            ),
        ),
        (
            trade_record("made", EIGHT, BTC, "12", "100.1", "0.25", "sell"),
            TradePrinted(
                event_id=named_id("market-data", "made", "trade", BTC, "12"),
                at=EIGHT,
                instrument=BTC,
                venue="made",
                venue_trade_id="12",
                price=Decimal("100.1"),
                quantity=Decimal("0.25"),
                aggressor="sell",
            ),
        ),
        (
            mark_record("made", EIGHT, BTC, Marked("100.15", "100.1", None, "-0.00012500", AT, "5000.1")),
            MarkUpdated(
                event_id=named_id("market-data", "made", "mark", BTC, "2026-01-01T08:00:00Z"),
                at=EIGHT,
                instrument=BTC,
                venue="made",
                mark_price=Decimal("100.15"),
                index_price=Decimal("100.1"),
                funding_rate=Decimal("-0.00012500"),
                next_funding_at=AT,
                open_interest=Decimal("5000.1"),
            ),
        ),
    ],
)
def test_what_is_written_by_hand_is_what_the_model_writes(
    record: Encoded, event: BookUpdated | TradePrinted | MarkUpdated
) -> None:
    assert record == encode(event)
    assert decode(record.topic, record.value, record.headers) == event


def test_a_name_is_the_contracts_own() -> None:
    names = [named("venue", str(n)) for n in range(200)]

    assert names == [str(named_id("market-data", "venue", n)) for n in range(200)]
    assert UUID(names[0]).version == 5
