"""What holds whatever comes in, in whatever order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from contracts.base import Event
from contracts.executions import (
    FundingSettled,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    PositionLiquidated,
)
from contracts.market import BookUpdated
from contracts.signals import ExitPlan
from contracts.types import Side
from hypothesis import given, settings
from hypothesis import strategies as st
from order_executor.core import Market, Venue
from order_executor.core.margins import Margins
from order_executor.testing import (
    BTC,
    ETH,
    D,
    Fact,
    Input,
    amend,
    at,
    book,
    cancel,
    feed,
    flatten,
    mark,
    new_venue,
    order,
    tiers,
    trade,
    trigger,
)

ZERO = D(0)
TIERS = tiers(("1", "50", "0.01"), ("2", "25", "0.02"), ("3", "20", "0.03"), ("1000", "10", "0.05"))
"""Small enough that a few orders climb through them."""

prices = st.integers(90, 110)
sizes = st.integers(1, 60).map(lambda n: D(n) / 10)
sides: st.SearchStrategy[Side] = st.sampled_from(["buy", "sell"])
depths = st.sampled_from([3, 2, 1, 3, 2, 1, 3, 0])
names = st.sampled_from(["ann", "bob"])
marks = st.sampled_from(["100", "99", "101", "97", "103", "95", "105", "90", "110", "60", "140"])
rarely = st.sampled_from([False, False, False, False, False, True])
instruments = st.sampled_from([BTC, BTC, ETH])


@st.composite
def books(draw: st.DrawFn, t: float) -> Fact:
    bid = draw(prices)
    ask = bid + draw(st.integers(1, 3))
    bids = " ".join(f"{bid - n}x{draw(sizes)}" for n in range(draw(depths)))
    asks = " ".join(f"{ask + n}x{draw(sizes)}" for n in range(draw(depths)))
    return book(t, bids, asks, instrument=draw(instruments))


@st.composite
def plans(draw: st.DrawFn) -> ExitPlan | None:
    low, high = draw(st.integers(88, 99)), draw(st.integers(100, 112))
    return draw(st.sampled_from([None, ExitPlan(take_profit=D(high), stop_loss=D(low))]))


@st.composite
def orders(draw: st.DrawFn, t: float, n: int) -> Input:
    limit = draw(st.none() | prices.map(str))
    tif = draw(st.sampled_from(["GTC", "GTC", "IOC", "FOK", "POST_ONLY"])) if limit else "IOC"
    waits = draw(st.sampled_from([None, None, None, trigger("stop", "104"), trigger("take_profit", "97", "last")]))
    return order(
        n, draw(sides), str(draw(sizes)), t + draw(st.integers(-1, 3)), limit=limit, instrument=draw(instruments),
        time_in_force=tif, reduce_only=draw(rarely), competitor_id=draw(names), price_min="92", price_max="108",
        exit_plan=draw(plans()), leverage=str(draw(st.sampled_from([2, 10, 25, 50]))), trigger=waits,
        margin_mode=draw(st.sampled_from([None, None, "cross", "isolated"])),
        client_order_id="c1" if draw(rarely) else f"c{n}", expires_at=at(t + 4) if draw(rarely) else None,
    )  # fmt: skip


@st.composite
def instructions(draw: st.DrawFn, t: float, n: int) -> Input:
    who, target, instrument = draw(names), f"c{draw(st.integers(1, n))}", draw(instruments)
    what = draw(st.integers(0, 2))
    if what == 0:
        return cancel(n, t, draw(st.sampled_from(["", target])), competitor_id=who, instrument=instrument)
    if what == 1:
        return flatten(n, t, draw(sides), str(draw(sizes)), competitor_id=who, instrument=instrument)
    change = {draw(st.sampled_from(["quantity", "limit_price"])): D(draw(st.integers(1, 100)))}
    band = {"price_min": D(92), "price_max": D(108)}
    return amend(n, t, target, competitor_id=who, instrument=instrument, **change, **band)


@st.composite
def days(draw: st.DrawFn) -> list[Input]:
    inputs: list[Input] = [book(0, "99x5 98x5", "101x5 102x5", instrument=name) for name in (BTC, ETH)]
    inputs += [mark(0, "100", rate="0.0003", stamp=7, instrument=name) for name in (BTC, ETH)]
    for t in range(1, draw(st.integers(10, 40))):
        what = draw(st.sampled_from([
            "order", "order", "order", "book", "book", "trade", "trade", "mark", "mark", "instruction", "time",
        ]))  # fmt: skip
        if what == "book":
            inputs.append(draw(books(t)))
        elif what == "order":
            inputs.append(draw(orders(t, t + 1)))
        elif what == "trade":
            inputs.append(trade(t, draw(sides), str(draw(prices)), str(draw(sizes)), instrument=draw(instruments)))
        elif what == "mark":
            price, instrument = (
                str(draw(st.sampled_from([100, 99, 101, 97, 103, 95, 105, 90, 110, 60, 140]))),
                draw(instruments),
            )
            inputs.append(mark(t, price, rate="0.0003", stamp=(t // 7 + 1) * 7, instrument=instrument, last="100"))
        elif what == "instruction":
            inputs.append(draw(instructions(t, t + 1)))
        else:
            inputs.append(float(t))
    return [*inputs, 100.0]


capitals = st.sampled_from(["10000", "80", "40"])


def made(capital: str) -> Venue:
    return new_venue(capital=capital, margin_tiers=TIERS)


def run(inputs: Sequence[Input], capital: str) -> tuple[Venue, list[Event]]:
    venue = made(capital)
    return venue, feed(venue, *inputs)


@dataclass
class Books:
    """Independent of the venue's own accounts: sums over what it said."""

    cash: Decimal = ZERO
    """Of the competitor, from trades alone."""
    fees: Decimal = ZERO
    liquidation_fees: Decimal = ZERO
    funding: Decimal = ZERO
    insurance: Decimal = ZERO
    written_off: Decimal = ZERO
    market: Decimal = ZERO
    """Of whoever trades with the competitor and its fund, and pays or gets its funding."""


