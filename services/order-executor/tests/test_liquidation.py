"""Liquidation, step by step, worked by hand. The liquidation fee is the taker's: 5 basis points."""

# mypy: no-strict-equality
# (whole numbers beside decimals read better in a tuple of expectations)

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from contracts.base import Event
from contracts.executions import AccountStated, OrderCancelled, OrderFilled, PositionLiquidated
from contracts.market import MarginTier
from contracts.signals import ExitPlan
from order_executor.core import Account, Venue
from order_executor.testing import BTC, ETH, D, Fact, book, feed, fills, kinds, mark, new_venue, order, tiers, trades

ONE_TIER = tiers(("1000", "100", "0.01"))
FOUR_TIERS = tiers(("10", "50", "0.01"), ("20", "25", "0.02"), ("40", "10", "0.04"), ("80", "5", "0.1"))


def account_of(venue: Venue) -> Account:
    (account,) = venue.accounts.values()
    return account


def opened(quantity: str, leverage: str, capital: str, margin_tiers: Any = ONE_TIER, **fields: Any) -> Venue:
    """Long at 100."""
    venue = new_venue(capital=capital, margin_tiers=margin_tiers)
    feed(venue, book(0, "99.9x500", "100x500"), mark(0, "100"))
    events = feed(venue, order(1, "buy", quantity, leverage=leverage, **fields), 1.0)
    assert trades(events) == [("buy", "100", quantity)]
    return venue


def marked(venue: Venue, t: float, price: str, bids: str = "", instrument: str = BTC) -> list[Event]:
    facts: list[Fact] = [mark(t, price, instrument=instrument)]
    if bids:
        facts.append(book(t, bids, "1000x1", instrument=instrument))
    return feed(venue, *facts, t + 0.5)


def steps(events: Sequence[Event]) -> list[PositionLiquidated]:
    return [event for event in events if isinstance(event, PositionLiquidated)]


def test_a_position_is_taken_over_at_the_bankruptcy_price_and_nothing_is_left() -> None:
    venue = opened("100", "12", "1000")

    # cash 1000 - 5 = 995. At 91.01: equity 995 - 899 = 96, required 100 * 91.01 * 0.0105 = 95.5605
    assert marked(venue, 2, "91.01") == []
    # at 91: equity 95, required 95.55
    accepted, filled, step, stated = marked(venue, 3, "91")

    assert isinstance(filled, OrderFilled)
    assert isinstance(step, PositionLiquidated)
    assert isinstance(stated, AccountStated)
    assert kinds([accepted]) == ["order_accepted"]
    # (10,000 - 995) / 100 / (1 - 0.0005) = 90.05 / 0.9995
    bankruptcy = D("90.095047523762")
    assert (filled.price, filled.quantity, filled.fee, filled.purpose) == (bankruptcy, 100, 0, "liquidation")
    assert (step.step, step.price, step.bankruptcy_price) == ("taken_over", bankruptcy, bankruptcy)
    # 100 * 90.095047523762 - 10,000, and what is left of 995 then: 5 bp of 9,009.5
    assert (step.realised_pnl, step.fee) == (D("-990.4952476238"), D("4.5047523762"))
    # the fund sells at 91: 4.5047523762 + 100 * (91 - 90.095047523762) = the 95 that were left
    assert (step.insurance_change, step.written_off) == (95, 0)
    assert (step.maintenance_margin, step.margin_ratio.quantize(D("1e-6"))) == (91, D("0.994244"))
    assert (step.tier_from, step.tier_to, step.quantity, step.quantity_after) == (1, 0, 100, 0)
    account = account_of(venue)
    assert (account.cash, account.insurance, account.held(BTC)) == (0, 95, 0)
    assert (stated.insurance_fund, stated.fees, stated.liquidation_fees, stated.positions) == (
        95, D("9.5047523762"), D("4.5047523762"), (),
    )  # fmt: skip


def test_a_short_is_taken_over_above_the_mark() -> None:
    venue = new_venue(capital="1000", margin_tiers=ONE_TIER)
    feed(venue, book(0, "100x500", "100.1x500"), mark(0, "100"), order(1, "sell", "100", leverage="12"), 1.0)

    # equity 995 - 890 = 105, required 100 * 108.9 * 0.0105 = 114.345
    (step,) = steps(marked(venue, 2, "108.9"))

    # (100 + 9.95) / (1 + 0.0005)
    assert step.price == D("109.895052473763")
    assert (step.insurance_change, account_of(venue).cash) == (105, 0)


