"""When an instrument is suspended and when it is trusted again. The synthetic instrument stands at 100."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contracts.market import BookUpdated
from contracts.wire import decode
from market_data.core.market import Market
from market_data.core.records import Levels, Marked
from market_data.core.trust import Trust
from market_data.indicators import compute

T0 = datetime(2026, 1, 1, 8, tzinfo=UTC)
BTC = "BTC-USDT-PERP"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def levels(*prices: str) -> Levels:
    return [(price, "1") for price in prices]


def live_market() -> Market:
    return Market("made", [BTC], compute, begins_at=T0, silent_after=timedelta(seconds=1.5))


def books(records: Sequence[Any]) -> list[tuple[float, str | None, str]]:
    """(seconds, suspended, best bid) of every book."""
    events = [decode(record.topic, record.value, record.headers) for record in records]
    return [
        ((event.at - T0).total_seconds(), event.suspended, str(event.bids[0][0]))
        for event in events
        if isinstance(event, BookUpdated)
    ]


@pytest.mark.parametrize(
    ("bids", "asks", "why"),
    [
        (levels("99.9"), levels("100.1"), None),
        (levels("100.1"), levels("100.1"), "crossed"),
        (levels("100.2"), levels("100.1"), "crossed"),
        (levels("0"), levels("100.1"), "absurd"),
        (levels("-1"), levels("100.1"), "absurd"),
        (levels("NaN"), levels("100.1"), "absurd"),
        ([("99.9", "0")], levels("100.1"), "absurd"),
        (levels("97.4"), levels("102.6"), "absurd"),  # a spread of 5.2 about 100: above 5 %
        (levels("97.5"), levels("102.5"), None),  # 5 about 100: at the bound
        (levels("119.9"), levels("120.1"), None),  # the middle 120 is 20 % above 100: at the bound
        (levels("120.0"), levels("120.2"), "absurd"),  # 120.1
        (levels("79.8"), levels("80.0"), "absurd"),  # 79.9
        ([], levels("100.1"), None),  # a side without orders is no fault of the feed
    ],
)
def test_a_book_is_held_against_the_last_good_one(bids: Levels, asks: Levels, why: str | None) -> None:
    trust = Trust()
    assert trust.see_book(at(0), levels("99.9"), levels("100.1"))

    assert trust.see_book(at(1), bids, asks) is (why is None)
    assert trust.suspended == why


def test_a_market_that_stays_where_it_jumped_to_is_believed_after_five_seconds() -> None:
    trust = Trust()
    trust.see_book(at(0), levels("99.9"), levels("100.1"))

    believed = [trust.see_book(at(second), levels("149.9"), levels("150.1")) for second in (1, 3, 5.9, 6)]
    assert believed == [False, False, False, True]


def test_a_market_that_jumps_about_is_not_believed() -> None:
    trust = Trust()
    trust.see_book(at(0), levels("99.9"), levels("100.1"))

    for second in range(1, 20):
        price = 150 if second % 2 else 300
        assert not trust.see_book(at(second), levels(f"{price}"), levels(f"{price}.1"))


def test_a_silent_instrument_is_suspended_within_two_seconds_and_its_next_book_resumes_it() -> None:
    market = live_market()
    market.book(at(0.05), BTC, 1, levels("99.9"), levels("100.1"))
    told = []
    for beat in range(1, 31):  # 100 ms each, as the live loop passes time
        told += books(market.advance(at(beat / 10)))
    assert market.suspended == {BTC: "silent"}
    market.book(at(3.05), BTC, 2, levels("99.8"), levels("100.0"))
    told += books(market.advance(at(3.1)))

    # the book came out at 0.1: 1.5 s later is 1.6, the first beat beyond it 1.7
    assert told == [(0.1, None, "99.9"), (1.7, "silent", "99.9"), (3.1, None, "99.8")]
    assert market.suspended == {}


def test_a_bad_book_is_never_shown_and_the_last_good_levels_are_said_once() -> None:
    market = live_market()
    told = []
    for tenth, bid, ask in [(1, "99.9", "100.1"), (2, "100.3", "100.2"), (3, "100.3", "100.2"), (4, "99.9", "100.1")]:
        market.book(at(tenth / 10), BTC, tenth, levels(bid), levels(ask))
        told += books(market.advance(at(tenth / 10)))

    assert told == [(0.1, None, "99.9"), (0.2, "crossed", "99.9"), (0.4, None, "99.9")]


def test_a_gap_suspends_until_the_next_book_and_what_was_waiting_is_dropped() -> None:
    market = live_market()
    market.book(at(0.1), BTC, 1, levels("99.9"), levels("100.1"))
    told = books(market.advance(at(0.1)))
    market.book(at(0.15), BTC, 2, levels("90.0"), levels("90.1"))
    market.gap(at(0.16), BTC)
    told += books(market.advance(at(0.5)))
    market.book(at(0.55), BTC, 9, levels("99.7"), levels("99.8"))
    told += books(market.advance(at(0.6)))

    assert told == [(0.1, None, "99.9"), (0.16, "gap", "99.9"), (0.6, None, "99.7")]


def test_an_absurd_mark_is_held_back_and_suspends() -> None:
    market = live_market()
    market.book(at(0.9), BTC, 1, levels("99.9"), levels("100.1"))
    market.mark(at(0.9), BTC, Marked("100", *[None] * 5))
    market.advance(at(1))
    market.mark(at(1.9), BTC, Marked("10", *[None] * 5))
    records = market.advance(at(2))

    assert [record.topic for record in records] == ["market.quotes.v1"]
    assert books(records) == [(2.0, "absurd", "99.9")]


def test_nobody_is_suspended_for_silence_in_lockstep() -> None:
    market = Market("made", [BTC], compute, begins_at=T0)
    market.book(at(0.1), BTC, 1, levels("99.9"), levels("100.1"))

    market.advance(at(30))
    assert market.suspended == {}


def test_what_is_suspended_stays_so_over_a_restart() -> None:
    first, second = live_market(), live_market()
    first.book(at(0.1), BTC, 1, levels("99.9"), levels("100.1"))
    first.advance(at(5))
    second.load(first.dump())

    assert second.suspended == {BTC: "silent"}
    assert second.advance(at(5.1)) == []
    second.book(at(5.2), BTC, 2, levels("99.9"), levels("100.1"))
    assert books(second.advance(at(5.2))) == [(5.2, None, "99.9")]
