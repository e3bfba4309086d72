"""The life of an order at an outside venue, worked out by hand. Times are seconds after T0.

The rules here: the venue carries a request out within 5 s of its stamp; an answer takes 10 s at most; its lists may lag
by 5 s; the clocks differ by no more than 1 s. So what was sent at 0 is void at 5, and what is missing from all lists
at 5 + 10 + 5 + 1 = 21 never arrived.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from contracts.base import Event
from contracts.executions import OrderFilled, OrderRejected
from contracts.signals import ExitPlan
from order_executor.exchange.core import Desk, Order, Rules, Snapshot
from order_executor.exchange.core import said as core
from order_executor.exchange.core.ids import client_order_id
from order_executor.exchange.doubles import Execution, View
from order_executor.testing import BTC, ETH, D, amend, at, cancel, change_exits, flatten, kinds, order, trigger

RULES = Rules(clock_skew=timedelta(seconds=1), valid_for=timedelta(seconds=60))
ANN = ("s1", "ann")


def agreeing(t: float, **fields: Any) -> Snapshot:
    return Snapshot(at(t), at(t), (), (), {})._replace(**fields)


def desk_with(*approved: Any, rules: Rules = RULES) -> Desk:
    """The account was seen to agree; what is approved has been sent at 0."""
    desk = Desk(rules)
    for event in approved:
        assert desk.approve(event, at(0)) == ()
    desk.sweep(ANN, agreeing(0))
    desk.tick(at(0))
    return desk


def name_of(event: Any) -> str:
    return client_order_id(event.event_id)


def state_of(desk: Desk, event: Any) -> str:
    found = desk.order(name_of(event))
    assert found is not None
    return found.state


def calls(desk: Desk) -> list[str]:
    made = [wanted.call for wanted in desk.wanted]
    desk.wanted = []
    return [str(call) for call in made]


BUY = order(1, "buy", "2")
NAME = name_of(BUY)


def test_the_id_is_the_intents_own_and_what_venues_take() -> None:
    # head -c16 /dev/zero | sha256sum | head -c64 | xxd -r -p | base32 | head -c32
    assert client_order_id(UUID(int=0)) == "g5dqr77xogo5lf46zb25k3gsfbxw2phx"
    assert client_order_id(UUID(int=0)) == client_order_id(UUID(int=0)) != client_order_id(UUID(int=1))
    assert len(NAME) == 32
    assert NAME.isalnum()


def test_an_intent_goes_at_its_moment_and_is_void_at_the_venue_after_its_window() -> None:
    later = order(2, "buy", "1", 30)
    desk = desk_with(later)

    assert state_of(desk, later) == "intent"
    desk.tick(at(29.9))
    assert state_of(desk, later) == "intent"
    desk.tick(at(30))
    sent = desk.order(name_of(later))
    assert sent is not None
    assert (sent.state, sent.send_by) == ("sending", at(35))


def test_nothing_is_sent_before_the_venue_was_seen_to_agree() -> None:
    desk = Desk(RULES)
    desk.approve(BUY, at(0))
    assert desk.tick(at(1)) == []
    assert state_of(desk, BUY) == "intent"

    desk.sweep(ANN, agreeing(2))
    desk.tick(at(2.5))
    assert state_of(desk, BUY) == "sending"


def test_an_answer_makes_it_accepted_once_and_trades_fill_it() -> None:
    desk = desk_with(BUY)

    assert kinds(desk.tell(NAME, core.Taken(at(1), "v1"))) == ["order_accepted"]
    assert kinds(desk.tell(NAME, core.Seen(at(1), View(NAME)))) == []
    assert state_of(desk, BUY) == "open"
    first = desk.trade(Execution(NAME, "t1", D("0.5")), at(2))
    assert state_of(desk, BUY) == "partially_filled"
    second = desk.trade(Execution(NAME, "t2", D("1.5")), at(2))
    assert state_of(desk, BUY) == "filled"
    told = [*first, *second]
    assert [(f.quantity, f.remaining, f.position_after) for f in told if isinstance(f, OrderFilled)] == [
        (D("0.5"), D("1.5"), D("0.5")), (D("1.5"), D(0), D(2)),
    ]  # fmt: skip


def test_a_trade_counts_once_by_its_id_in_every_state() -> None:
    desk = desk_with(BUY)
    desk.trade(Execution(NAME, "t1", D(1)), at(1))

    assert desk.trade(Execution(NAME, "t1", D(1)), at(1)) == ()
    desk.trade(Execution(NAME, "t2", D(1)), at(1))
    assert desk.trade(Execution(NAME, "t2", D(1)), at(1)) == ()
    assert desk.accounts[ANN].positions == {BTC: D(2)}
    assert [booked.trade.trade_id for booked in desk.booked] == ["t1", "t2"]


def test_a_trade_before_any_answer_is_told_after_the_acceptance_it_proves() -> None:
    desk = desk_with(BUY)

    assert kinds(desk.trade(Execution(NAME, "t1", D(2)), at(0.1))) == ["order_accepted", "order_filled"]
    assert kinds(desk.tell(NAME, core.Taken(at(1), "v1"))) == []
    assert kinds(desk.tell(NAME, core.Ambiguous(at(1), "timeout"))) == []
    assert state_of(desk, BUY) == "filled"


def test_a_structured_no_to_the_only_request_is_an_end() -> None:
    desk = desk_with(BUY)

    (told,) = desk.tell(NAME, core.Refused(at(1), "rejected", "51008 margin"))
    assert isinstance(told, OrderRejected)
    assert (told.code, told.detail) == ("VENUE_ERROR", "51008 margin")
    assert state_of(desk, BUY) == "rejected"


def test_an_ambiguous_outcome_is_asked_for_and_never_sent_again_on_a_guess() -> None:
    desk = desk_with(BUY)

    assert kinds(desk.tell(NAME, core.Ambiguous(at(10), "timeout"))) == ["order_unknown"]
    assert calls(desk) == ["query"]
    desk.tick(at(12))
    assert calls(desk) == ["query"]
    # missing at 20.9: before 21 it may still be on its way
    for asked in (12, 15, 20.9):
        assert desk.tell(NAME, core.Absent(at(asked), at(asked))) == ()
        assert state_of(desk, BUY) == "unknown"


def test_what_the_query_finds_is_adopted_and_counted_as_a_second_order_prevented() -> None:
    desk = desk_with(BUY)
    desk.tell(NAME, core.Ambiguous(at(10), "timeout"))

    assert kinds(desk.tell(NAME, core.Seen(at(11), View(NAME)))) == ["order_accepted"]
    assert state_of(desk, BUY) == "open"
    assert desk.prevented == 1


def test_two_looks_after_everything_passed_prove_that_it_never_arrived_and_it_goes_again_under_the_same_id() -> None:
    desk = desk_with(BUY)
    desk.tell(NAME, core.Ambiguous(at(10), "timeout"))

    desk.tell(NAME, core.Absent(at(22), at(21)))
    assert state_of(desk, BUY) == "unknown"
    desk.tell(NAME, core.Absent(at(24), at(23)))
    assert state_of(desk, BUY) == "intent"
    desk.tick(at(24))
    sent = desk.order(NAME)
    assert sent is not None
    assert (sent.state, sent.sends, sent.send_by) == ("sending", 2, at(29))


def test_a_late_order_is_another_trade_and_is_given_up_by_name() -> None:
    desk = desk_with(BUY, rules=replace(RULES, valid_for=timedelta(seconds=20)))
    desk.tell(NAME, core.Ambiguous(at(10), "timeout"))

    desk.tell(NAME, core.Absent(at(22), at(21)))
    (told,) = desk.tell(NAME, core.Absent(at(24), at(23)))  # valid until 20
    assert isinstance(told, OrderRejected)
    assert told.code == "EXPIRED"
    assert state_of(desk, BUY) == "expired"


def test_one_intent_is_sent_twice_at_most() -> None:
    desk = desk_with(BUY, rules=replace(RULES, valid_for=timedelta(seconds=1000)))
    for sent_at in (0, 30):
        desk.tick(at(sent_at))
        desk.tell(NAME, core.Ambiguous(at(sent_at), "cut"))
        desk.tell(NAME, core.Absent(at(sent_at + 22), at(sent_at + 22)))
        desk.tell(NAME, core.Absent(at(sent_at + 24), at(sent_at + 24)))
    assert state_of(desk, BUY) == "expired"


def test_a_no_to_a_request_sent_again_says_look_once_more() -> None:
    """The first may have come through after all and be the very reason for the no."""
    desk = desk_with(BUY)
    desk.tell(NAME, core.Ambiguous(at(10), "timeout"))
    for asked in (22, 24):
        desk.tell(NAME, core.Absent(at(asked), at(asked)))
    desk.tick(at(24))

    assert kinds(desk.tell(NAME, core.Refused(at(25), "rejected", "margin"))) == ["order_unknown"]
    assert state_of(desk, BUY) == "unknown"


def test_a_duplicate_id_means_that_an_earlier_attempt_came_through() -> None:
    desk = desk_with(BUY)

    assert kinds(desk.tell(NAME, core.Refused(at(1), "duplicate", "51016"))) == ["order_unknown"]
    assert calls(desk) == ["query"]
    desk.tell(NAME, core.Seen(at(2), View(NAME)))
    assert state_of(desk, BUY) == "open"


def test_a_throttled_order_was_never_looked_at_and_goes_again_after_the_silence_asked_for() -> None:
    desk = desk_with(BUY)

    assert desk.tell(NAME, core.NotTaken(at(1), at(4))) == ()
    desk.tick(at(3.9))
    assert state_of(desk, BUY) == "intent"
    desk.tick(at(4))
    assert state_of(desk, BUY) == "sending"


def test_the_instrument_is_blocked_while_one_of_its_orders_is_unknown_and_no_other_is() -> None:
    other, second = order(2, "buy", "1", instrument=ETH), order(3, "sell", "1", 1)
    desk = desk_with(BUY)
    desk.tell(NAME, core.Ambiguous(at(0.5), "timeout"))
    for event in (other, second):
        desk.approve(event, at(1))
    desk.tick(at(1))

    assert (state_of(desk, other), state_of(desk, second)) == ("sending", "intent")
    desk.tell(NAME, core.Seen(at(2), View(NAME)))
    desk.tick(at(2.5))
    assert state_of(desk, second) == "sending"


def test_what_could_not_go_in_time_lapses_by_name() -> None:
    second = order(3, "sell", "1", 1)
    desk = desk_with(BUY)
    desk.tell(NAME, core.Ambiguous(at(0.5), "timeout"))
    desk.approve(second, at(1))

    told = desk.tick(at(61))  # 1 + valid_for 60
    assert [(e.order_id, e.code) for e in told if isinstance(e, OrderRejected)] == [(second.event_id, "EXPIRED")]


def test_an_unknown_order_calls_for_a_human_once_and_stays_unknown() -> None:
    desk = desk_with(BUY)
    desk.tell(NAME, core.Ambiguous(at(10), "timeout"))

    assert kinds(desk.tick(at(309))) == []  # human_after is 300
    assert kinds(desk.tick(at(311))) == ["order_unknown"]
    assert kinds(desk.tick(at(1000))) == []
    assert state_of(desk, BUY) == "unknown"


def test_no_answer_at_all_is_an_ambiguous_one() -> None:
    desk = desk_with(BUY)

    assert kinds(desk.tick(at(14.9))) == []  # void at 5, answered by 15
    assert kinds(desk.tick(at(15))) == ["order_unknown"]


def test_a_cancel_is_believed_when_the_end_is_seen() -> None:
    resting = order(1, "buy", "2", limit="99")
    desk, name = desk_with(resting), name_of(resting)
    desk.tell(name, core.Seen(at(1), View(name)))
    calls(desk)

    desk.instruct(cancel(9, 2), at(2))
    assert (state_of(desk, resting), calls(desk)) == ("pending_cancel", ["cancel"])
    desk.tell(name, core.CancelAnswered(at(3)))
    assert (state_of(desk, resting), calls(desk)) == ("pending_cancel", ["query"])
    desk.tell(name, core.Seen(at(3), View(name)))  # a view from before
    assert state_of(desk, resting) == "pending_cancel"
    desk.tick(at(5))
    assert calls(desk) == ["cancel"]
    assert kinds(desk.tell(name, core.Seen(at(6), View(name, "cancelled")))) == ["order_cancelled"]


def test_an_order_ends_when_the_trades_of_its_end_are_in() -> None:
    resting = order(1, "buy", "2", limit="99")
    desk, name = desk_with(resting), name_of(resting)

    desk.tell(name, core.Seen(at(1), View(name, "cancelled", D("0.5"))))
    assert (state_of(desk, resting), calls(desk)) == ("open", ["query"])
    told = desk.trade(Execution(name, "t1", D("0.5")), at(2))
    assert kinds(told) == ["order_filled", "order_cancelled"]
    assert told[-1].remaining == D("1.5")  # type: ignore[attr-defined]


def test_a_trade_after_the_cancel_is_applied() -> None:
    resting = order(1, "buy", "2", limit="99")
    desk, name = desk_with(resting), name_of(resting)
    desk.tell(name, core.Seen(at(1), View(name, "cancelled")))
    assert state_of(desk, resting) == "cancelled"

    assert kinds(desk.trade(Execution(name, "t1", D(2)), at(2))) == ["order_filled"]
    assert desk.accounts[ANN].positions == {BTC: D(2)}
    assert state_of(desk, resting) == "filled"


def test_a_cancel_before_the_order_left_needs_no_venue() -> None:
    later = order(2, "buy", "1", 30)
    desk = desk_with(later)

    assert kinds(desk.instruct(cancel(9, 1), at(1))) == ["order_cancelled"]
    assert (state_of(desk, later), calls(desk)) == ("cancelled", [])


def test_a_cancel_of_an_unknown_order_waits_until_it_is_found() -> None:
    desk = desk_with(BUY)
    desk.tell(NAME, core.Ambiguous(at(1), "cut"))
    desk.instruct(cancel(9, 2), at(2))
    assert calls(desk) == ["query"]

    desk.tell(NAME, core.Seen(at(3), View(NAME)))
    assert (state_of(desk, BUY), calls(desk)) == ("pending_cancel", ["cancel"])


def test_a_cancelled_order_that_never_arrived_is_not_sent_again() -> None:
    desk = desk_with(BUY)
    desk.tell(NAME, core.Ambiguous(at(1), "cut"))
    desk.instruct(cancel(9, 2), at(2))
    desk.tell(NAME, core.Absent(at(22), at(22)))

    assert kinds(desk.tell(NAME, core.Absent(at(24), at(24)))) == ["order_cancelled"]


def test_what_rests_beyond_its_time_is_taken_back_and_ends_as_expired() -> None:
    resting = order(1, "buy", "2", limit="99", expires_at=at(40))
    desk, name = desk_with(resting), name_of(resting)
    desk.tell(name, core.Seen(at(1), View(name)))
    desk.tick(at(39))
    assert calls(desk) == []

    desk.tick(at(40))
    assert calls(desk) == ["cancel"]
    assert kinds(desk.tell(name, core.Seen(at(41), View(name, "cancelled")))) == ["order_expired"]


def test_what_was_given_up_and_is_there_after_all_is_taken_back_and_its_trades_count() -> None:
    desk = desk_with(BUY, rules=replace(RULES, valid_for=timedelta(seconds=20)))
    desk.tell(NAME, core.Ambiguous(at(10), "timeout"))
    for asked in (22, 24):
        desk.tell(NAME, core.Absent(at(asked), at(asked)))
    assert state_of(desk, BUY) == "expired"
    calls(desk)

    assert kinds(desk.tell(NAME, core.Seen(at(90), View(NAME)))) == ["order_accepted"]
    assert (state_of(desk, BUY), calls(desk)) == ("pending_cancel", ["cancel"])
    assert kinds(desk.trade(Execution(NAME, "t1", D(1)), at(91))) == ["order_filled"]
    assert kinds(desk.tell(NAME, core.Seen(at(92), View(NAME, "cancelled", D(1))))) == ["order_cancelled"]


def test_what_waits_to_be_sent_again_and_is_seen_at_the_venue_is_not_sent() -> None:
    desk = desk_with(BUY)
    desk.tell(NAME, core.Ambiguous(at(10), "timeout"))
    for asked in (22, 24):
        desk.tell(NAME, core.Absent(at(asked), at(asked)))
    desk.tell(NAME, core.Seen(at(24), View(NAME)))
    desk.tick(at(30))

    assert state_of(desk, BUY) == "open"


def test_a_market_order_is_sent_as_a_limit_at_the_edge_of_its_band() -> None:
    buy, sell = order(1, "buy", "1", price_max="105"), order(2, "sell", "1", price_min="95")
    desk = desk_with(buy, sell)

    prices = [placed.intent.price for event in (buy, sell) if (placed := desk.order(name_of(event))) is not None]
    assert prices == [D(105), D(95)]


def test_what_the_venue_is_not_asked_to_watch_is_refused_by_name() -> None:
    desk = Desk(RULES)
    conditional = order(1, "buy", "1", trigger=trigger("stop", "120"))
    planned = order(2, "buy", "1", exit_plan=ExitPlan(stop_loss=D(90)))
    told: list[Event] = [
        *desk.approve(conditional, at(0)), *desk.approve(planned, at(0)),
        *desk.instruct(amend(3, 0, "x", quantity="1"), at(0)), *desk.instruct(change_exits(4, 0, stop_loss="1"), at(0)),
        *desk.instruct(cancel(5, 0, "nobody", instrument=BTC), at(0)),
    ]  # fmt: skip

    codes = [each.code for each in told if isinstance(each, OrderRejected)]
    assert codes == ["VENUE_ERROR", "VENUE_ERROR", "AMEND_INVALID", "VENUE_ERROR", "ORDER_UNKNOWN"]


def test_a_competitors_own_name_for_an_order_counts_once() -> None:
    desk = Desk(RULES)
    assert desk.approve(order(1, "buy", "1", client_order_id="mine"), at(0)) == ()
    (told,) = desk.approve(order(2, "buy", "1", client_order_id="mine"), at(0))
    assert isinstance(told, OrderRejected)
    assert told.code == "DUPLICATE_CLIENT_ORDER_ID"


def test_an_ordered_close_is_reduce_only_at_market_and_without_a_bound() -> None:
    event = flatten(1, 0, "sell", "2")
    desk = Desk(RULES)
    desk.instruct(event, at(0))
    desk.sweep(ANN, agreeing(0))
    desk.tick(at(0))

    sent = desk.order(name_of(event))
    assert sent is not None
    intent = sent.intent
    assert (sent.state, intent.price, intent.reduce_only, intent.purpose) == ("sending", None, True, "flatten")


@pytest.mark.parametrize(
    ("fields", "difference"),
    [
        ({"open": (View("stranger"),)}, "order stranger is not ours"),
        ({"trades": (Execution("stranger", "t9", D(1)),)}, "trade t9 is not ours"),
        ({"holdings": {BTC: D(3)}}, f"position {BTC} is 0 here and 3 at the venue"),
    ],
)
def test_the_gate_stays_shut_on_any_difference_and_names_it(fields: Any, difference: str) -> None:
    desk = Desk(RULES)
    desk.approve(BUY, at(0))
    desk.sweep(ANN, agreeing(1, **fields))
    desk.tick(at(2))

    account = desk.accounts[ANN]
    assert (account.differences, account.agrees) == ((difference,), False)
    assert state_of(desk, BUY) == "intent"
    assert account.positions.get(BTC, D(0)) == 0, "nothing is made up to fit"


def test_after_a_restart_what_was_sending_is_asked_for_and_what_was_open_is_confirmed() -> None:
    before = desk_with(BUY, resting := order(2, "buy", "1", instrument=ETH, limit="9"))
    before.tell(name_of(resting), core.Seen(at(1), View(name_of(resting), instrument=ETH)))
    saved: list[Order] = list(before.changed.values())

    desk = Desk(RULES)
    desk.restore(saved, {}, [], {})
    assert kinds(desk.resume(at(2))) == ["order_unknown"]
    assert calls(desk) == ["query"]
    desk.sweep(ANN, agreeing(3, open=()))
    assert not desk.accounts[ANN].agrees, "the venue does not list what was open here"
    desk.tell(NAME, core.Seen(at(4), View(NAME)))
    both = (View(NAME), View(name_of(resting), instrument=ETH))
    desk.sweep(ANN, agreeing(5, open=both))
    assert desk.accounts[ANN].agrees