def test_without_a_fund_a_deficit_is_written_off_by_name() -> None:
    venue = opened("100", "12", "1000")

    (step,) = steps(marked(venue, 2, "80"))

    # equity 995 - 2000; the price is the same, so that the account is left with nothing, not with less
    assert (step.price, step.fee) == (D("90.095047523762"), D("4.5047523762"))
    assert (step.competitor_id, step.insurance_change, step.written_off) == ("ann", 0, 1005)
    account = account_of(venue)
    assert (account.cash, account.insurance, account.written_off) == (0, 0, 1005)


def test_the_fund_pays_a_deficit_as_far_as_it_goes() -> None:
    venue = opened("100", "12", "1101")
    feed(venue, book(1, "99.9x500", "100x500", instrument=ETH), mark(1, "100", instrument=ETH))
    feed(venue, order(2, "buy", "10", 1, leverage="10", instrument=ETH, margin_mode="isolated"), 2.0)

    # margin 100 - 91 = 9; required 10 * 90.9 * 0.0105 = 9.5445
    (first,) = steps(marked(venue, 3, "90.9", instrument=ETH))
    assert (first.insurance_change, account_of(venue).insurance) == (9, 9)

    # 1101 - 5 - 0.5 - 100 of the isolated margin = 995.5; less 2000
    (second,) = steps(marked(venue, 4, "80"))
    assert (second.insurance_change, second.written_off) == (-9, D("995.5"))
    assert (account_of(venue).cash, account_of(venue).insurance, account_of(venue).written_off) == (0, 0, D("995.5"))


def test_an_isolated_position_loses_its_margin_and_no_more() -> None:
    venue = opened("10", "10", "1000", margin_mode="isolated")

    (step,) = steps(marked(venue, 2, "50"))

    # margin 100 - 500
    assert (step.insurance_change, step.written_off) == (0, 400)
    assert account_of(venue).cash == D("899.5")  # 1000 - 0.5 - 100
    assert kinds(feed(venue, book(3, "49x9", "50x9"), order(2, "buy", "1", 3), 4.0)) == [
        "order_accepted", "order_filled",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "leverage", "capital", "price", "tier_from", "tier_to", "left"),
    [
        # cash 1297: equity 1297 - 60 * 13 = 517, required 60 * 87 * 0.1005 = 524.61: from the fourth to the second
        ("60", "5", "1300", "87", 4, 2, "20"),
        # cash 318.5: equity 318.5 - 30 * 7 = 108.5, required 30 * 93 * 0.0405 = 112.995: from the third to the first
        ("30", "10", "320", "93", 3, 1, "10"),
        # cash 61.25: equity 61.25 - 15 * 2.1 = 29.75, required 15 * 97.9 * 0.0205 = 30.10: below the third all goes
        ("15", "25", "62", "97.9", 2, 0, "0"),
        # cash 10.25: equity 10.25 - 5 * 1.1 = 4.75, required 5 * 98.9 * 0.0105 = 5.19
        ("5", "50", "10.5", "98.9", 1, 0, "0"),
        # equity 1297 - 60 * 21 = 37, below the lowest tier's 60 * 79 * 0.0105 = 49.77: all goes at once
        ("60", "5", "1300", "79", 4, 0, "0"),
    ],
)
def test_liquidation_to_each_tier(
    quantity: str, leverage: str, capital: str, price: str, tier_from: int, tier_to: int, left: str
) -> None:
    venue = opened(quantity, leverage, capital, FOUR_TIERS)

    (step,) = steps(marked(venue, 2, price, bids=f"{price}x500"))

    assert (step.tier_from, step.tier_to, step.quantity, step.quantity_after) == (
        tier_from, tier_to, D(quantity), D(left),
    )  # fmt: skip
    assert step.step == ("reduced" if tier_to else "taken_over")


