"""Orders that wait for a price, end at a time, are changed or taken back; and names that are used once."""

# mypy: no-strict-equality
# (whole numbers beside decimals read better in a tuple of expectations)

from collections.abc import Sequence
from typing import Any

import pytest
from contracts.base import Event
from contracts.executions import (
    ExitPlanChanged,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderTriggered,
)
from contracts.signals import Condition, ExitPlan
from order_executor.core import Venue
from order_executor.testing import (
    BTC,
    ETH,
    D,
    amend,
    at,
    book,
    cancel,
    change_exits,
    feed,
    fills,
    flatten,
    halt,
    kinds,
    mark,
    new_venue,
    order,
    trade,
    trades,
    trigger,
)

DEEP = ("99x5 98x5 97x5", "100x5 101x5 102x5")


def venue_with(*orders: Any) -> Venue:
    venue = new_venue()
    feed(venue, book(0, *DEEP), mark(0, "99.5"), *orders, 0.5)
    return venue


def refusal(events: Sequence[Event]) -> str:
    (event,) = events
    assert isinstance(event, OrderRejected)
    return event.code


# waiting for a price


@pytest.mark.parametrize(
    ("side", "kind", "before", "reached"),
    [
        ("buy", "stop", "104.9", "105"),
        ("sell", "stop", "95.1", "95"),
        ("buy", "take_profit", "95.1", "95"),
        ("sell", "take_profit", "104.9", "105"),
    ],
)
def test_a_stop_waits_for_a_worse_price_and_a_take_profit_for_a_better_one(
    side: str, kind: str, before: str, reached: str
) -> None:
    venue = new_venue()
    price = reached
    placed = feed(venue, book(0, *DEEP), order(1, side, "1", trigger=trigger(kind, price)), 0.5)

    assert kinds(placed) == ["order_accepted"]
    assert feed(venue, mark(1, before), 1.5) == []
    events = feed(venue, book(2, "94x5", "106x5"), mark(2, reached), 2.5)
    assert kinds(events) == ["order_triggered", "order_filled"]
    assert isinstance(events[0], OrderTriggered)
    assert (events[0].trigger_price, events[0].observed_price) == (D(price), D(reached))
    assert trades(events) == [(side, "106" if side == "buy" else "94", "1")], "at the book, not at the trigger"


@pytest.mark.parametrize("on", ["mark", "last", "index"])
def test_the_price_that_triggers_is_the_one_that_was_asked_for(on: str) -> None:
    prices = {"mark": "100", "last": "100", "index": "100"}
    venue = venue_with(order(1, "buy", "1", trigger=trigger("stop", "105", on)))

    def said(t: float, **changed: str) -> list[str]:
        now = prices | changed
        return kinds(feed(venue, mark(t, now["mark"], last=now["last"], index=now["index"]), t + 0.5))

    others = {name: "110" for name in prices if name != on}
    assert said(1, **others) == []
    assert said(2, **{on: "105"}) == ["order_triggered", "order_filled"]


def test_a_triggered_limit_order_rests_at_its_limit() -> None:
    venue = venue_with(order(1, "buy", "1", limit="97", trigger=trigger("stop", "105")))

    assert kinds(feed(venue, mark(1, "105"), 1.5)) == ["order_triggered"]
    assert trades(feed(venue, book(2, "90x1", "96x1"))) == [("buy", "97", "1")]


def test_a_triggered_order_is_refused_with_its_reason_where_the_margin_is_gone() -> None:
    venue = new_venue(capital="100")
    feed(venue, book(0, *DEEP), mark(0, "99.5"), order(1, "buy", "5", trigger=trigger("stop", "105")), 0.5)
    feed(venue, order(2, "buy", "4", 1), 1.5)

    events = feed(venue, mark(2, "105"), 2.5)

    assert kinds(events) == ["order_triggered", "order_rejected"]
    assert refusal(events[1:]) == "MARGIN_INSUFFICIENT"


def test_a_triggered_reduce_only_order_says_that_it_shrinks_to_the_position() -> None:
    venue = venue_with(order(1, "buy", "2"), order(2, "sell", "5", reduce_only=True, trigger=trigger("stop", "95")))

    events = feed(venue, book(1, "94x9", "106x9"), mark(1, "95"), 1.5)

    assert kinds(events) == ["order_triggered", "order_amended", "order_filled"]
    assert isinstance(events[1], OrderAmended)
    assert (events[1].quantity, events[1].remaining) == (2, 2)
    (filled,) = fills(events)
    assert (filled.quantity, filled.remaining, filled.position_after) == (2, 0, 0)


# an end in time


