"""What holds whatever comes in, in whatever order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from contracts.base import Event
from contracts.executions import FundingSettled, OrderAccepted, OrderCancelled, OrderFilled
from contracts.market import BookUpdated
from contracts.orders import OrderApproved
from contracts.signals import ExitPlan
from hypothesis import given, settings
from hypothesis import strategies as st
from order_executor.core import Venue
from order_executor.testing import BTC, D, Fact, book, feed, mark, new_venue, order

ZERO = D(0)
Input = OrderApproved | Fact | float

prices = st.integers(90, 110)
sizes = st.integers(1, 40).map(lambda n: D(n) / 10)


@st.composite
def books(draw: st.DrawFn, t: float) -> Fact:
    bid = draw(prices)
    ask = bid + draw(st.integers(1, 3))
    bids = " ".join(f"{bid - n}x{draw(sizes)}" for n in range(draw(st.integers(0, 3))))
    asks = " ".join(f"{ask + n}x{draw(sizes)}" for n in range(draw(st.integers(0, 3))))
    return book(t, bids, asks)


@st.composite
def plans(draw: st.DrawFn) -> ExitPlan | None:
    low, high = draw(st.integers(88, 99)), draw(st.integers(100, 112))
    return draw(st.sampled_from([None, ExitPlan(take_profit=D(high), stop_loss=D(low))]))


@st.composite
def orders(draw: st.DrawFn, t: float, n: int) -> OrderApproved:
    limit = draw(st.none() | prices.map(str))
    tif = draw(st.sampled_from(["GTC", "IOC", "FOK", "POST_ONLY"])) if limit else "IOC"
    return order(
        n, draw(st.sampled_from(["buy", "sell"])), str(draw(sizes)), t + draw(st.integers(-1, 3)), limit=limit,
        time_in_force=tif, reduce_only=draw(st.booleans()), competitor_id=draw(st.sampled_from(["ann", "bob"])),
        price_min="92", price_max="108", exit_plan=draw(plans()),
    )  # fmt: skip


@st.composite
def days(draw: st.DrawFn) -> list[Input]:
    inputs: list[Input] = []
    for t in range(draw(st.integers(3, 25))):
        what = draw(st.sampled_from(["book", "book", "order", "order", "mark", "time"]))
        if what == "book":
            inputs.append(draw(books(t)))
        elif what == "order":
            inputs.append(draw(orders(t, t + 1)))
        elif what == "mark":
            inputs.append(mark(t, str(draw(prices)), rate="0.0003", stamp=(t // 7 + 1) * 7))
        else:
            inputs.append(float(t))
    return [*inputs, 100.0]


@dataclass
class Books:
    """Independent of the venue's own accounts: sums over what it said."""

    cash: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    quantity: Decimal = ZERO
    after: Decimal = ZERO


def summed(events: Sequence[Event]) -> dict[str, Books]:
    totals: dict[str, Books] = defaultdict(Books)
    for event in events:
        if isinstance(event, OrderFilled):
            total = totals[event.competitor_id]
            signed = event.quantity if event.side == "buy" else -event.quantity
            total.quantity += signed
            total.cash -= signed * event.price
            total.fees += event.fee
            total.after = event.position_after
        elif isinstance(event, FundingSettled):
            totals[event.competitor_id].funding += event.payment
    return totals


def run(inputs: Sequence[Input]) -> tuple[Venue, list[Event]]:
    venue = new_venue()
    return venue, feed(venue, *inputs)


@settings(max_examples=100, deadline=None)
@given(days())
def test_positions_and_money_are_the_sums_of_what_was_said(inputs: list[Input]) -> None:
    venue, events = run(inputs)

    totals = summed(events)
    for account in venue.accounts.values():
        total, position = totals[account.competitor_id], account.position(BTC)
        assert position.quantity == total.quantity == total.after
        assert (account.fees, account.funding) == (total.fees, total.funding)
        # realised profit less the cost of what is held is the cash that went in and out, to the last decimal
        assert account.realised_pnl - position.cost == total.cash


@settings(max_examples=100, deadline=None)
@given(days())
def test_every_order_is_conserved_and_reduce_only_never_flips(inputs: list[Input]) -> None:
    _, events = run(inputs)

    accepted = {event.order_id: event for event in events if isinstance(event, OrderAccepted)}
    left = {order_id: event.quantity for order_id, event in accepted.items()}
    held: dict[str, Decimal] = defaultdict(lambda: D(0))
    for event in events:
        if isinstance(event, OrderFilled):
            left[event.order_id] -= event.quantity
            before, held[event.competitor_id] = held[event.competitor_id], event.position_after
            assert event.remaining == left[event.order_id] >= 0
            if accepted[event.order_id].reduce_only:
                assert before * event.position_after >= 0
                assert abs(event.position_after) < abs(before)
        elif isinstance(event, OrderCancelled):
            assert event.remaining == left.pop(event.order_id)


@settings(max_examples=100, deadline=None)
@given(days())
def test_no_fill_is_outside_the_band_or_better_than_the_book(inputs: list[Input]) -> None:
    shown = {each.event.sequence: each.event for each in inputs if isinstance(each, Fact) and is_book(each)}
    _, events = run(inputs)

    for event in events:
        if isinstance(event, OrderFilled):
            seen: BookUpdated = shown[event.book_sequence]
            best = (seen.asks if event.side == "buy" else seen.bids)[0][0]
            assert event.price >= best if event.side == "buy" else event.price <= best
            assert event.purpose != "decision" or 92 <= event.price <= 108


@settings(max_examples=100, deadline=None)
@given(days())
def test_nobody_gets_more_of_one_book_than_it_showed(inputs: list[Input]) -> None:
    shown = {each.event.sequence: each.event for each in inputs if isinstance(each, Fact) and is_book(each)}
    _, events = run(inputs)

    taken: dict[tuple[str, int, str], Decimal] = defaultdict(lambda: D(0))
    for event in events:
        if isinstance(event, OrderFilled):
            taken[event.competitor_id, event.book_sequence, event.side] += event.quantity
    for (_, sequence, side), quantity in taken.items():
        assert quantity <= sum(size for _, size in (shown[sequence].asks if side == "buy" else shown[sequence].bids))


@settings(max_examples=60, deadline=None)
@given(days(), st.randoms(use_true_random=False))
def test_the_same_inputs_give_the_same_events_and_competitors_never_meet(inputs: list[Input], chance: Any) -> None:
    _, events = run(inputs)
    alone = [each for each in inputs if not isinstance(each, OrderApproved) or each.competitor_id == "ann"]
    shuffled = list(inputs)
    # orders known in advance may come in any order among themselves: their moments decide
    early = [each for each in shuffled if isinstance(each, OrderApproved)]
    rest = [each for each in shuffled if not isinstance(each, OrderApproved)]
    chance.shuffle(early)

    assert run(inputs)[1] == events
    assert run(alone)[1] == [event for event in events if event.key == "ann"]
    assert run([*early, *rest])[1] == run([*sorted(early, key=lambda each: each.round), *rest])[1]


def is_book(fact: Fact) -> bool:
    return fact.kind == "book_updated"
