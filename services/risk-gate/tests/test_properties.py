"""What holds whatever is said."""

from decimal import Decimal

from contracts.orders import DecisionJudged, OrderApproved, SignalRejected
from contracts.signals import SignalProposed
from hypothesis import given, settings
from hypothesis import strategies as st
from risk_gate.core import RiskGate, Standing
from risk_gate.testing import BTC, ETH, D, facts, portfolio, signal

prices = st.integers(1, 10**13).map(lambda n: D(n) / 10**4)
quantities = st.integers(1, 10**18).map(lambda n: D(n) / 10**6)


@st.composite
def decisions(draw: st.DrawFn) -> list[SignalProposed]:
    parts = draw(st.integers(1, 6))
    return [draw(part(number, parts)) for number in range(1, parts + 1)]


@st.composite
def part(draw: st.DrawFn, number: int, parts: int) -> SignalProposed:
    limit = draw(st.none() | prices.map(str) | st.integers(980, 1020).map(str))
    quantity = draw(quantities | st.integers(1, 20_000).map(lambda n: D(n) / 1000))
    return signal(
        str(quantity), part=number, parts=parts, limit=limit, instrument=draw(st.sampled_from([BTC, ETH])),
        action=draw(st.sampled_from(["buy_to_enter", "sell_to_enter", "hold", "close_position"])),
        leverage=draw(st.none() | st.integers(1, 200).map(D)),
    )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(decisions(), st.integers(-5_000, 20_000))
def test_every_part_gets_one_verdict_and_the_decision_one_judgement(said: list[SignalProposed], free: int) -> None:
    standing, given_ = Standing(), facts(portfolio=portfolio(available=str(free)))

    events = [event for each in said for event in RiskGate().decide(standing, each, given_)]

    orders = [event for event in events if isinstance(event, OrderApproved)]
    judged = events[-1]
    assert isinstance(judged, DecisionJudged)
    assert judged.approved + judged.rejected + judged.held == len(said)
    assert judged.approved == len(orders)
    assert judged.rejected == sum(isinstance(event, SignalRejected) for event in events)
    assert len(events) == len(said) - judged.held + 1


@settings(max_examples=200, deadline=None)
@given(decisions(), st.integers(0, 20_000))
def test_what_is_approved_never_needs_more_margin_than_is_free(said: list[SignalProposed], free: int) -> None:
    standing, given_ = Standing(), facts(portfolio=portfolio(available=str(free)))

    orders = [
        event
        for each in said
        for event in RiskGate().decide(standing, each, given_)
        if isinstance(event, OrderApproved)
    ]

    # however they fill: margin at the mark of what ends up held, were nothing netted between the two instruments
    held: dict[str, Decimal] = {}
    leverage: dict[str, Decimal] = {}
    for order in orders:
        signed = order.quantity if order.side == "buy" else -order.quantity
        held[order.instrument] = held.get(order.instrument, D(0)) + signed
        leverage[order.instrument] = min(order.leverage, leverage.get(order.instrument, D(200)))
        assert order.quantity * (order.limit_price or 1000) <= 20_000
        assert order.leverage <= 10
    assert sum(abs(held[name]) * 1000 / D(10) for name in held) <= max(free, 0)
