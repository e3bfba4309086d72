"""Triggers, expiries, orders that only reduce, amends, cancels and exits. The mark is 1000, tick 0.1, band 2 %."""

# mypy: no-strict-equality
# (whole numbers beside decimals read better in a tuple of expectations)

from datetime import timedelta
from typing import Any

import pytest
from contracts.orders import ExitChangeApproved, OrderAmendApproved, OrderApproved, OrderCancelApproved
from contracts.signals import ExitChanges, Trigger
from risk_gate.core import ControlState, Standing
from risk_gate.testing import (
    BTC,
    ETH,
    D,
    approval,
    at,
    facts,
    facts_of,
    mark,
    numbers,
    of_round,
    portfolio,
    position,
    rejection,
    season,
    signal,
)

HALTED = ControlState(halts=["ann/*"])
LONG, SHORT = facts(portfolio=portfolio(position("10"))), facts(portfolio=portfolio(position("-10")))


def trigger(price: str, kind: str = "stop", on: str = "mark") -> Trigger:
    return Trigger.model_validate({"kind": kind, "price": price, "on": on})


def resting(**said: Any) -> Standing:
    """A standing with an approved order to buy 2 at 990 that rests under the name `mine`; its round is over."""
    standing = Standing()
    known = {"quantity": "2", "limit": "990", "time_in_force": "GTC", "client_order_id": "mine", "parts": 3} | said
    approval(standing=standing, **known)
    standing.begin(2)
    return standing


@pytest.mark.parametrize(
    ("action", "kind", "price"),
    [
        ("buy_to_enter", "stop", "1000.1"), ("buy_to_enter", "take_profit", "999.9"),
        ("sell_to_enter", "stop", "999.9"), ("sell_to_enter", "take_profit", "1000.1"),
    ],
)  # fmt: skip
def test_a_trigger_waits_for_a_price_that_is_still_to_come(action: str, kind: str, price: str) -> None:
    waits = trigger(price, kind)
    # on the other side of 1000 by as much, or at it
    other = trigger(str(D(2000) - D(price)), kind)

    assert approval(action=action, trigger=waits).trigger == waits
    for wrong in (other, trigger("1000", kind)):
        said = rejection(action=action, trigger=wrong)
        assert numbers(said) == ("TRIGGER_INVALID", wrong.price, 1000)
    assert f"to {action.split('_')[0]} must lie" in said.detail


def test_a_trigger_is_held_against_the_price_that_it_is_on() -> None:
    prices = mark().model_copy(update={"last_price": D(1010), "index_price": D(990)})
    given = facts(mark=prices)

    assert numbers(rejection(trigger=trigger("1005", on="last"), given=given)) == ("TRIGGER_INVALID", 1005, 1010)
    approval(trigger=trigger("1005", on="mark"), given=given)
    assert numbers(rejection(trigger=trigger("990", on="index"), given=given)) == ("TRIGGER_INVALID", 990, 990)
    unknown = rejection(trigger=trigger("1005", on="last"))
    assert (unknown.code, unknown.detail) == ("PRICE_MISSING", "the trigger is on the last price, which is not known")


def test_a_trigger_price_lies_on_a_tick() -> None:
    said = rejection(trigger=trigger("1010.05"))

    assert numbers(said) == ("PRICE_NOT_TICK", D("1010.05"), D("0.1"))
    assert said.checks[-1].rule == "trigger_tick"


def test_the_band_of_an_order_that_waits_lies_about_its_trigger() -> None:
    order = approval(trigger=trigger("1100"), quantity="1")

    # 1100 * 0.98 and 1100 * 1.02
    assert (order.price_min, order.price_max) == (1078, 1122)
    # margin at the trigger: 1100 / 5 = 220; worst fill 1122: 22 lost; fee 1122 * 0.0005 = 0.561
    needed = next(check.value for check in order.checks if check.rule == "margin")
    assert needed == D("242.561")
    stop_limit = approval(trigger=trigger("1100"), limit="1110", quantity="1", time_in_force="GTC")
    assert (stop_limit.limit_price, stop_limit.order_type) == (1110, "limit")
    assert numbers(rejection(trigger=trigger("1100"), limit="1000")) == ("PRICE_OUT_OF_BAND", 1000, 1078)