def test_an_order_expires_at_its_time_and_not_before() -> None:
    venue = venue_with(order(1, "buy", "1", limit="97", expires_at=at(10)))

    assert feed(venue, 9.999) == []
    (event,) = feed(venue, 10.0)
    assert isinstance(event, OrderExpired)
    assert (event.at, event.remaining) == (at(10), 1)
    assert feed(venue, book(11, "90x1", "91x9"), 12.0) == []


def test_a_book_of_the_very_moment_comes_too_late() -> None:
    venue = venue_with(order(1, "buy", "1", limit="97", expires_at=at(10)))

    assert kinds(feed(venue, book(10, "90x1", "96x9"))) == ["order_expired"]


def test_a_waiting_order_expires_too_and_a_filled_one_does_not() -> None:
    venue = venue_with(
        order(1, "buy", "1", trigger=trigger("stop", "105"), expires_at=at(10)),
        order(2, "buy", "1", limit="97", expires_at=at(10)),
    )
    feed(venue, book(5, "90x1", "96x9"))

    (event,) = feed(venue, 11.0)
    assert isinstance(event, OrderExpired)
    assert event.round == 1


def test_an_order_that_is_over_before_it_takes_effect_is_refused() -> None:
    assert refusal(feed(new_venue(), book(0, *DEEP), order(1, "buy", "1", 5, limit="97", expires_at=at(5)), 6.0)) == (
        "EXPIRED"
    )


# names


def test_a_client_order_id_counts_once_for_ever() -> None:
    venue = venue_with(order(1, "buy", "1", client_order_id="x"))

    again = feed(venue, order(2, "buy", "1", 1, client_order_id="x"), 2.0)
    other = feed(venue, order(3, "buy", "1", 2, client_order_id="x", competitor_id="bob"), 3.0)

    assert refusal(again) == "DUPLICATE_CLIENT_ORDER_ID"
    assert kinds(other) == ["order_accepted", "order_filled"], "a name is its competitor's own"


# cancel


def test_one_order_those_of_an_instrument_or_all_are_taken_back() -> None:
    def left(instruction: Any) -> list[int]:
        venue = venue_with(
            book(0, *DEEP, instrument=ETH),
            order(1, "buy", "1", limit="97", client_order_id="one"),
            order(2, "buy", "1", trigger=trigger("stop", "105"), client_order_id="two"),
            order(3, "buy", "1", limit="97", instrument=ETH),
        )
        events = feed(venue, instruction, 3.0)
        assert {event.reason for event in events if isinstance(event, OrderCancelled)} == {"competitor"}
        (account,) = venue.accounts.values()
        return sorted(each.round or 0 for each in account.open_orders())

    assert left(cancel(9, 2, "one", instrument=BTC)) == left(cancel(9, 2, "one")) == [2, 3]
    assert left(cancel(9, 2, "two", instrument=BTC)) == [1, 3]
    assert left(cancel(9, 2, instrument=BTC)) == [3]
    assert left(cancel(9, 2)) == []


def test_a_name_that_is_not_open_cannot_be_taken_back() -> None:
    venue = venue_with(order(1, "buy", "1", client_order_id="done"))

    assert refusal(feed(venue, cancel(2, 1, "done", instrument=BTC), 2.0)) == "ORDER_UNKNOWN"
    assert feed(venue, cancel(3, 2, instrument=BTC), 3.0) == [], "nothing to take back is no error"


# amend


def test_a_smaller_size_keeps_the_place_in_the_queue_and_a_larger_or_another_price_loses_it() -> None:
    def ahead(**change: Any) -> object:
        venue = venue_with(order(1, "buy", "3", limit="98", client_order_id="x"))
        feed(venue, book(1, "99x5 98x2 97x5", "100x5"), book(2, "99x5 98x9 97x8", "100x5"))
        (event,) = feed(venue, amend(2, 3, "x", **change), 4.0)
        assert isinstance(event, OrderAmended)
        (account,) = venue.accounts.values()
        (resting,) = account.open_orders()
        return resting.ahead

    # 5 were in front, then 2; now 9 are shown at 98 and 8 at 97
    assert ahead(quantity=D(1)) == 2
    assert ahead(quantity=D(4)) == 9
    assert ahead(limit_price=D(97)) == 8


def test_an_amended_price_that_reaches_the_book_takes() -> None:
    venue = venue_with(order(1, "buy", "3", limit="98", client_order_id="x"))

    events = feed(venue, amend(2, 1, "x", limit_price=D(100)), 2.0)

    assert kinds(events) == ["order_amended", "order_filled"]
    assert trades(events) == [("buy", "100", "3")]