def summed(events: Sequence[Event]) -> dict[str, Books]:
    totals: dict[str, Books] = defaultdict(Books)
    for event in events:
        total = totals[event.key]
        if isinstance(event, OrderFilled):
            signed = event.quantity if event.side == "buy" else -event.quantity
            total.cash -= signed * event.price
            total.market += signed * event.price
            total.fees += event.fee
        elif isinstance(event, FundingSettled):
            total.funding += event.payment
            total.market += event.payment
        elif isinstance(event, PositionLiquidated):
            total.liquidation_fees += event.fee
            total.insurance += event.insurance_change
            total.written_off += event.written_off
            if event.step == "taken_over" and event.price is not None:  # the fund traded with it, and then at the mark
                total.market += event.quantity * event.price - event.quantity * event.mark_price
    return totals


@settings(max_examples=80, deadline=None)
@given(days(), capitals)
def test_money_is_conserved_to_the_last_decimal(inputs: list[Input], capital: str) -> None:
    venue, events = run(inputs, capital)

    for key, books in summed(events).items():
        competitor = books.cash - books.fees - books.liquidation_fees - books.funding
        assert competitor + books.fees + books.insurance + books.market - books.written_off == 0
        (account,) = (each for each in venue.accounts.values() if each.competitor_id == key)
        cost = sum((position.cost for position in account.positions.values()), ZERO)
        # realised profit less the cost of what is held is the cash that went in and out
        assert account.realised_pnl - cost == books.cash
        assert account.cash - cost == D(capital) + competitor
        assert (account.insurance, account.written_off) == (books.insurance, books.written_off)
        assert (account.fees, account.funding) == (books.fees + books.liquidation_fees, books.funding)


@settings(max_examples=60, deadline=None)
@given(days(), capitals)
def test_a_position_is_the_sum_of_its_fills(inputs: list[Input], capital: str) -> None:
    venue, events = run(inputs, capital)

    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for event in events:
        if isinstance(event, OrderFilled):
            held[event.key, event.instrument] += event.quantity if event.side == "buy" else -event.quantity
            assert event.position_after == held[event.key, event.instrument]
    for account in venue.accounts.values():
        for instrument in (BTC, ETH):
            assert account.held(instrument) == held[account.competitor_id, instrument]


@settings(max_examples=80, deadline=None)
@given(days(), capitals)
def test_after_a_mark_no_margin_is_below_zero(inputs: list[Input], capital: str) -> None:
    venue = made(capital)
    margins = Margins(venue.info)
    for each in inputs:
        feed(venue, each)
        if not isinstance(each, Fact) or each.kind != "mark_updated":
            continue
        feed(venue, (each.at - at(0)).total_seconds() + 0.5)
        for account in venue.accounts.values():
            for position in account.held_positions:
                if position.instrument == each.instrument:
                    assert margins.group(account, position).equity >= 0
            if not account.held_positions:
                assert account.cash >= 0
            assert account.insurance >= 0


@settings(max_examples=60, deadline=None)
@given(days(), capitals)
def test_every_order_is_conserved_and_reduce_only_never_flips(inputs: list[Input], capital: str) -> None:
    _, events = run(inputs, capital)

    accepted = {event.order_id: event for event in events if isinstance(event, OrderAccepted)}
    left = {order_id: event.quantity for order_id, event in accepted.items()}
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for event in events:
        if isinstance(event, OrderFilled):
            where = event.key, event.instrument
            before, held[where] = held[where], event.position_after
            left[event.order_id] = left[event.order_id] - event.quantity
            if accepted[event.order_id].reduce_only:
                assert before * event.position_after >= 0
                assert abs(event.position_after) < abs(before)
            if not accepted[event.order_id].trigger:  # those are trimmed when they are set off
                assert event.remaining == left[event.order_id] >= 0
        elif isinstance(event, OrderAmended):
            left[event.order_id] = event.remaining
        elif isinstance(event, OrderCancelled | OrderExpired) and not accepted[event.order_id].trigger:
            assert event.remaining == left.pop(event.order_id)


