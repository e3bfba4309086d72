"""Funding at the exact stamp, once, of what was held then."""

from typing import Any

import pytest
from contracts.base import Event
from contracts.executions import FundingSettled
from order_executor.core import Market, Venue
from order_executor.testing import D, at, book, feed, mark, new_venue, order

STAMP = 100.0
BOOK = book(0, "100x50", "100.1x50")


def settled(events: list[Event]) -> list[FundingSettled]:
    return [event for event in events if isinstance(event, FundingSettled)]


def test_longs_pay_a_positive_rate_on_the_mark_and_shorts_receive_it() -> None:
    venue = new_venue()
    feed(venue, BOOK, mark(0, "100", rate="0.0001", stamp=STAMP))
    feed(venue, order(1, "buy", "3"), order(2, "sell", "2", competitor_id="bob"), 1.0)
    feed(venue, mark(99, "110", rate="0.0002", stamp=STAMP))

    events = settled(feed(venue, mark(101, "500", rate="0.9", stamp=STAMP + 28_800)))

    # 3 * 110 * 0.0002 = 0.066; -2 * 110 * 0.0002 = -0.044
    assert [(event.competitor_id, event.payment) for event in events] == [("ann", D("0.066")), ("bob", D("-0.044"))]
    assert {(event.at, event.stamp, event.rate, event.mark_price) for event in events} == {
        (at(STAMP), at(STAMP), D("0.0002"), D(110))
    }


def test_only_what_is_held_at_the_stamp_pays() -> None:
    def payments(opened: float, closed: float) -> int:
        venue = new_venue()
        feed(venue, BOOK, mark(0, "100", rate="0.0001", stamp=STAMP))
        feed(venue, order(1, "buy", "1", opened), order(2, "sell", "1", closed))
        return len(settled(feed(venue, 99.0, 100.0, 101.0, 102.0)))

    assert payments(opened=STAMP - 1, closed=STAMP + 1) == 1
    assert payments(opened=STAMP - 1, closed=STAMP) == 1, "it was held until the stamp"
    assert payments(opened=STAMP - 2, closed=STAMP - 1) == 0
    assert payments(opened=STAMP, closed=STAMP + 1) == 0, "opened at the stamp is not held at it"
    assert payments(opened=STAMP + 0.5, closed=STAMP + 1) == 0


def test_it_is_settled_once_though_the_venue_goes_on_announcing_the_past_stamp() -> None:
    venue = new_venue()
    feed(venue, BOOK, mark(0, "100", rate="0.0001", stamp=STAMP), order(1, "buy", "1"), 1.0)

    late = [mark(STAMP + n, "100", rate="0.0001", stamp=STAMP) for n in range(3)]

    assert len(settled(feed(venue, STAMP - 0.1, *late, STAMP + 50))) == 1
    again: list[Any] = [mark(STAMP + 60, "100", rate="0.0001", stamp=STAMP * 2), STAMP * 2, STAMP * 3]
    assert len(settled(feed(venue, *again))) == 1


def test_a_market_without_a_rate_settles_nothing() -> None:
    venue = new_venue()

    assert settled(feed(venue, BOOK, mark(0, "100"), order(1, "buy", "1"), 1.0, 1000.0)) == []


def test_a_mark_of_the_very_stamp_that_announces_the_next_one_does_not_skip_it() -> None:
    venue = new_venue()
    feed(venue, BOOK, mark(0, "100", rate="0.0001", stamp=STAMP), order(1, "buy", "1"), 1.0)

    (event,) = settled(feed(venue, mark(STAMP, "500", rate="0.9", stamp=STAMP * 2)))

    assert (event.stamp, event.rate, event.mark_price) == (at(STAMP), D("0.0001"), D(100))


@pytest.mark.parametrize("hours", [1, 2, 4, 8])
def test_each_stamp_is_the_venues_own_whatever_its_interval(hours: int) -> None:
    """A second before, at and after: who opened a second before pays, who opened at it or after does not."""
    interval = hours * 3600.0
    venue = new_venue()
    feed(venue, BOOK, mark(0, "100", rate="0.0001", stamp=interval))
    for name, opened in (("before", interval - 1), ("exactly", interval), ("after", interval + 1)):
        feed(venue, order(1, "buy", "1", opened, competitor_id=name))
    for name, closed in (("left-before", interval - 1), ("left-exactly", interval)):
        feed(venue, order(1, "buy", "1", 1, competitor_id=name), order(2, "sell", "1", closed, competitor_id=name))

    marks = [mark(interval - 10, "120", rate="0.0002", stamp=interval), mark(interval + 2, "1", rate="1",
             stamp=2 * interval)]  # fmt: skip
    first = settled(feed(venue, *marks, interval + 3))
    second = settled(feed(venue, mark(2 * interval - 1, "100", rate="0.001", stamp=2 * interval), 2 * interval))

    # 1 * 120 * 0.0002, as last known before the stamp
    assert [(event.competitor_id, event.payment, event.stamp) for event in first] == [
        ("before", D("0.024"), at(interval)), ("left-exactly", D("0.024"), at(interval)),
    ]  # fmt: skip
    assert {(event.competitor_id, event.payment, event.stamp) for event in second} == {
        (name, D("0.1"), at(2 * interval)) for name in ("before", "exactly", "after")
    }


def test_a_restart_keeps_the_stamp_whichever_account_is_loaded_first() -> None:
    venue = new_venue()
    feed(venue, BOOK, mark(0, "100", rate="0.0001", stamp=STAMP), order(1, "buy", "1"))
    feed(venue, order(2, "buy", "1", 2, competitor_id="bob"), order(3, "sell", "1", 3, competitor_id="bob"), 4.0)
    again = Venue(Market(venue.info.terms))
    flat_first = sorted(venue.accounts.values(), key=lambda account: account.competitor_id != "bob")

    again.restore(venue.now, venue.stamps, flat_first, ())

    # 1 * 100 * 0.0001 = 0.01
    assert [(event.competitor_id, event.payment) for event in settled(feed(again, STAMP + 1))] == [("ann", D("0.01"))]