def test_what_was_filled_counts_in_an_amended_size() -> None:
    venue = venue_with(order(1, "buy", "7", limit="100", client_order_id="x"))  # 5 fill

    below = feed(venue, amend(2, 1, "x", quantity=D(5)), 2.0)
    (smaller,) = feed(venue, amend(3, 2, "x", quantity=D(6)), 3.0)

    assert refusal(below) == "AMEND_INVALID"
    assert isinstance(smaller, OrderAmended)
    assert (smaller.quantity, smaller.remaining) == (6, 1)


def test_an_amend_that_the_venue_refuses_leaves_the_order_as_it_was() -> None:
    venue = venue_with(order(1, "buy", "1", limit="98", client_order_id="x", time_in_force="POST_ONLY"))

    taking = feed(venue, amend(2, 1, "x", limit_price=D(100)), 2.0)
    costly = feed(venue, amend(3, 2, "x", quantity=D(900)), 3.0)
    unknown = feed(venue, amend(4, 3, "y", quantity=D(1)), 4.0)

    assert [refusal(each) for each in (taking, costly, unknown)] == [
        "POST_ONLY_WOULD_TAKE", "MARGIN_INSUFFICIENT", "ORDER_UNKNOWN",
    ]  # fmt: skip
    assert trades(feed(venue, book(5, "90x1", "97x9"))) == [("buy", "98", "1")]


def test_an_amended_reduce_only_order_never_becomes_larger_than_the_position() -> None:
    venue = venue_with(order(1, "buy", "2"), order(2, "sell", "1", limit="110", reduce_only=True, client_order_id="x"))

    events = feed(venue, amend(3, 1, "x", quantity=D(9), limit_price=D(99)), 2.0)

    assert isinstance(events[0], OrderAmended)
    assert events[0].quantity == 2
    assert [event.position_after for event in fills(events)] == [0]


def test_the_trigger_of_a_waiting_order_can_be_moved() -> None:
    venue = venue_with(order(1, "buy", "1", trigger=trigger("stop", "105"), client_order_id="x"))

    (event,) = feed(venue, amend(2, 1, "x", trigger_price=D(110)), 2.0)

    assert isinstance(event, OrderAmended)
    assert event.trigger_price == 110
    assert feed(venue, mark(3, "109"), 3.5) == []
    assert kinds(feed(venue, mark(4, "110"), 4.5)) == ["order_triggered", "order_filled"]


# exits


def test_changing_one_leg_of_the_exits_never_drops_the_other() -> None:
    plan = ExitPlan(take_profit=D(110), stop_loss=D(90), invalidation="x")
    venue = venue_with(order(1, "buy", "1", exit_plan=plan))

    (moved,) = feed(venue, change_exits(2, 1, stop_loss=D(95)), 2.0)
    (dropped,) = feed(venue, change_exits(3, 2, drop=("take_profit",)), 3.0)
    (added,) = feed(venue, change_exits(4, 3, invalidation_condition=Condition(comparison="below", price=D(92))), 4.0)

    for event in (moved, dropped, added):
        assert isinstance(event, ExitPlanChanged)
    assert moved.exit_plan == plan.model_copy(update={"stop_loss": D(95)})  # type: ignore[attr-defined]
    assert dropped.exit_plan == ExitPlan(stop_loss=D(95), invalidation="x")  # type: ignore[attr-defined]
    assert added.exit_plan.invalidation_condition.price == 92  # type: ignore[attr-defined]
    assert kinds(feed(venue, mark(5, "94"), 5.5))[:1] == ["exit_triggered"]


def test_the_last_leg_dropped_leaves_no_plan_and_a_flat_account_has_no_exits_to_change() -> None:
    venue = venue_with(order(1, "buy", "1", exit_plan=ExitPlan(stop_loss=D(90))))

    (bare,) = feed(venue, change_exits(2, 1, drop=("stop_loss",)), 2.0)
    flat = feed(venue, order(3, "sell", "1", 2), change_exits(4, 3, stop_loss=D(1)), 4.0)

    assert isinstance(bare, ExitPlanChanged)
    assert bare.exit_plan is None
    assert refusal(flat[-1:]) == "EXITS_WITHOUT_POSITION"


def test_a_partial_close_resizes_the_exit_and_the_other_leg_goes_with_the_first() -> None:
    venue = venue_with(order(1, "buy", "3", exit_plan=ExitPlan(take_profit=D(110), stop_loss=D(90))))
    feed(venue, order(2, "sell", "1", 1), 1.5)

    stopped = feed(venue, book(2, "89x9", "91x1"), mark(2, "89"), 2.5)
    later = feed(venue, book(3, "111x9", "112x1"), mark(3, "111"), 3.5)

    assert trades(stopped) == [("sell", "89", "2")]
    assert later == [], "the target was the stop's other leg"


# own orders on both sides


