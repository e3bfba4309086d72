"""What orders get from the book, worked by hand."""

# mypy: no-strict-equality
# (whole numbers beside decimals read better in a tuple of expectations)

from decimal import Decimal

from contracts.executions import OrderAccepted, OrderAmended, OrderCancelled, OrderRejected
from order_executor.testing import BTC, Fact, book, feed, fills, kinds, new_venue, order, trades

DEEP = ("99x1 98x2 97x5", "100x1 101x2 102x5")


def test_a_market_order_walks_the_book_level_by_level_and_pays_the_taker_fee_on_each() -> None:
    events = feed(new_venue(), book(0, *DEEP), order(1, "buy", "2.5"), 1.0)

    assert kinds(events) == ["order_accepted", "order_filled", "order_filled"]
    assert trades(events) == [("buy", "100", "1"), ("buy", "101", "1.5")]
    first, second = fills(events)
    assert (first.fee, second.fee) == (Decimal("0.05"), Decimal("0.07575"))
    assert (first.remaining, second.remaining, second.position_after) == (Decimal("1.5"), 0, Decimal("2.5"))
    assert {first.liquidity, second.liquidity} == {"taker"}
    assert first.book_sequence == 1


def test_what_an_ioc_order_cannot_get_is_cancelled() -> None:
    events = feed(new_venue(), book(0, *DEEP), order(1, "sell", "10"), 1.0)

    assert trades(events) == [("sell", "99", "1"), ("sell", "98", "2"), ("sell", "97", "5")]
    assert isinstance(events[-1], OrderCancelled)
    assert (events[-1].remaining, events[-1].reason) == (2, "ioc_remainder")


def test_a_market_order_stops_at_the_edge_of_its_band() -> None:
    events = feed(new_venue(), book(0, *DEEP), order(1, "buy", "4", price_max="101"), 1.0)

    assert trades(events) == [("buy", "100", "1"), ("buy", "101", "2")]
    assert isinstance(events[-1], OrderCancelled)
    assert (events[-1].remaining, events[-1].reason) == (1, "price_band")


def test_a_market_that_fell_out_of_the_band_gives_a_buyer_nothing_either() -> None:
    events = feed(new_venue(), book(0, *DEEP), order(1, "buy", "1", price_min="100.5", price_max="110"), 1.0)

    assert kinds(events) == ["order_accepted", "order_cancelled"]


def test_a_limit_ioc_takes_up_to_its_price_and_no_further() -> None:
    events = feed(new_venue(), book(0, *DEEP), order(1, "buy", "5", limit="101", time_in_force="IOC"), 1.0)

    assert trades(events) == [("buy", "100", "1"), ("buy", "101", "2")]
    assert kinds(events)[-1] == "order_cancelled"


def test_the_rest_of_a_gtc_order_waits_and_fills_as_maker_at_its_own_price() -> None:
    venue = new_venue()
    assert trades(feed(venue, book(0, *DEEP), order(1, "buy", "2", limit="100"), 1.0)) == [("buy", "100", "1")]

    untouched = feed(venue, book(2, "99x1", "100.5x9"))
    reached = feed(venue, book(3, "99x1", "99.5x0.4 100x0.2 100.1x50"))
    done = feed(venue, book(4, "98x1", "99x7"))

    assert untouched == []
    assert trades(reached) == [("buy", "100", "0.6")]
    assert (fills(reached)[0].liquidity, fills(reached)[0].fee) == ("maker", Decimal("0.012"))
    assert trades(done) == [("buy", "100", "0.4")]
    assert fills(done)[0].remaining == 0
    assert feed(venue, book(5, "97x1", "98x7")) == []


def test_the_best_priced_resting_order_fills_first_and_leaves_less_for_the_next() -> None:
    venue = new_venue()
    feed(venue, book(0, *DEEP), order(1, "buy", "1", limit="98"), order(2, "buy", "1", limit="99"), 1.0)

    events = feed(venue, book(2, "90x1", "97x1.25"))

    assert trades(events) == [("buy", "99", "1"), ("buy", "98", "0.25")]


def test_fok_fills_whole_or_not_at_all() -> None:
    venue = new_venue()
    whole = feed(venue, book(0, *DEEP), order(1, "buy", "3", limit="101", time_in_force="FOK"), 1.0)
    none = feed(venue, book(2, *DEEP), order(2, "buy", "3.001", 2, limit="101", time_in_force="FOK"), 3.0)

    assert trades(whole) == [("buy", "100", "1"), ("buy", "101", "2")]
    assert kinds(none) == ["order_accepted", "order_cancelled"]
    assert isinstance(none[1], OrderCancelled)
    assert none[1].reason == "fok_unfillable"


def test_post_only_rests_below_the_ask_and_is_refused_at_it() -> None:
    venue = new_venue()
    rests = feed(venue, book(0, *DEEP), order(1, "buy", "1", limit="99.9", time_in_force="POST_ONLY"), 1.0)
    takes = feed(venue, order(2, "buy", "1", 1, limit="100", time_in_force="POST_ONLY"), 2.0)

    assert kinds(rests) == ["order_accepted"]
    assert isinstance(takes[0], OrderRejected)
    assert takes[0].code == "POST_ONLY_WOULD_TAKE"