@pytest.mark.parametrize(("after_s", "passes"), [(-1, False), (0, False), (1, True)])
def test_an_order_expires_after_it_begins(after_s: int, passes: bool) -> None:
    said = {"limit": "990", "time_in_force": "GTC", "expires_at": at(30) + timedelta(seconds=after_s)}

    if passes:
        assert approval(**said).expires_at == at(31)
    else:
        assert numbers(rejection(**said)) == ("EXPIRY_INVALID", after_s, 0)


def test_what_was_said_of_a_conditional_order_goes_into_it() -> None:
    said = {"limit": "1010", "time_in_force": "POST_ONLY", "margin_mode": "isolated", "client_order_id": "a"}
    order = approval(action="sell_to_enter", expires_at=at(90), **said)

    assert (order.order_type, order.limit_price, order.time_in_force) == ("limit", 1010, "POST_ONLY")
    assert (order.margin_mode, order.client_order_id, order.expires_at) == ("isolated", "a", at(90))


def test_an_order_that_only_reduces_keeps_its_own_terms() -> None:
    order = approval(
        action="sell_to_enter", quantity="4", reduce_only=True, trigger=trigger("950"), given=LONG, leverage=None
    )

    assert (order.side, order.quantity, order.reduce_only, order.trigger) == ("sell", 4, True, trigger("950"))
    assert order.leverage == 5, "the position's"


@pytest.mark.parametrize(
    ("action", "given"), [("buy_to_enter", LONG), ("sell_to_enter", SHORT), ("sell_to_enter", facts())]
)
def test_an_order_that_only_reduces_needs_something_to_reduce(action: str, given: Any) -> None:
    assert rejection(action=action, reduce_only=True, given=given).code == "NO_POSITION"


def test_a_stop_may_protect_what_the_same_decision_buys() -> None:
    standing = Standing()
    approval(quantity="2", standing=standing, parts=3)

    stop = approval(
        action="sell_to_enter",
        quantity="2",
        reduce_only=True,
        trigger=trigger("950"),
        standing=standing,
        part=2,
        parts=3,
    )

    assert stop.reduce_only


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"quantity": "1.0005"}, "QUANTITY_NOT_LOT"),
        ({"limit": "1000.05"}, "PRICE_NOT_TICK"),
        ({"limit": "1020.1"}, "PRICE_OUT_OF_BAND"),
        ({"trigger": trigger("1000")}, "TRIGGER_INVALID"),
    ],
)
def test_an_order_that_only_reduces_is_well_formed(said: dict[str, Any], code: str) -> None:
    assert rejection(action="sell_to_enter", reduce_only=True, given=LONG, **said).code == code


def test_whoever_reduces_gets_out_with_stale_prices_without_a_book_and_without_free_margin() -> None:
    poor = portfolio(position("10"), available="-500")
    given = facts(portfolio=poor, mark=mark(1), book=None, control=HALTED)

    approval(action="close_position", quantity=None, given=given)
    approval(action="sell_to_enter", quantity="200", leverage=D(150), reduce_only=True, given=given)
    without_mark = approval(action="close_position", quantity=None, given=facts(portfolio=poor, mark=None))
    assert (without_mark.price_min, without_mark.price_max) == (980, 1020), "by the mark of its portfolio"


def test_a_cancel_needs_nothing_but_to_be_in_time() -> None:
    nothing = facts(season=None, instrument=None, book=None, mark=None, portfolio=None, control=HALTED)
    said: dict[str, Any] = {"action": "cancel_orders", "quantity": None}

    every = approval(instrument=None, given=nothing, **said)
    one = approval(target_client_order_id="mine", given=nothing, **said)

    assert isinstance(every, OrderCancelApproved)
    assert (every.instrument, every.target_client_order_id) == (None, "")
    assert (one.instrument, one.target_client_order_id) == (BTC, "mine")
    assert (one.signal_id, one.part, one.effective_at) == (signal().event_id, 1, at(30))
    assert rejection(at=at(31), given=nothing, **said).code == "LATE"


