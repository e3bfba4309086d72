"""What the gate says, with numbers worked by hand.

BTC: mark 1000, tick 0.1, lot 0.001, from 0.002 to 100, at least 5 USD, taker fee 5 bp. Season: leverage to 10, orders
to 20,000 USD, positions to 30,000 USD, two at most, band 2 %. Account: 10,000 USD free.
"""

# mypy: no-strict-equality
# (whole numbers beside decimals read better in a tuple of expectations)

from decimal import Decimal
from typing import Any

import pytest
from contracts.base import Event
from contracts.orders import DecisionJudged, OrderApproved, SignalRejected
from contracts.signals import ExitPlan
from risk_gate.core import ControlState, Facts, RiskGate, Standing
from risk_gate.testing import (
    BTC,
    ETH,
    D,
    approval,
    at,
    book,
    facts,
    listed,
    mark,
    missed,
    numbers,
    portfolio,
    position,
    rejection,
    season,
    signal,
)

gate = RiskGate()


def test_an_order_within_all_limits_is_approved_with_every_check_it_passed() -> None:
    order = approval(quantity="2", client_order_id="mine", traceparent="00-trace")

    assert (order.side, order.quantity, order.order_type, order.time_in_force) == ("buy", 2, "market", "IOC")
    assert (order.price_min, order.price_max, order.leverage, order.reduce_only) == (980, 1020, 5, False)
    assert (order.at, order.effective_at, order.part) == (at(20), at(30), 1)
    assert (order.client_order_id, order.traceparent) == ("mine", "00-trace")
    assert order.event_id == signal().child_id(0)
    checks = {check.rule: (check.value, check.limit) for check in order.checks}
    assert checks["price_fresh"] == (1, 10)
    assert checks["notional_max"] == (2000, 20_000)
    assert "price_tick" not in checks, "it has no price of its own"


def test_the_band_lies_on_ticks_inside_the_band() -> None:
    order = approval(given=facts(mark=mark(price="1003.33")))

    # 983.2634 and 1023.3966
    assert (order.price_min, order.price_max) == (D("983.3"), D("1023.3"))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"quantity": "0.001"}, ("QUANTITY_BELOW_MIN", D("0.001"), D("0.002"))),
        ({"quantity": "100.001"}, ("QUANTITY_ABOVE_MAX", D("100.001"), D(100))),
        ({"quantity": "1.0005"}, ("QUANTITY_NOT_LOT", D("1.0005"), D("0.001"))),
        ({"limit": "999.95"}, ("PRICE_NOT_TICK", D("999.95"), D("0.1"))),
        ({"limit": "1020.1"}, ("PRICE_OUT_OF_BAND", D("1020.1"), D(1020))),
        ({"limit": "979.9"}, ("PRICE_OUT_OF_BAND", D("979.9"), D(980))),
        ({"leverage": D("10.1")}, ("LEVERAGE_ABOVE_MAX", D("10.1"), D(10))),
        ({"quantity": "0.004"}, ("NOTIONAL_BELOW_MIN", D(4), D(5))),
        ({"quantity": "20.001", "leverage": D(10)}, ("NOTIONAL_ABOVE_MAX", D(20_001), D(20_000))),
        ({"at": at(30.5)}, ("LATE", D("0.5"), D(0))),
        ({"instrument": "XRP-USDT-PERP"}, ("INSTRUMENT_NOT_ALLOWED", None, None)),
    ],
)
def test_what_the_order_itself_breaks(said: dict[str, Any], expected: tuple[str, Any, Any]) -> None:
    assert numbers(rejection(**said)) == expected


@pytest.mark.parametrize(
    "said",
    [{"quantity": "0.005"}, {"limit": "1020"}, {"limit": "980"}, {"quantity": "20", "leverage": D(10)}, {"at": at(30)}],
)
def test_exactly_at_a_limit_is_allowed(said: dict[str, Any]) -> None:
    approval(**said)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"season": None}, "INSTRUMENT_NOT_ALLOWED"),
        ({"instrument": None}, "INSTRUMENT_UNKNOWN"),
        ({"portfolio": None}, "PORTFOLIO_MISSING"),
        ({"mark": None}, "PRICE_MISSING"),
        ({"book": None}, "PRICE_MISSING"),
        ({"book": book(bid="1000", ask="1000")}, "BOOK_CROSSED"),
        ({"book": book().model_copy(update={"suspended": "silent"})}, "INSTRUMENT_SUSPENDED"),
        ({"mark": mark(19.9)}, "PRICE_STALE"),
        ({"book": book(19.9)}, "PRICE_STALE"),
    ],
)
def test_what_the_world_lacks(given: dict[str, Any], code: str) -> None:
    assert rejection(given=facts(**given)).code == code


def test_a_price_is_stale_by_the_moment_at_which_the_order_trades() -> None:
    assert numbers(rejection(given=facts(mark=mark(19)))) == ("PRICE_STALE", 11, 10)
    approval(given=facts(mark=mark(20)))


