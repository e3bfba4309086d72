"""When orders execute."""

import pytest
from contracts.base import Event
from contracts.executions import OrderAccepted, OrderFilled, OrderRejected
from order_executor.testing import ETH, at, book, feed, fills, kinds, new_venue, order, trades


def test_a_pending_order_meets_every_book_up_to_its_moment_and_none_after_it() -> None:
    venue = new_venue()

    events = feed(venue, order(1, "buy", "1", 10), book(9, "99x1", "100x1"), book(10, "199x1", "200x1"))
    assert events == []
    events = feed(venue, book(10.1, "299x1", "300x1"))

    assert trades(events) == [("buy", "200", "1")]
    assert {event.at for event in events} == {at(10)}


def test_the_passing_of_time_alone_executes_what_is_due() -> None:
    venue = new_venue()
    feed(venue, book(0, "99x1", "100x1"), order(1, "buy", "1", 10))

    assert feed(venue, 10.0) == [], "others of that moment may still come"
    events = feed(venue, 10.1)
    assert kinds(events) == ["order_accepted", "order_filled"]
    assert {event.at for event in events} == {at(10)}
    assert feed(venue, 11.0) == []


def test_a_late_order_executes_at_the_units_time() -> None:
    late = order(1, "buy", "1", 10)

    events = feed(new_venue(), book(0, "99x1", "100x1"), 20.0, late, book(21, "199x1", "200x1"))

    assert trades(events) == [("buy", "100", "1")]
    assert {event.at for event in events} == {at(20)}


@pytest.mark.parametrize(("late_s", "said"), [(30, ["order_accepted", "order_filled"]), (30.001, ["order_rejected"])])
def test_an_order_that_is_later_than_the_season_allows_expires_by_name(late_s: float, said: list[str]) -> None:
    # the season's bound is 30 s
    events = feed(new_venue(), book(0, "99x1", "100x1"), 10 + late_s, order(1, "buy", "1", 10), 50.0)

    assert kinds(events) == said
    if isinstance(events[0], OrderRejected):
        assert events[0].code == "EXPIRED"


def test_it_is_never_too_late_to_get_out() -> None:
    venue = new_venue()
    feed(venue, book(0, "99x1", "100x1"), order(1, "buy", "1"), 500.0)

    events = feed(venue, order(2, "sell", "1", 10, reduce_only=True), 501.0)

    assert trades(events) == [("sell", "99", "1")]


def test_a_venue_names_the_next_moment_that_an_order_waits_for() -> None:
    venue = new_venue()
    assert venue.awaits is None

    feed(venue, book(0, "99x1", "100x9"), order(1, "buy", "1", 20), order(2, "buy", "1", 10))
    assert venue.awaits == at(10)
    feed(venue, 10.1)
    assert venue.awaits == at(20)


def test_orders_of_one_moment_execute_by_competitor_round_and_part_whatever_came_first() -> None:
    def said(*orders: int) -> list[str]:
        known = {
            1: order(1, "buy", "1", 5, competitor_id="ann"),
            2: order(2, "buy", "1", 5, competitor_id="ann"),
            3: order(1, "buy", "1", 5, competitor_id="bob"),
            4: order(9, "buy", "1", 4, competitor_id="zoe"),
        }
        events = feed(new_venue(), book(0, "99x1", "100x9"), *(known[n] for n in orders), 5.0, 5.1)
        return [f"{event.competitor_id}/{event.round}" for event in events if isinstance(event, OrderAccepted)]

    assert said(1, 2, 3, 4) == said(4, 3, 2, 1) == ["zoe/9", "ann/1", "ann/2", "bob/1"]


def test_a_market_record_is_parsed_only_where_somebody_has_an_interest() -> None:
    class Unread:
        at, instrument, kind = at(1), ETH, "mark_updated"

        @property
        def event(self) -> Event:
            raise AssertionError("nobody holds anything here")

    venue = new_venue()
    feed(venue, book(0, "99x1", "100x9"), order(1, "buy", "1", 0), 0.5)

    assert venue.market(Unread()) == []


def test_the_same_inputs_give_the_same_events() -> None:
    def run() -> list[Event]:
        venue = new_venue()
        return feed(venue, book(0, "99x1", "100x1 101x1"), order(1, "buy", "1.5", 1), book(2, "98x1", "102x1"), 3.0)

    assert run() == run()
    assert all(isinstance(event, OrderFilled) for event in fills(run()))


def test_a_trade_has_its_own_id_for_ever() -> None:
    events = feed(new_venue(), book(0, "99x1", "100x1 101x1"), order(1, "buy", "2"), 1.0)

    first, second = fills(events)
    assert first.trade_id == first.event_id != second.trade_id
    assert len({event.event_id for event in events}) == 3