def amend(standing: Standing, **said: Any) -> dict[str, Any]:
    limit = said.pop("limit", None)
    known: dict[str, Any] = {
        "action": "amend_order",
        "target_client_order_id": "mine",
        "quantity": None,
        "leverage": None,
    }
    return {
        "standing": standing, "given": said.pop("given", facts_of(2)), "round": 2, "at": at(80), "deadline": at(90),
        "effective_at": at(90), "limit": limit, **known, **said,
    }  # fmt: skip


def test_an_amend_is_approved_with_what_it_changes_and_the_band_of_now() -> None:
    change = approval(**amend(resting(), quantity="1", limit="985"))

    assert isinstance(change, OrderAmendApproved)
    assert (change.quantity, change.limit_price, change.trigger_price) == (1, 985, None)
    assert (change.instrument, change.target_client_order_id) == (BTC, "mine")
    assert (change.price_min, change.price_max) == (980, 1020)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"target_client_order_id": "other", "quantity": "1"}, ("ORDER_UNKNOWN", None, None)),
        ({"instrument": ETH, "quantity": "1"}, ("ORDER_UNKNOWN", None, None)),
        ({"limit": "979.9"}, ("PRICE_OUT_OF_BAND", D("979.9"), 980)),
        ({"limit": "985.05"}, ("PRICE_NOT_TICK", D("985.05"), D("0.1"))),
        ({"quantity": "1.0005"}, ("QUANTITY_NOT_LOT", D("1.0005"), D("0.001"))),
        # more of it: 21 * 990 = 20,790
        ({"quantity": "21"}, ("NOTIONAL_ABOVE_MAX", 20_790, 20_000)),
    ],
)
def test_what_an_amend_may_not_be(said: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert numbers(rejection(**amend(resting(), **said))) == expected


def test_an_amend_that_asks_for_more_is_new_risk_and_one_that_asks_for_less_is_not() -> None:
    halted = facts_of(2, control=HALTED)

    for more in ({"quantity": "2.001"}, {"limit": "990.1"}):
        assert rejection(**amend(resting(), given=halted, **more)).code == "TRADING_HALTED"
    for less in ({"quantity": "1.999"}, {"limit": "989.9"}):
        approval(**amend(resting(), given=halted, **less))


def test_an_amended_order_is_known_as_it_now_is() -> None:
    standing = resting()
    approval(**amend(standing, quantity="1", parts=3))

    halted = facts_of(2, control=HALTED)
    assert rejection(**amend(standing, quantity="1.5", part=2, parts=3, given=halted)).code == "TRADING_HALTED"


def test_an_amended_trigger_lies_on_its_side() -> None:
    standing = resting(limit=None, time_in_force="IOC", trigger=trigger("1010"))

    wrong = rejection(**amend(standing, trigger=trigger("999.9")))
    assert numbers(wrong) == ("TRIGGER_INVALID", D("999.9"), 1000)
    change = approval(
        **amend(resting(limit=None, time_in_force="IOC", trigger=trigger("1010")), trigger=trigger("1020"))
    )
    # about the new trigger: 1020 * 0.98 = 999.6, 1020 * 1.02 = 1040.4
    assert (change.trigger_price, change.price_min, change.price_max) == (1020, D("999.6"), D("1040.4"))


def test_more_is_held_against_the_least_that_was_approved_for_the_venue_may_have_refused_the_amend() -> None:
    standing, halted = resting(), facts_of(2, control=HALTED)
    approval(**amend(standing, quantity="5", limit="995", parts=9))

    for part, more in enumerate(({"quantity": "4"}, {"limit": "991"}), 2):
        said = rejection(**amend(standing, given=halted, part=part, parts=9, **more))
        assert said.code == "TRADING_HALTED"


def test_an_order_under_a_taken_name_does_not_change_what_is_known_of_the_first() -> None:
    standing, halted = resting(), facts_of(2, control=HALTED)
    again = {"limit": "995", "time_in_force": "GTC", "client_order_id": "mine", "parts": 9}
    approval(standing=standing, quantity="9", given=facts_of(2), **again, **times(2))

    assert rejection(**amend(standing, quantity="9", given=halted, part=2, parts=9)).code == "TRADING_HALTED"


def test_only_the_last_hundred_orders_that_may_rest_are_known() -> None:
    standing = Standing()
    for number in range(1, 102):
        approval(
            standing=standing, quantity="0.01", limit="990", time_in_force="GTC", client_order_id=f"o{number}",
            given=facts_of(number), **times(number),
        )  # fmt: skip

    assert len(standing.resting) == 100
    assert "o1" not in standing.resting


def times(number: int) -> dict[str, Any]:
    said = of_round(number)
    return {"round": number, "at": said.at, "deadline": said.deadline, "effective_at": said.effective_at}


def exits(**changes: Any) -> dict[str, Any]:
    return {"action": "change_exits", "quantity": None, "exit_changes": ExitChanges.model_validate(changes)}


def test_exits_are_changed_leg_by_leg_also_while_halted() -> None:
    given = facts(portfolio=portfolio(position("10")), control=HALTED)
    change = approval(given=given, **exits(stop_loss="950", drop=["take_profit"]))

    assert isinstance(change, ExitChangeApproved)
    assert change.changes == ExitChanges(stop_loss=D(950), drop=("take_profit",))
    assert (change.instrument, change.effective_at) == (BTC, at(30))


@pytest.mark.parametrize(
    ("given", "changes", "expected"),
    [
        (LONG, {"stop_loss": "1000"}, ("EXIT_PLAN_INVALID", 1000, 1000)),
        (LONG, {"take_profit": "999.9"}, ("EXIT_PLAN_INVALID", D("999.9"), 1000)),
        (SHORT, {"stop_loss": "999.9"}, ("EXIT_PLAN_INVALID", D("999.9"), 1000)),
        (SHORT, {"take_profit": "1000.1"}, ("EXIT_PLAN_INVALID", D("1000.1"), 1000)),
        (LONG, {"stop_loss": "950", "drop": ["stop_loss"]}, ("EXIT_PLAN_INVALID", None, None)),
        (facts(), {"stop_loss": "950"}, ("NO_POSITION", 0, None)),
    ],
)
def test_what_exits_may_not_become(given: Any, changes: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert numbers(rejection(given=given, **exits(**changes))) == expected


def test_no_action_is_taken_for_a_sale_that_is_none() -> None:
    """Every action has an answer of its own."""
    for said in ({"action": "cancel_orders", "quantity": None}, exits(stop_loss="950")):
        assert not isinstance(approval(given=LONG, **said), OrderApproved)


def test_a_season_may_forbid_to_leave_too_soon_but_not_while_halted() -> None:
    # opened at 0 s, the order arrives at 30 s
    rules = season(hold_min_s=31)
    said: dict[str, Any] = {"action": "close_position", "quantity": None}
    held = portfolio(position("10"))

    assert numbers(rejection(given=facts(season=rules, portfolio=held), **said)) == ("HOLD_TOO_SHORT", 30, 31)
    approval(given=facts(season=rules, portfolio=held, control=HALTED), **said)
    approval(given=facts(season=season(hold_min_s=30), portfolio=held), **said)
    # a sale that is called an entry closes all the same
    assert rejection(given=facts(season=rules, portfolio=held), action="sell_to_enter").code == "HOLD_TOO_SHORT"
    approval(given=facts(season=rules, portfolio=held), action="buy_to_enter")
    stop: dict[str, Any] = {"action": "sell_to_enter", "reduce_only": True, "trigger": trigger("950")}
    approval(given=facts(season=rules, portfolio=held), **stop)