def test_live_a_price_is_stale_by_now_and_a_market_that_stopped_counts() -> None:
    live = season(clock="live")

    approval(given=facts(season=live, mark=mark(11), book=book(11), as_of=at(19)))
    stopped = rejection(given=facts(season=live, mark=mark(5), book=book(5), as_of=at(5)))
    assert numbers(stopped) == ("PRICE_STALE", 15, 10)


def test_the_lower_leverage_cap_of_season_and_instrument_counts() -> None:
    assert numbers(rejection(leverage=D(4), given=facts(instrument=listed(leverage_max=D(3))))) == (
        "LEVERAGE_ABOVE_MAX", 4, 3,
    )  # fmt: skip


def test_leverage_left_out_is_one() -> None:
    assert approval(leverage=None).leverage == 1


@pytest.mark.parametrize(
    ("action", "plan", "wrong"),
    [
        ("buy_to_enter", ExitPlan(take_profit=D(1000)), D(1000)),
        ("buy_to_enter", ExitPlan(take_profit=D(1100), stop_loss=D("1000.1")), D("1000.1")),
        ("sell_to_enter", ExitPlan(take_profit=D(1001)), D(1001)),
        ("sell_to_enter", ExitPlan(stop_loss=D(990)), D(990)),
    ],
)
def test_an_exit_plan_on_the_wrong_side_is_invalid(action: str, plan: ExitPlan, wrong: Decimal) -> None:
    assert numbers(rejection(action=action, exit_plan=plan)) == ("EXIT_PLAN_INVALID", wrong, 1000)


def test_an_exit_plan_goes_into_the_order_as_it_was_said() -> None:
    plan = ExitPlan(take_profit=D("1100.123"), stop_loss=D("900.456"))
    short = ExitPlan(take_profit=D(900), stop_loss=D(1100))

    assert approval(exit_plan=plan).exit_plan == plan
    assert approval(action="sell_to_enter", exit_plan=short).exit_plan == short
    assert approval(limit="990", exit_plan=ExitPlan(take_profit=D(995))).exit_plan == ExitPlan(take_profit=D(995))


def test_the_position_after_the_order_is_held_against_its_limit() -> None:
    held = facts(portfolio=portfolio(position("20")))

    assert numbers(rejection(quantity="10.001", given=held)) == ("POSITION_ABOVE_MAX", 30_001, 30_000)
    approval(quantity="10", given=held)
    approval(quantity="20", action="sell_to_enter", given=held)


def test_no_more_positions_than_allowed_but_those_there_are_may_grow() -> None:
    held = facts(portfolio=portfolio(position("1", instrument=ETH), position("1", instrument="SOL-USDT-PERP")))

    assert numbers(rejection(given=held)) == ("POSITIONS_ABOVE_MAX", 3, 2)
    approval(given=facts(portfolio=portfolio(position("1"), position("1", instrument=ETH))))


def test_margin_is_held_against_the_worst_fill_in_the_band() -> None:
    # 10 BTC at 5x: 2,000 initial margin; bought at 1,020: 200 lost; fee 10 * 1,020 * 0.0005 = 5.1
    enough, short = facts(portfolio=portfolio(available="2205.1")), facts(portfolio=portfolio(available="2205.09"))

    approval(quantity="10", given=enough)
    assert numbers(rejection(quantity="10", given=short)) == ("MARGIN_INSUFFICIENT", D("2205.1"), D("2205.09"))
    # a limit at the mark loses nothing: 2,000 + 10 * 1,000 * 0.0005
    approval(quantity="10", limit="1000", given=facts(portfolio=portfolio(available="2005")))


def test_margin_of_a_sale() -> None:
    # 2,000 initial margin; sold at 980: 200 lost; fee on the mark 5
    approval(quantity="10", action="sell_to_enter", given=facts(portfolio=portfolio(available="2205")))
    short = facts(portfolio=portfolio(available="2204.99"))
    assert rejection(quantity="10", action="sell_to_enter", given=short).code == "MARGIN_INSUFFICIENT"


def test_orders_approved_since_the_portfolio_use_up_its_margin() -> None:
    standing, given = Standing(), facts(portfolio=portfolio(available="4000"))

    approval(quantity="10", standing=standing, given=given, parts=3)
    second = rejection(quantity="10", instrument=ETH, part=2, parts=3, standing=standing, given=given)

    assert numbers(second) == ("MARGIN_INSUFFICIENT", D("2205.1"), D("1794.9"))
    standing.begin(2)
    assert standing.approved_margin == 0


def test_orders_approved_since_count_as_positions_and_as_position_size() -> None:
    standing, given = Standing(), facts(portfolio=portfolio(position("1", instrument="SOL-USDT-PERP")))

    approval(quantity="15", standing=standing, given=given, leverage=D(10), parts=4)
    assert rejection(instrument=ETH, part=2, parts=4, standing=standing, given=given).code == "POSITIONS_ABOVE_MAX"
    more = rejection(quantity="15.001", leverage=D(10), part=3, parts=4, standing=standing, given=given)
    assert numbers(more) == ("POSITION_ABOVE_MAX", D(30_001), D(30_000))


