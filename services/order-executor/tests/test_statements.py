"""The venue states every account at the end of a UTC day, before anything of the next."""

from datetime import UTC, datetime

from contracts.executions import AccountStated, FundingSettled, VenuePosition
from order_executor.testing import BTC, T0, D, book, feed, kinds, mark, new_venue, order, trigger

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
UNTIL_MIDNIGHT = (MIDNIGHT - T0).total_seconds()
DAY = 86_400


def test_the_account_is_stated_at_the_days_end_before_the_funding_of_that_moment() -> None:
    venue = new_venue()
    feed(venue, book(0, "99x9", "100x9"), mark(0, "100", rate="0.001", stamp=UNTIL_MIDNIGHT))
    feed(venue, order(1, "buy", "2"), order(2, "buy", "1", limit="90"), order(3, "buy", "1",
         trigger=trigger("stop", "200")), 1.0)  # fmt: skip

    assert feed(venue, UNTIL_MIDNIGHT - 1) == []
    stated, funded = feed(venue, UNTIL_MIDNIGHT)

    assert isinstance(funded, FundingSettled)
    assert isinstance(stated, AccountStated)
    assert stated.at == stated.stamp == MIDNIGHT
    assert stated.positions == (VenuePosition(instrument=BTC, quantity=D(2), cost=D(200)),)
    assert (stated.fees, stated.funding, stated.realised_pnl, stated.fills, stated.open_orders) == (
        D("0.1"), D(0), D(0), 1, 2,
    )  # fmt: skip


def test_every_account_once_a_day_whatever_else_happens() -> None:
    venue = new_venue()
    feed(venue, book(0, "99x9", "100x9"), order(1, "buy", "1"), order(2, "buy", "1", competitor_id="bob"), 1.0)

    first = feed(venue, book(UNTIL_MIDNIGHT + 1, "99x9", "100x9"), UNTIL_MIDNIGHT + 2, UNTIL_MIDNIGHT + 3)
    second = feed(venue, UNTIL_MIDNIGHT + 2 * DAY)

    assert [event.key for event in first] == ["ann", "bob"]
    assert [(event.key, event.at.day) for event in second] == [("ann", 24), ("bob", 24), ("ann", 25), ("bob", 25)]
    assert set(kinds([*first, *second])) == {"account_stated"}
    assert len({event.event_id for event in [*first, *second]}) == 6