def test_no_book_an_empty_side_and_a_crossed_book_refuse_the_order() -> None:
    def refusal(*facts: Fact) -> str:
        (event,) = feed(new_venue(), *facts, order(1, "buy", "1"), 1.0)
        assert isinstance(event, OrderRejected)
        return event.code

    assert refusal() == "NO_BOOK"
    assert refusal(book(0, "99x1", "")) == "NO_BOOK"
    assert refusal(book(0, "100x1", "100x1")) == "BOOK_CROSSED"


def test_nothing_is_filled_in_an_instrument_that_is_suspended_until_a_book_resumes_it() -> None:
    good = book(0, "99x1", "100x1")
    suspended = Fact(good.event.model_copy(update={"suspended": "silent"}))
    (refused,) = feed(new_venue(), suspended, order(1, "buy", "1"), 1.0)
    assert isinstance(refused, OrderRejected)
    assert refused.code == "NO_BOOK"

    assert kinds(feed(new_venue(), suspended, good, order(1, "buy", "1"), 1.0)) == ["order_accepted", "order_filled"]


def test_an_unknown_instrument_is_refused() -> None:
    (event,) = feed(new_venue(), order(1, "buy", "1", instrument="XXX-USDT-PERP"), 1.0)

    assert isinstance(event, OrderRejected)
    assert event.code == "INSTRUMENT_UNKNOWN"


def test_what_a_competitor_took_is_gone_for_it_until_the_book_changes_and_for_nobody_else() -> None:
    venue = new_venue()
    feed(venue, book(0, *DEEP), order(1, "buy", "1"), 1.0)

    again = feed(venue, order(2, "buy", "1", 1), 2.0)
    other = feed(venue, order(3, "buy", "1", 2, competitor_id="bob"), 3.0)
    refreshed = feed(venue, book(4, *DEEP), order(4, "buy", "1", 4), 5.0)

    assert (trades(again), trades(other), trades(refreshed)) == (
        [("buy", "101", "1")],
        [("buy", "100", "1")],
        [("buy", "100", "1")],
    )


def test_reduce_only_is_trimmed_to_the_position_and_never_flips() -> None:
    venue = new_venue()
    feed(venue, book(0, *DEEP), order(1, "buy", "1"), 1.0)

    events = feed(venue, book(1.5, *DEEP), order(2, "sell", "3", 2, reduce_only=True), 3.0)

    assert isinstance(events[0], OrderAccepted)
    assert events[0].quantity == 1
    assert trades(events) == [("sell", "99", "1")]
    assert fills(events)[0].position_after == 0


def test_reduce_only_without_a_position_or_on_its_own_side_is_refused() -> None:
    venue = new_venue()
    flat = feed(venue, book(0, *DEEP), order(1, "sell", "1", reduce_only=True), 1.0)
    feed(venue, order(2, "buy", "1", 1), 2.0)
    same_side = feed(venue, order(3, "buy", "1", 2, reduce_only=True), 3.0)

    for (event,) in (flat, same_side):
        assert isinstance(event, OrderRejected)
        assert event.code == "REDUCE_ONLY_WITHOUT_POSITION"


def test_a_resting_reduce_only_order_shrinks_with_the_position_and_goes_with_it() -> None:
    venue = new_venue()
    feed(venue, book(0, *DEEP), order(1, "buy", "1"), order(2, "sell", "1", 0, limit="110", reduce_only=True), 1.0)

    shrunk = feed(venue, book(2, *DEEP), order(3, "sell", "0.4", 2), 3.0)
    reached = feed(venue, book(4, "110x5", "111x1"))

    assert kinds(shrunk) == ["order_accepted", "order_filled", "order_amended"]
    assert isinstance(shrunk[2], OrderAmended)
    assert (shrunk[2].quantity, shrunk[2].remaining) == (Decimal("0.6"), Decimal("0.6"))
    assert trades(reached) == [("sell", "110", "0.6")]
    assert kinds(reached) == ["order_filled"]


def test_a_resting_reduce_only_order_goes_when_the_position_does() -> None:
    venue = new_venue()
    feed(venue, book(0, *DEEP), order(1, "buy", "1"), order(2, "sell", "1", 0, limit="110", reduce_only=True), 1.0)

    (*_, gone) = feed(venue, book(2, *DEEP), order(3, "sell", "1", 2), 3.0)

    assert isinstance(gone, OrderCancelled)
    assert (gone.reason, gone.remaining) == ("reduce_only_done", 1)


def test_a_season_may_set_its_own_fees() -> None:
    venue = new_venue(taker_fee_rate=Decimal("0.001"))

    (filled,) = fills(feed(venue, book(0, *DEEP), order(1, "buy", "1"), 1.0))

    assert filled.fee == Decimal("0.1")


def test_the_trace_of_the_decision_goes_on_in_every_report() -> None:
    venue = new_venue()
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"

    events = feed(venue, book(0, *DEEP), order(1, "buy", "2", traceparent=trace), 1.0)

    assert {event.traceparent for event in events} == {trace}
    assert {event.key for event in events} == {"ann"}
    assert venue.accounts["ann", "s1"].held(BTC) == 2  # type: ignore[index]