def test_an_own_order_that_this_one_would_meet_is_taken_back_first() -> None:
    venue = venue_with(order(1, "sell", "1", limit="101"), order(2, "sell", "1", limit="103"))

    events = feed(venue, order(3, "buy", "7", 1), 2.0)

    assert isinstance(events[1], OrderCancelled)
    assert (events[1].round, events[1].reason) == (1, "self_trade")
    assert trades(events) == [("buy", "100", "5"), ("buy", "101", "2")]
    (account,) = venue.accounts.values()
    assert [each.round for each in account.open_orders()] == [2]


# closes that the gate orders


def test_an_ordered_close_goes_on_without_a_band_until_it_is_done() -> None:
    venue = venue_with(order(1, "buy", "3"))

    first = feed(venue, book(2, "50x1", "51x1"), flatten(0, 2, "sell", "3"), 3.0)
    rest = feed(venue, book(4, "40x9", "41x1"), mark(4, "45"), 4.5)

    assert trades(first) == [("sell", "50", "1")]
    assert trades(rest) == [("sell", "40", "2")]
    assert {event.purpose for event in (*fills(first), *fills(rest))} == {"flatten"}
    assert kinds(first) == ["order_accepted", "order_filled", "order_cancelled"]


def test_an_ordered_close_of_a_part_is_reduce_only_and_one_of_nothing_is_refused() -> None:
    venue = venue_with(order(1, "buy", "3"))

    part = feed(venue, flatten(0, 1, "sell", "1"), 2.0)
    wrong = feed(venue, flatten(2, 2, "buy", "1"), 3.0)

    assert trades(part) == [("sell", "99", "1")]
    assert isinstance(part[0], OrderAccepted)
    assert (part[0].reduce_only, part[0].purpose) == (True, "flatten")
    assert refusal(wrong) == "REDUCE_ONLY_WITHOUT_POSITION"


def test_a_halt_takes_back_what_rests_and_waits_and_leaves_what_reduces() -> None:
    venue = new_venue()
    plan = ExitPlan(stop_loss=D(90))
    feed(venue, book(0, "99x9", "101x9"), book(0, "9x9", "11x9", instrument=ETH), mark(0, "100"))
    feed(venue, order(1, "buy", "1", exit_plan=plan), order(2, "buy", "1", limit="98", client_order_id="rests"), 0.5)
    feed(venue, order(3, "sell", "1", limit="110", reduce_only=True, t=0.6, client_order_id="reduces"), 0.7)
    feed(venue, order(4, "buy", "1", 0.8, trigger=trigger("stop", "105"), client_order_id="waits"), 0.9)
    feed(venue, order(5, "buy", "1", 0.9, instrument=ETH, limit="8", client_order_id="elsewhere"), 1.0)

    in_btc = feed(venue, halt(1, 2, BTC), 2.1)
    everywhere = feed(venue, halt(2, 3), 3.1)

    def said(events: Sequence[Event]) -> list[tuple[str, str]]:
        return [(each.reason, each.instrument) for each in events if isinstance(each, OrderCancelled)]

    assert (kinds(in_btc), said(in_btc)) == (["order_cancelled"] * 2, [("halted", BTC)] * 2)
    assert (kinds(everywhere), said(everywhere)) == (["order_cancelled"], [("halted", ETH)])
    (account,) = venue.accounts.values()
    assert [each.client_order_id for each in account.open_orders()] == ["reduces"]
    assert account.position(BTC).exit_plan == plan


def test_no_more_orders_rest_or_wait_than_the_season_allows() -> None:
    venue = new_venue(open_orders_max=2)
    feed(venue, book(0, "99x9", "101x9"), mark(0, "100"), order(1, "buy", "1", limit="98"), 0.5)
    feed(venue, order(2, "buy", "1", 0.5, trigger=trigger("stop", "105")), 1.0)

    (third,) = feed(venue, order(3, "buy", "1", 1, limit="97"), 2.0)
    taking = feed(venue, order(4, "buy", "1", 2), 3.0)

    assert isinstance(third, OrderRejected)
    assert third.code == "OPEN_ORDERS_ABOVE_MAX"
    assert kinds(taking) == ["order_accepted", "order_filled"]


def test_a_trigger_on_the_last_price_is_reached_by_a_trade_between_the_marks() -> None:
    venue = new_venue()
    feed(venue, book(0, "99x9", "101x9"), mark(0, "100", last="100"))
    feed(venue, order(1, "buy", "1", trigger=trigger("stop", "105", "last")), 0.5)

    assert feed(venue, trade(1, "buy", "104.9", "0.1"), 1.5) == []
    events = feed(venue, trade(2, "buy", "105", "0.1"), 2.5)

    assert kinds(events) == ["order_triggered", "order_filled"]
    assert isinstance(events[0], OrderTriggered)
    assert events[0].observed_price == 105