def test_a_flip_needs_margin_for_what_it_opens_and_frees_what_it_closes() -> None:
    # long 10 at 5x holds 2,000. Selling 20 opens 10 short: 2,000 + 20 * 20 lost + 20 * 1,000 * 0.0005 = 2,410
    given = facts(portfolio=portfolio(position("10"), available="410"))

    approval(quantity="20", action="sell_to_enter", given=given)
    short = facts(portfolio=portfolio(position("10"), available="409.99"))
    assert numbers(rejection(quantity="20", action="sell_to_enter", given=short)) == (
        "MARGIN_INSUFFICIENT", D(2410), D("2409.99"),
    )  # fmt: skip


def test_closing_first_frees_margin_for_the_next_part() -> None:
    standing = Standing()
    given = facts(portfolio=portfolio(position("10"), available="300"))

    approval(action="close_position", quantity=None, standing=standing, given=given)
    approval(quantity="10", instrument=ETH, part=2, parts=3, standing=standing, given=given, limit="1000")


def test_closing_sells_the_whole_position_whatever_the_limits() -> None:
    given = facts(portfolio=portfolio(position("30.0005", leverage="40"), available="-5"))

    order = approval(action="close_position", quantity=None, leverage=None, given=given)

    assert (order.side, order.quantity, order.reduce_only, order.order_type) == ("sell", D("30.0005"), True, "market")
    assert (order.leverage, order.exit_plan, order.time_in_force) == (40, None, "IOC")
    short = facts(portfolio=portfolio(position("-2")))
    assert approval(action="close_position", quantity=None, given=short).side == "buy"


def test_closing_what_is_not_held_is_rejected() -> None:
    assert rejection(action="close_position", quantity=None).code == "NO_POSITION"


def test_a_halted_competitor_takes_no_new_risk() -> None:
    halted = facts(control=ControlState(halts=["ann/*"]))

    assert rejection(given=halted).code == "TRADING_HALTED"


def test_a_halt_of_an_instrument_stops_new_risk_in_it_alone() -> None:
    halted = facts(control=ControlState(halts=[f"*/{ETH}", f"bob/{BTC}"]))

    said = rejection(given=halted, instrument=ETH)
    assert (said.code, said.detail) == (
        "TRADING_HALTED", "an operator has halted new risk; reduce_only, close_position and cancels pass",
    )  # fmt: skip
    approval(given=halted)


def test_a_part_counts_once_and_a_past_round_not_at_all() -> None:
    standing = Standing()
    approval(standing=standing, parts=3)

    assert rejection(standing=standing, parts=3).code == "DUPLICATE"
    standing.begin(5)
    assert numbers(rejection(standing=standing, round=4, parts=3)) == ("ROUND_CLOSED", 4, 5)


def test_a_decision_is_judged_after_its_last_part_with_its_counts() -> None:
    standing = Standing()
    first = gate.decide(standing, signal(part=1, parts=3), facts())
    second = gate.decide(standing, signal(part=2, parts=3, action="hold", quantity=None), facts())
    last = gate.decide(standing, signal("0.001", part=3, parts=3), facts())

    assert [type(event) for event in (*first, *second, *last)] == [OrderApproved, SignalRejected, DecisionJudged]
    judged = last[1]
    assert isinstance(judged, DecisionJudged)
    assert (judged.answered, judged.approved, judged.rejected, judged.held) == (True, 1, 1, 1)


def test_holding_everything_is_an_answer() -> None:
    (judged,) = gate.decide(Standing(), signal(None, action="hold", instrument=None), Facts())

    assert isinstance(judged, DecisionJudged)
    assert (judged.answered, judged.approved, judged.rejected, judged.held) == (True, 0, 0, 1)


def test_a_missed_decision_is_judged_as_unanswered() -> None:
    (judged,) = gate.decide(Standing(), missed(), Facts())

    assert isinstance(judged, DecisionJudged)
    assert (judged.answered, judged.approved, judged.rejected, judged.held) == (False, 0, 0, 0)


def test_a_round_is_judged_once() -> None:
    standing = Standing()
    gate.decide(standing, signal(), facts())

    again = gate.decide(standing, signal(), facts())
    late = gate.decide(standing, missed(), facts())

    assert [type(event) for event in (*again, *late)] == [SignalRejected]
    assert isinstance(gate.decide(standing, missed(2), facts())[0], DecisionJudged)


def test_the_same_inputs_give_the_same_verdicts() -> None:
    def verdicts() -> list[Event]:
        standing, said = Standing(), [signal(part=1, parts=2), signal("0.001", part=2, parts=2, instrument=BTC)]
        return [event for each in said for event in gate.decide(standing, each, facts())]

    assert verdicts() == verdicts()
