"""Resting orders fill when their turn comes, worked by hand."""

from decimal import Decimal

from contracts.executions import OrderFilled
from order_executor.core import Venue
from order_executor.testing import Fact, book, feed, fills, new_venue, order, trade, trades

D = Decimal


def resting(quantity: str = "50", limit: str = "99", shown: str = "99x100 98x20") -> Venue:
    venue = new_venue(capital="1000000")
    feed(venue, book(0, shown, "100x500"), order(1, "buy", quantity, limit=limit), 0.5)
    return venue


def got(venue: Venue, *facts: Fact) -> list[tuple[str, str, str]]:
    return trades(feed(venue, *facts))


def test_trades_at_its_price_take_from_the_front_and_the_rest_of_one_is_its_own() -> None:
    venue = resting()

    # 100 in front: 80 leave 20; of 30, 10 are its own; then 40 are all it still wants of 50
    assert got(venue, trade(1, "sell", "99", "80")) == []
    assert got(venue, trade(2, "sell", "99", "30")) == [("buy", "99", "10")]
    assert got(venue, trade(3, "sell", "99", "50")) == [("buy", "99", "40")]


def test_it_fills_as_maker_at_its_own_price() -> None:
    (filled,) = fills(feed(resting(), trade(1, "sell", "99", "110")))

    assert isinstance(filled, OrderFilled)
    assert (filled.liquidity, filled.fee, filled.book_sequence) == ("maker", D("0.198"), 1)  # 10 * 99 * 0.0002


def test_cancels_in_front_bring_it_forward_and_newcomers_do_not_push_it_back() -> None:
    venue = resting()

    feed(venue, book(1, "99x30", "100x500"), book(2, "99x300", "100x500"))

    assert got(venue, trade(3, "sell", "99", "35")) == [("buy", "99", "5")]


def test_a_book_and_the_trade_of_one_moment_are_not_counted_twice() -> None:
    venue = resting()

    # 80 were traded, and the book of that moment shows the 20 that were left
    assert got(venue, book(1, "99x20", "100x500"), trade(1, "sell", "99", "80")) == []
    assert got(venue, trade(2, "sell", "99", "30")) == [("buy", "99", "10")]


def test_a_trade_through_its_price_fills_it_whatever_was_in_front_but_no_more_than_was_traded() -> None:
    venue = resting()

    assert got(venue, trade(1, "sell", "98", "20")) == [("buy", "99", "20")]
    assert got(venue, trade(2, "sell", "98", "90")) == [("buy", "99", "30")]


def test_trades_of_its_own_side_and_above_it_are_none_of_its_business() -> None:
    venue = resting()

    assert got(venue, trade(1, "buy", "99", "500"), trade(2, "sell", "99.5", "500")) == []
    assert got(venue, trade(3, "sell", "99", "100")) == []


def test_a_book_quoted_through_its_price_fills_it_up_to_the_size_shown() -> None:
    venue = resting()

    assert got(venue, book(1, "97x1", "98x7 99x5 100x9")) == [("buy", "99", "12")]


def test_a_sell_queues_on_the_asks() -> None:
    venue = new_venue(capital="1000000")
    feed(venue, book(0, "98x9", "99x40"), order(1, "sell", "5", limit="99"), 0.5)

    assert got(venue, trade(1, "buy", "99", "42")) == [("sell", "99", "2")]
    assert got(venue, trade(2, "buy", "99.5", "3")) == [("sell", "99", "3")]


def test_between_the_prices_shown_nobody_is_in_front() -> None:
    assert got(resting(limit="98.5"), trade(1, "sell", "98.5", "7")) == [("buy", "98.5", "7")]


def test_below_what_the_book_shows_the_queue_is_not_known_and_only_what_goes_through_fills() -> None:
    venue = resting(limit="90")

    assert got(venue, trade(1, "sell", "90", "999")) == []
    # the book shows the price: these 40 may all be in front
    feed(venue, book(2, "91x1 90x40", "92x500"))
    assert got(venue, trade(3, "sell", "90", "41")) == [("buy", "90", "1")]


def test_own_orders_at_one_price_share_a_trade_the_older_first() -> None:
    venue = resting("10")
    feed(venue, order(2, "buy", "10", 0.6, limit="99"), 0.7)

    # 115 less 100 in front of both: 10 for the first, 5 for the second
    assert got(venue, trade(1, "sell", "99", "115")) == [("buy", "99", "10"), ("buy", "99", "5")]


def test_competitors_queue_each_for_itself() -> None:
    venue = resting("10")
    feed(venue, order(2, "buy", "10", 0.6, limit="99", competitor_id="bob"), 0.7)

    events = fills(feed(venue, trade(1, "sell", "99", "110")))

    assert [(event.competitor_id, event.quantity) for event in events] == [("ann", D(10)), ("bob", D(10))]