def test_tiers_by_notional_are_left_at_the_marks_size() -> None:
    def tier(floor: str, cap: str, leverage: str, rate: str, deduction: str) -> MarginTier:
        return MarginTier(floor=D(floor), cap=D(cap), leverage_max=D(leverage), maintenance_margin_rate=D(rate),
                          deduction=D(deduction))  # fmt: skip

    # 10 = 1000 * (0.02 - 0.01); 50 = 10 + 2000 * (0.04 - 0.02)
    by_notional = (
        tier("0", "1000", "50", "0.01", "0"), tier("1000", "2000", "25", "0.02", "10"),
        tier("2000", "10000", "10", "0.04", "50"),
    )  # fmt: skip
    venue = opened("30", "10", "320", by_notional)

    # 318.5 - 270 = 48.5; 2730 * 0.04 - 50 + 2730 * 0.0005 = 60.565; the lowest tier's 2730 * 0.0105 = 28.67
    (step,) = steps(marked(venue, 2, "91", bids="91x500"))

    # 1000 / 91 = 10.98901: 10.989 in lots
    assert (step.step, step.tier_from, step.tier_to, step.quantity_after) == ("reduced", 3, 1, D("10.989"))
    assert step.maintenance_margin == D("59.2")


def test_a_reduction_trades_on_the_book_and_pays_its_fee_into_the_fund() -> None:
    venue = opened("60", "5", "1300", FOUR_TIERS)

    accepted, filled, step = marked(venue, 2, "87", bids="86.9x500")

    assert kinds([accepted]) == ["order_accepted"]
    assert isinstance(filled, OrderFilled)
    assert isinstance(step, PositionLiquidated)
    assert (filled.price, filled.quantity, filled.fee, filled.position_after) == (D("86.9"), 40, 0, 20)
    # 40 * (86.9 - 100); 40 * 86.9 * 0.0005
    assert (step.price, step.realised_pnl, step.fee) == (D("86.9"), -524, D("1.738"))
    assert (step.insurance_change, step.written_off) == (D("1.738"), 0)
    assert account_of(venue).cash == D("1297") - 524 - D("1.738")
    assert marked(venue, 3, "87") == []


def test_what_the_book_cannot_take_is_reduced_at_the_next_mark() -> None:
    venue = opened("60", "5", "1300", FOUR_TIERS)

    first = marked(venue, 2, "87", bids="87x5")
    nothing = marked(venue, 3, "87")
    # 55 are left: equity 1297 - 65 - 0.2175 - 715 = 516.7825, required 55 * 87 * 0.1005 = 480.89: no more is due
    assert trades(first) == [("sell", "87", "5")]
    assert nothing == []
    # 1231.7825 - 55 * 14.5 = 434.28, required 55 * 85.5 * 0.1005 = 472.6
    (filled,) = fills(marked(venue, 4, "85.5", bids="85.5x500"))
    assert (filled.price, filled.quantity, filled.position_after) == (D("85.5"), 35, 20)


def test_an_isolated_reduction_stays_within_its_margin() -> None:
    venue = opened("60", "5", "2000", FOUR_TIERS, margin_mode="isolated")
    position = account_of(venue).position(BTC)

    # margin 1200: equity 1200 - 60 * 11.5 = 510, required 60 * 88.5 * 0.1005 = 533.655
    marked(venue, 2, "88.5", bids="88x500")

    # 1200 - 40 * 12 of loss - 40 * 88 * 0.0005 of fee
    assert (position.quantity, position.margin) == (20, D("718.24"))
    assert account_of(venue).cash - position.margin == D("797"), "2000 - 3 of fee - 1200: untouched"


def test_orders_that_add_to_the_risk_go_first_and_those_that_reduce_stay() -> None:
    venue = opened("60", "5", "1400", FOUR_TIERS)
    feed(
        venue, order(2, "buy", "1", 1, limit="50", leverage="5"), order(3, "sell", "5", 1, limit="120"),
        order(4, "sell", "3", 1, limit="121", reduce_only=True),
        order(5, "buy", "1", 1, limit="50", leverage="5", instrument=ETH),
        book(1, "99.9x500", "100x500", instrument=ETH), 1.5,
    )  # fmt: skip

    # 1397 - 60 * 15 = 497, required 60 * 85 * 0.1005 = 512.55
    events = marked(venue, 2, "85", bids="85x500")

    cancelled = [event for event in events if isinstance(event, OrderCancelled)]
    assert [(event.round, event.instrument, event.reason) for event in cancelled] == [
        (2, BTC, "liquidation"), (5, ETH, "liquidation"),
    ]  # fmt: skip
    assert [step.step for step in steps(events)] == ["orders_cancelled", "reduced"]
    assert [each.round for each in account_of(venue).open_orders()] == [3, 4]