@settings(max_examples=60, deadline=None)
@given(days(), capitals)
def test_no_fill_is_outside_the_band_or_better_than_the_book(inputs: list[Input], capital: str) -> None:
    shown = books_by_sequence(inputs)
    _, events = run(inputs, capital)

    takeovers = {(event.key, event.at, event.price) for event in events if isinstance(event, PositionLiquidated)}
    limits = {event.order_id: event.limit_price for event in events if isinstance(event, OrderAccepted | OrderAmended)}
    for event in events:
        if not isinstance(event, OrderFilled) or (event.key, event.at, event.price) in takeovers:
            continue
        if event.liquidity == "maker":
            assert event.price == limits[event.order_id]
        else:
            seen = shown[event.instrument, event.book_sequence]
            best = (seen.asks if event.side == "buy" else seen.bids)[0][0]
            assert event.price >= best if event.side == "buy" else event.price <= best
        assert event.purpose != "decision" or 92 <= event.price <= 108


@settings(max_examples=60, deadline=None)
@given(days(), capitals)
def test_nobody_gets_more_of_one_book_or_trade_than_it_showed(inputs: list[Input], capital: str) -> None:
    shown = books_by_sequence(inputs)
    venue = made(capital)
    taken: dict[tuple[str, str, int, str], Decimal] = defaultdict(Decimal)
    for each in inputs:
        printed = each.event.quantity if isinstance(each, Fact) and each.kind == "trade_printed" else None
        from_trade: dict[str, Decimal] = defaultdict(Decimal)
        for event in feed(venue, each):
            if isinstance(event, OrderFilled) and event.price != takeover_price(venue, event):
                if printed is not None and event.liquidity == "maker" and event.at == each.at:  # type: ignore[union-attr]
                    from_trade[event.key] += event.quantity
                else:
                    taken[event.key, event.instrument, event.book_sequence, event.side] += event.quantity
        assert all(quantity <= printed for quantity in from_trade.values() if printed is not None)
    for (_, instrument, sequence, side), quantity in taken.items():
        seen = shown[instrument, sequence]
        assert quantity <= sum(size for _, size in (seen.asks if side == "buy" else seen.bids))


def takeover_price(venue: Venue, event: OrderFilled) -> Decimal | None:
    """A takeover is no trade on the book."""
    return event.price if event.purpose == "liquidation" and event.position_after == 0 else None


@settings(max_examples=50, deadline=None)
@given(days(), capitals, st.randoms(use_true_random=False))
def test_the_same_inputs_give_the_same_events_and_competitors_never_meet(
    inputs: list[Input], capital: str, chance: Any
) -> None:
    _, events = run(inputs, capital)
    alone = [each for each in inputs if isinstance(each, Fact | float) or each.competitor_id == "ann"]
    # what is known in advance may come in any order among itself: its moments decide
    early = [each for each in inputs if not isinstance(each, Fact | float)]
    rest = [each for each in inputs if isinstance(each, Fact | float)]
    shuffled = list(early)
    chance.shuffle(shuffled)

    assert run(inputs, capital)[1] == events
    assert run(alone, capital)[1] == [event for event in events if event.key == "ann"]
    assert run([*shuffled, *rest], capital)[1] == run([*early, *rest], capital)[1]


@settings(max_examples=60, deadline=None)
@given(days(), capitals, st.data())
def test_a_venue_stopped_anywhere_goes_on_as_if_it_had_not(
    inputs: list[Input], capital: str, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(inputs) - 1))
    venue = made(capital)
    before = feed(venue, *inputs[:cut])

    assert before + feed(restarted(venue, inputs[:cut]), *inputs[cut:]) == run(inputs, capital)[1]


def restarted(venue: Venue, had: Sequence[Input]) -> Venue:
    """What is stored, in another order than it was made, and the latest market records."""
    again = Venue(Market(venue.info.terms))
    orders = [replace(each) for each in venue.changes.orders.values() if each.is_open]
    accounts = [
        replace(each, positions=dict(reversed(each.positions.items())), orders={}, waiting={})
        for each in reversed(venue.accounts.values())
    ]
    instructions = [each for each in venue.changes.instructions.values() if each is not None]
    again.restore(venue.now, venue.stamps, accounts, orders[::-1], instructions[::-1])
    for record in {(each.kind, each.instrument): each for each in had if isinstance(each, Fact)}.values():
        again.recall(record)
    return again


def books_by_sequence(inputs: Sequence[Input]) -> dict[tuple[str, int], BookUpdated]:
    facts = [each for each in inputs if isinstance(each, Fact) and each.kind == "book_updated"]
    return {(each.instrument, each.event.sequence): each.event for each in facts}
