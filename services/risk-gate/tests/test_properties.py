"""What holds whatever is said."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import chain, combinations

from contracts.base import Event
from contracts.competition import ExposureCap
from contracts.orders import DecisionJudged, OrderAmendApproved, OrderApproved, SignalRejected
from contracts.portfolios import PositionView
from contracts.signals import SignalProposed, Trigger
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from risk_gate.core import ControlState, Facts, RiskGate, Standing
from risk_gate.testing import BTC, ETH, D, approval, facts, portfolio, position, season, signal

prices = st.integers(1, 10**13).map(lambda n: D(n) / 10**4)
quantities = st.integers(1, 10**18).map(lambda n: D(n) / 10**6)
triggers = st.builds(Trigger, kind=st.sampled_from(["stop", "take_profit"]), price=st.integers(900, 1100).map(D))
holdings = st.integers(-20, 20).filter(bool).map(lambda n: position(str(n)))


@st.composite
def decisions(draw: st.DrawFn) -> list[SignalProposed]:
    parts = draw(st.integers(1, 6))
    return [draw(part(number, parts)) for number in range(1, parts + 1)]


@st.composite
def part(draw: st.DrawFn, number: int, parts: int) -> SignalProposed:
    limit = draw(st.none() | prices.map(str) | st.integers(980, 1020).map(str))
    action = draw(
        st.sampled_from(["buy_to_enter", "sell_to_enter", "hold", "close_position", "cancel_orders", "amend_order"])
    )
    enters = action in ("buy_to_enter", "sell_to_enter")
    quantity = draw(quantities | st.integers(1, 20_000).map(lambda n: D(n) / 1000))
    return signal(
        str(quantity), part=number, parts=parts, limit=limit, instrument=draw(st.sampled_from([BTC, ETH])),
        action=action, reduce_only=enters and draw(st.booleans()),
        trigger=draw(st.none() | triggers) if enters else None,
        time_in_force=draw(st.sampled_from(["GTC", "IOC"])) if limit else "IOC",
        client_order_id=f"o{number}", target_client_order_id=f"o{draw(st.integers(0, number))}",
        leverage=draw(st.none() | st.integers(1, 200).map(D)),
    )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(decisions(), st.integers(-5_000, 20_000))
def test_every_part_gets_one_verdict_and_the_decision_one_judgement(said: list[SignalProposed], free: int) -> None:
    standing, given_ = Standing(), facts(portfolio=portfolio(available=str(free)))

    events = [event for each in said for event in RiskGate().decide(standing, each, given_)]

    last = events[-1]
    assert isinstance(last, DecisionJudged)
    assert last.approved + last.rejected + last.held == len(said)
    assert last.rejected == sum(isinstance(event, SignalRejected) for event in events)
    assert len(events) == len(said) - last.held + 1


@settings(max_examples=200, deadline=None)
@given(decisions(), st.integers(0, 20_000))
def test_what_is_approved_never_needs_more_margin_than_is_free(said: list[SignalProposed], free: int) -> None:
    standing, given_ = Standing(), facts(portfolio=portfolio(available=str(free)))

    orders = [event for event in judged(said, given_, standing) if isinstance(event, OrderApproved)]

    # whichever of them fill: initial margin of what each may open, nothing netted
    for order in orders:
        assert order.leverage <= 10 or order.reduce_only
    entering = [order for order in orders if not order.reduce_only]
    assert all(order.quantity * (order.limit_price or 1) <= 20_000 for order in entering)
    for some in subsets(entering):
        bought = (sum((signed(each) for each in some if each.instrument == name), D(0)) for name in (BTC, ETH))
        # no trigger lies below 900, no leverage is above 10
        assert sum((abs(quantity) * 900 / 10 for quantity in bought), D(0)) <= max(free, 0)


def judged(said: Sequence[SignalProposed], given_: Facts, standing: Standing) -> list[Event]:
    return [event for each in said for event in RiskGate().decide(standing, each, given_)]


def subsets(orders: list[OrderApproved]) -> chain[tuple[OrderApproved, ...]]:
    return chain.from_iterable(combinations(orders, size) for size in range(len(orders) + 1))


def signed(order: OrderApproved) -> Decimal:
    return order.quantity if order.side == "buy" else -order.quantity


@settings(max_examples=200, deadline=None)
@given(decisions(), st.none() | holdings)
def test_caps_hold_whichever_of_the_approved_orders_fill(said: list[SignalProposed], held: PositionView | None) -> None:
    caps = [ExposureCap(name="gross", gross_max=D(15_000)), ExposureCap(name="net", net_max=D(9_000))]
    before = held.quantity if held is not None else D(0)
    given_ = facts(
        season=season(exposure=caps, position_notional_max=D(12_000)),
        portfolio=portfolio(*([held] if held is not None else []), available="1000000"),
    )
    orders = [event for event in judged(said, given_, Standing()) if isinstance(event, OrderApproved)]

    entering = [order for order in orders if not order.reduce_only and order.trigger is None]
    for some in subsets(entering):
        after: dict[str, Decimal] = {BTC: before, ETH: D(0)}
        for order in some:
            after[order.instrument] += signed(order)
        # what is held already may be above a cap; no order may add to it
        for name, was in ((BTC, before), (ETH, D(0))):
            assert abs(after[name]) * 1000 <= max(D(12_000), abs(was) * 1000)
        assert sum(map(abs, after.values()), D(0)) * 1000 <= max(D(15_000), abs(before) * 1000)
        assert abs(sum(after.values(), D(0))) * 1000 <= max(D(9_000), abs(before) * 1000)


@settings(max_examples=200, deadline=None)
@given(decisions(), st.sampled_from(["operator", "breaker"]), holdings)
def test_whoever_is_halted_takes_no_new_risk_and_always_gets_out(
    said: list[SignalProposed], why: str, held: PositionView
) -> None:
    standing, control = Standing(), ControlState()
    rests = {"quantity": "2", "limit": "990", "time_in_force": "GTC", "client_order_id": "o0"}
    approval(standing=standing, parts=200, part=200 - 1, **rests)
    if why == "operator":
        control.halts.append("*/*")
    else:
        standing.breakers["equity_drop"].state = "tripped"
    given_ = facts(portfolio=portfolio(held), control=control)

    for each in said:
        events = RiskGate().decide(standing, each, given_)
        for event in events:
            if isinstance(event, OrderApproved):
                assert event.reduce_only
            if isinstance(event, OrderAmendApproved) and event.target_client_order_id == "o0":
                assert event.quantity is None or event.quantity <= 2
                assert event.limit_price is None or event.limit_price <= 990
        if each.action in ("close_position", "cancel_orders") and each.instrument == BTC:
            assert not [event for event in events if isinstance(event, SignalRejected)]


@settings(max_examples=100, deadline=None)
@given(decisions(), st.integers(0, 6))
def test_the_same_signals_get_the_same_verdicts_also_across_a_restart(said: list[SignalProposed], cut: int) -> None:
    codec, given_ = TypeAdapter(Standing), facts(portfolio=portfolio(position("3")))
    whole = judged(said, given_, Standing())
    standing = Standing()
    first = judged(said[:cut], given_, standing)

    rest = judged(said[cut:], given_, codec.validate_json(codec.dump_json(standing)))

    assert [*first, *rest] == whole
