"""Exit plans: a stop is never lost, and fills at the book."""

# mypy: no-strict-equality
# (whole numbers beside decimals read better in a tuple of expectations)

from typing import Any

import pytest
from contracts.base import Event
from contracts.executions import ExitTriggered, OrderAccepted, OrderFilled, OrderRejected
from contracts.signals import Condition, ExitPlan
from order_executor.core import Venue
from order_executor.testing import BTC, D, bar, book, feed, fills, kinds, mark, new_venue, order, trade, trades

PLAN = ExitPlan(take_profit=D(110), stop_loss=D(90))
SHORT_PLAN = ExitPlan(take_profit=D(90), stop_loss=D(110))


def long_of(quantity: str = "1", plan: ExitPlan | None = PLAN, side: str = "buy", **fields: Any) -> Venue:
    venue = new_venue()
    feed(venue, book(0, "100x50", "100.1x50"), order(1, side, quantity, exit_plan=plan, **fields), 0.5)
    return venue


def plan_of(venue: Venue) -> ExitPlan | None:
    (account,) = venue.accounts.values()
    return account.position(BTC).exit_plan


def triggered(events: list[Event]) -> ExitTriggered:
    (event,) = [event for event in events if isinstance(event, ExitTriggered)]
    return event


def test_a_stop_closes_the_whole_position_at_the_book_of_the_moment() -> None:
    venue = long_of()

    assert feed(venue, mark(1, "90.01")) == []
    events = feed(venue, book(2, "89.9x5", "90.1x5"), mark(2, "90"))

    assert kinds(events) == ["exit_triggered", "order_accepted", "order_filled"]
    exit_, accepted, filled = events
    assert isinstance(exit_, ExitTriggered)
    assert isinstance(accepted, OrderAccepted)
    assert isinstance(filled, OrderFilled)
    assert (exit_.purpose, exit_.trigger_price, exit_.observed_price, exit_.quantity) == ("stop_loss", 90, 90, 1)
    assert exit_.order_id == accepted.order_id == filled.order_id
    assert (accepted.reduce_only, accepted.purpose, filled.purpose) == (True, "stop_loss", "stop_loss")
    assert (filled.side, filled.price, filled.position_after, filled.exit_plan) == ("sell", D("89.9"), 0, None)


def test_a_gap_through_the_stop_fills_at_the_book_and_not_at_the_trigger() -> None:
    venue = long_of()

    events = feed(venue, book(2, "70x0.4 69x5", "71x5"), mark(2, "70.5"))

    assert trades(events) == [("sell", "70", "0.4"), ("sell", "69", "0.6")]
    assert triggered(events).observed_price == D("70.5")


@pytest.mark.parametrize(
    ("side", "plan", "price", "purpose"),
    [
        ("buy", PLAN, "110", "take_profit"),
        ("buy", PLAN, "89", "stop_loss"),
        ("sell", SHORT_PLAN, "90", "take_profit"),
        ("sell", SHORT_PLAN, "110", "stop_loss"),
        ("buy", ExitPlan(take_profit=D(95), stop_loss=D(96)), "95.5", "stop_loss"),
    ],
)
def test_each_leg_triggers_at_its_price_and_the_stop_comes_first(
    side: str, plan: ExitPlan, price: str, purpose: str
) -> None:
    assert triggered(feed(long_of(side=side, plan=plan), mark(1, price))).purpose == purpose


@pytest.mark.parametrize(("side", "plan"), [("buy", PLAN), ("sell", SHORT_PLAN)])
def test_nothing_triggers_between_the_legs(side: str, plan: ExitPlan) -> None:
    assert feed(long_of(side=side, plan=plan), mark(1, "109.99"), mark(2, "90.01")) == []


def test_what_the_book_cannot_take_is_closed_at_the_next_marks_wherever_they_are() -> None:
    venue = long_of("3")

    first = feed(venue, book(2, "89x1", "90x1"), mark(2, "89"))
    nothing_left = feed(venue, mark(3, "89"))
    recovered = feed(venue, book(4, "100x1", "101x1"), mark(4, "100"))
    done = feed(venue, book(5, "101x9", "102x1"), mark(5, "101"))

    assert kinds(first) == ["exit_triggered", "order_accepted", "order_filled", "order_cancelled"]
    assert nothing_left == []
    assert (trades(recovered), trades(done)) == ([("sell", "100", "1")], [("sell", "101", "1")])
    assert triggered(done).purpose == "stop_loss"
    assert feed(venue, mark(6, "80")) == []