def test_a_cross_account_of_two_positions_is_taken_over_whole_and_ends_at_zero() -> None:
    venue = opened("50", "10", "1000")
    feed(venue, book(1, "100x500", "101x500", instrument=ETH), mark(1, "100", instrument=ETH))
    feed(venue, order(2, "sell", "20", 1, leverage="10", instrument=ETH), 2.0)
    # cash 1000 - 2.5 - 1 = 996.5; the short gains 200: equity 996.5 + 200 - 1170 = 26.5
    feed(venue, mark(3, "90", instrument=ETH), 3.5)

    events = marked(venue, 4, "76.6")

    long, short = steps(events)
    # required (50 * 76.6 + 20 * 90) * 0.0105 = 59.1; the 26.5 go by notional: 3830 and 1800 of 5630
    assert (long.instrument, short.instrument) == (BTC, ETH)
    assert long.insurance_change == (D("26.5") * 3830 / 5630).quantize(D("1e-12"))
    assert long.insurance_change + short.insurance_change == D("26.5")
    assert short.bankruptcy_price is not None
    assert short.bankruptcy_price > 90
    account = account_of(venue)
    assert (account.cash, account.insurance, account.held_positions) == (0, D("26.5"), [])


def test_a_deficit_of_two_positions_falls_on_the_one_that_lost() -> None:
    venue = opened("50", "10", "1000")
    feed(venue, book(1, "100x500", "101x500", instrument=ETH), mark(1, "100", instrument=ETH))
    feed(venue, order(2, "sell", "20", 1, leverage="10", instrument=ETH), 2.0)

    # 996.5 - 50 * 60 = -2003.5; the short at 100 neither won nor lost
    long, short = steps(marked(venue, 3, "40"))

    assert (long.written_off, short.written_off) == (D("2003.5"), 0)
    assert account_of(venue).cash == 0


def test_a_gap_through_stop_and_liquidation_price_is_the_liquidations() -> None:
    venue = opened("100", "12", "1000", exit_plan=ExitPlan(stop_loss=D(95)))

    events = marked(venue, 2, "85", bids="84x500")

    assert [event.purpose for event in fills(events)] == ["liquidation"]
    assert account_of(venue).cash == 0
    assert "exit_triggered" not in kinds(events)


def test_a_stop_whose_book_lies_beyond_the_bankruptcy_price_stops_there() -> None:
    venue = opened("100", "12", "1000", exit_plan=ExitPlan(stop_loss=D(95)))

    # bankruptcy is at 90.095: a level below it is not traded, for the account has no money left to lose there
    events = marked(venue, 2, "94", bids="91x40 70x500")

    assert trades(events) == [("sell", "91", "40")]
    assert isinstance(events[-1], OrderCancelled)
    assert (events[-1].reason, events[-1].remaining) == ("bankruptcy_price", 60)
    assert account_of(venue).cash > 0
    (step,) = steps(marked(venue, 3, "70"))
    assert (step.quantity, account_of(venue).cash) == (60, 0)


def test_a_closed_out_account_cannot_trade_any_more() -> None:
    venue = opened("100", "12", "1000")
    marked(venue, 2, "85")

    (event,) = feed(venue, book(3, "84x9", "85x9"), order(2, "buy", "1", 3), 4.0)

    assert event.type == "order_rejected"  # type: ignore[attr-defined]
    assert event.code == "MARGIN_INSUFFICIENT"  # type: ignore[attr-defined]


def test_a_mark_costs_no_look_at_who_holds_nothing_there() -> None:
    venue = opened("1", "10", "1000")

    class Unread:
        at, instrument, kind = mark(2, "1").at, ETH, "mark_updated"

        @property
        def event(self) -> Event:
            raise AssertionError("nobody holds anything here")

    assert venue.market(Unread()) == []


def test_every_step_says_what_its_money_did() -> None:
    for venue, price, bids in (
        (opened("100", "12", "1000"), "80", ""),
        (opened("60", "5", "1300", FOUR_TIERS), "87", "86.9x500"),
        (opened("10", "10", "1000", margin_mode="isolated"), "50", ""),
    ):
        before = account_of(venue).cash
        events = marked(venue, 2, price, bids)
        realised = sum((event.realised_pnl for event in steps(events)), Decimal(0))
        paid = sum((event.fee for event in steps(events)), Decimal(0))
        assert before + realised - paid == account_of(venue).cash