def test_a_stop_without_a_book_is_refused_once_and_tried_until_it_is_done() -> None:
    venue = long_of()

    refused = feed(venue, book(2, "", "90x1"), mark(2, "89"))
    silent = feed(venue, mark(3, "88"), book(4, "91x1", "90x1"), mark(4, "95"))
    done = feed(venue, book(5, "97x9", "98x1"), mark(5, "98"))

    assert kinds(refused) == ["exit_triggered", "order_rejected"]
    assert isinstance(refused[1], OrderRejected)
    assert refused[1].code == "NO_BOOK"
    assert silent == []
    assert trades(done) == [("sell", "97", "1")]
    assert triggered(done).order_id != triggered(refused).order_id


def test_the_exit_is_not_held_by_the_orders_band() -> None:
    venue = long_of(price_min="98", price_max="102")

    assert trades(feed(venue, book(2, "50x9", "51x1"), mark(2, "50"))) == [("sell", "50", "1")]


def test_the_plan_follows_partial_fills_of_its_order() -> None:
    venue = new_venue()
    feed(venue, book(0, "99x9", "100x1"), order(1, "buy", "3", limit="100", exit_plan=PLAN), 1.0)

    refilled = feed(venue, book(2, "98x9", "99x1"))
    stopped = feed(venue, book(3, "89x9", "101x1"), mark(3, "89"))

    assert trades(refilled) == [("buy", "100", "1")]
    assert trades(stopped) == [("sell", "89", "2")], "what was filled by then, and it does not meet its own order"
    assert kinds(stopped) == ["exit_triggered", "order_accepted", "order_cancelled", "order_filled"]


def test_a_partial_close_keeps_the_plan_and_the_exit_closes_what_is_left() -> None:
    venue = long_of("3")
    feed(venue, order(2, "sell", "1", 1), 1.5)

    assert plan_of(venue) == PLAN
    assert trades(feed(venue, book(2, "89x9", "90x1"), mark(2, "89"))) == [("sell", "89", "2")]
    assert plan_of(venue) is None


def test_a_later_entry_with_a_plan_replaces_it_and_one_without_keeps_it() -> None:
    venue = long_of()
    newer = ExitPlan(stop_loss=D(95))

    feed(venue, order(2, "buy", "1", 1), 1.5)
    assert plan_of(venue) == PLAN
    feed(venue, order(3, "buy", "1", 2, exit_plan=newer), 2.5)
    assert plan_of(venue) == newer


def test_a_flip_takes_the_plan_of_the_order_that_flipped() -> None:
    venue = long_of("1")
    feed(venue, order(2, "sell", "2", 1, exit_plan=SHORT_PLAN), 1.5)

    assert plan_of(venue) == SHORT_PLAN
    assert triggered(feed(venue, mark(2, "110"))).purpose == "stop_loss"


def test_an_invalidation_on_the_mark_and_on_the_close_of_a_bar() -> None:
    on_mark = ExitPlan(invalidation_condition=Condition(comparison="below", price=D(95)))
    on_bar = ExitPlan(invalidation_condition=Condition(comparison="below", price=D(95), interval="3m"))
    first, second = long_of(plan=on_mark), long_of(plan=on_bar)

    assert triggered(feed(first, mark(1, "94.9"))).purpose == "invalidation"
    assert feed(second, mark(1, "94.9"), bar(60, "94"), bar(120, "94"), bar(180, "95")) == []
    assert triggered(feed(second, bar(360, "94.9"))).observed_price == D("94.9")


def test_the_exit_belongs_to_the_trace_of_the_order_that_set_the_plan() -> None:
    venue = long_of(traceparent="00-trace")

    assert {event.traceparent for event in feed(venue, mark(1, "89"))} == {"00-trace"}


def test_a_mark_that_gaps_with_its_book_fills_at_that_book_whichever_comes_first() -> None:
    gapped = book(2, "70x9", "71x9"), mark(2, "70.5")

    for facts in (gapped, gapped[::-1]):
        assert trades(feed(long_of(), *facts)) == [("sell", "70", "1")]


def test_a_stop_and_an_order_of_one_moment_execute_in_that_order() -> None:
    venue = long_of()

    events = feed(venue, order(2, "sell", "1", 2), mark(2, "89"), book(2, "88x9", "90x1"), 2.5)

    assert [event.purpose for event in fills(events)] == ["stop_loss", "decision"]
    assert [str(event.position_after) for event in fills(events)] == ["0", "-1"]


def test_a_stop_on_the_last_price_looks_at_trades_and_at_the_marks_own_only_until_the_first() -> None:
    plan = ExitPlan(stop_loss=D(90), trigger="last")
    unprinted, printed, by_trade = long_of(plan=plan), long_of(plan=plan), long_of(plan=plan)
    feed(printed, trade(0.6, "sell", "95", "1"))

    assert triggered(feed(unprinted, mark(1, "95", last="89"))).observed_price == 89
    assert feed(printed, mark(1, "95", last="89")) == []  # 95 was printed last, whatever the mark says of it
    assert triggered(feed(by_trade, trade(1, "sell", "89.5", "1"), 1.5)).observed_price == D("89.5")
