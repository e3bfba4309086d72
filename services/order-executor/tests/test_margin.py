"""What an order needs, what an account has, worked by hand. Fees are 2 and 5 basis points."""

# mypy: no-strict-equality
# (whole numbers beside decimals read better in a tuple of expectations)

from collections.abc import Sequence

from contracts.base import Event
from contracts.executions import OrderAccepted, OrderFilled, OrderRejected
from order_executor.core import Account, Venue
from order_executor.core.margins import Margins
from order_executor.testing import BTC, ETH, D, book, feed, kinds, mark, new_venue, order, tiers

DEEP = book(0, "99.9x500", "100x500")
AT_100 = mark(0, "100")


def account_of(venue: Venue) -> Account:
    (account,) = venue.accounts.values()
    return account


def available(venue: Venue) -> object:
    return Margins(venue.info).available(account_of(venue))


def refusal(events: Sequence[Event]) -> tuple[str, str]:
    (event,) = events
    assert isinstance(event, OrderRejected)
    return event.code, event.detail


def test_an_order_needs_initial_margin_fee_and_what_its_price_is_worse_than_the_mark() -> None:
    # 50 at 100 with 10x: 500 of margin, 2.5 of fee; the mark is one lower: 50 more
    def given(capital: str) -> list[Event]:
        return feed(new_venue(capital=capital), DEEP, mark(0, "99"), order(1, "buy", "50", leverage="10"), 1.0)

    assert refusal(given("552.49")) == ("MARGIN_INSUFFICIENT", "needs 552.5 USD, 552.49 available")
    assert kinds(given("552.5")) == ["order_accepted", "order_filled"]


def test_what_is_held_and_paid_is_no_longer_available() -> None:
    venue = new_venue(capital="1000")
    feed(venue, DEEP, AT_100, order(1, "buy", "50", leverage="10"), 1.0)

    # 1000 - 500 of margin - 2.5 of fee
    assert available(venue) == D("497.5")
    assert refusal(feed(venue, order(2, "buy", "50", 1, leverage="10"), 2.0)) == (
        "MARGIN_INSUFFICIENT", "needs 502.5 USD, 497.5 available",
    )  # fmt: skip
    # at 101 the profit of 50 is available, the margin is 505
    feed(venue, mark(3, "101"))
    assert available(venue) == D("542.5")


def test_open_orders_hold_margin_of_the_side_that_needs_more() -> None:
    venue = new_venue(capital="1000")
    feed(venue, DEEP, AT_100, order(1, "buy", "50", limit="99", leverage="10"), 1.0)

    assert available(venue) == D("505")  # 50 * 99 / 10 = 495
    assert refusal(feed(venue, order(2, "buy", "52", 1, limit="99", leverage="10"), 2.0))[0] == "MARGIN_INSUFFICIENT"
    # a sell of 50 at 110 holds 550: 55 more than the buys, for both cannot open
    assert kinds(feed(venue, order(3, "sell", "50", 2, limit="110", leverage="10"), 3.0)) == ["order_accepted"]
    assert available(venue) == D("450")


def test_a_flip_needs_margin_for_what_it_opens_and_gets_that_of_what_it_closes() -> None:
    def flipped(quantity: str) -> list[Event]:
        venue = new_venue(capital="520")
        feed(venue, DEEP, AT_100, order(1, "buy", "50", leverage="10"), 1.0)
        return feed(venue, order(2, "sell", quantity, 1, leverage="10"), 2.0)

    # 17.5 are available. 100 at 99.9: short 50 holds 499.5, less than the 500 of now; fee 4.995, 0.1 below the mark 10
    assert kinds(flipped("100")) == ["order_accepted", "order_filled"]
    # 110: short 60 holds 599.4, 99.4 more; fee 5.4945; 11 under the mark
    assert refusal(flipped("110")) == ("MARGIN_INSUFFICIENT", "needs 115.8945 USD, 17.5 available")


def test_an_order_that_only_closes_needs_nothing() -> None:
    venue = new_venue(capital="502.5")
    feed(venue, DEEP, AT_100, order(1, "buy", "50", leverage="10"), 1.0)

    assert available(venue) == 0
    assert kinds(feed(venue, order(2, "sell", "50", 1, leverage="10"), 2.0)) == ["order_accepted", "order_filled"]


def test_leverage_is_capped_by_the_tier_of_the_whole_position_with_its_orders() -> None:
    capped = tiers(("10", "20", "0.01"), ("1000", "10", "0.02"))
    venue = new_venue(margin_tiers=capped)
    feed(venue, DEEP, AT_100, order(1, "buy", "6", leverage="20"), order(2, "buy", "4", limit="98", leverage="20"), 1.0)

    above = feed(venue, order(3, "buy", "0.001", 1, leverage="20"), 2.0)
    within = feed(venue, order(4, "buy", "0.001", 2, leverage="10"), 3.0)
    closing = feed(venue, order(5, "sell", "1", 3, leverage="20"), 4.0)

    assert refusal(above) == ("LEVERAGE_ABOVE_TIER", "20 where 10.001 allows 10")
    assert kinds(within) == kinds(closing) == ["order_accepted", "order_filled"]


def test_an_order_that_adds_at_a_lower_leverage_needs_margin_for_the_whole_position() -> None:
    venue = new_venue(capital="1000")
    feed(venue, DEEP, AT_100, order(1, "buy", "50", leverage="10"), 1.0)

    # 51 at 2x hold 2550 instead of 500, and 5 bp of 100
    assert refusal(feed(venue, order(2, "buy", "1", 1, leverage="2"), 2.0)) == (
        "MARGIN_INSUFFICIENT", "needs 2050.05 USD, 497.5 available",
    )  # fmt: skip
    assert kinds(feed(venue, order(3, "buy", "1", 2, leverage="20"), 3.0)) == ["order_accepted", "order_filled"]
    # 51 at 20x hold 255
    assert available(venue) == D("1000") - D("2.5") - D("0.05") - 255


def test_an_instrument_has_one_margin_mode_at_a_time() -> None:
    venue = new_venue()
    opened = feed(venue, DEEP, AT_100, order(1, "buy", "1", margin_mode="isolated"), 1.0)
    other = feed(venue, order(2, "buy", "1", 1, margin_mode="cross"), 2.0)
    unsaid = feed(venue, order(3, "buy", "1", 2), 3.0)
    feed(venue, order(4, "sell", "2", 3, reduce_only=True), 4.0)
    flat = feed(venue, order(5, "buy", "1", 4, margin_mode="cross"), 5.0)

    assert refusal(other) == ("MARGIN_MODE_MISMATCH", "cross beside what is isolated")
    modes = [event.margin_mode for event in (*opened, *unsaid, *flat) if isinstance(event, OrderAccepted | OrderFilled)]
    assert modes == ["isolated"] * 4 + ["cross"] * 2


def test_an_isolated_entry_too_far_from_the_mark_for_its_own_margin_is_refused() -> None:
    def entered(leverage: str) -> list[Event]:
        facts = DEEP, mark(0, "97")
        return feed(new_venue(), *facts, order(1, "buy", "10", leverage=leverage, margin_mode="isolated"), 1.0)

    # 1000 / 30 of margin, 30 lost at the mark of 97: 3.33 is less than 970 * (0.005 + 0.0005) = 5.335
    assert refusal(entered("30"))[0] == "MARGIN_INSUFFICIENT"
    # 1000 / 25 - 30 = 10 is more
    assert kinds(entered("25")) == ["order_accepted", "order_filled"]


def test_isolated_margin_is_set_aside_and_given_back_in_proportion() -> None:
    venue = new_venue(capital="1000")
    feed(venue, DEEP, AT_100, order(1, "buy", "10", leverage="10", margin_mode="isolated"), 1.0)

    position = account_of(venue).position(BTC)
    assert (position.margin, available(venue)) == (100, D("899.5"))  # 10 * 100 / 10; a fee of 0.5
    feed(venue, mark(2, "95"))
    assert available(venue) == D("899.5"), "what it loses is its own"

    feed(venue, book(3, "95x500", "96x500"), order(2, "sell", "4", 3), 4.0)
    # 40 of 100 come back; 4 * (95 - 100) = -20; a fee of 0.19
    assert (position.margin, available(venue)) == (60, D("919.31"))
    feed(venue, order(3, "sell", "10", 4, leverage="5"), 5.0)
    # the flip gives 60 back and sets 4 * 95 / 5 aside
    assert (position.quantity, position.margin) == (-4, 76)


def test_funding_of_an_isolated_position_comes_out_of_its_margin() -> None:
    venue = new_venue(capital="1000")
    feed(venue, DEEP, mark(0, "100", rate="0.001", stamp=10), order(1, "buy", "10", leverage="10",
         margin_mode="isolated"), 1.0)  # fmt: skip
    feed(venue, 11.0)

    assert account_of(venue).position(BTC).margin == 99  # 10 * 100 * 0.001
    assert available(venue) == D("899.5")


def test_in_cross_margin_the_profit_of_one_position_carries_the_other() -> None:
    venue = new_venue(capital="1000", margin_tiers=tiers(("1000", "100", "0.01")))
    feed(
        venue, DEEP, AT_100, book(0, "49.9x500", "50x500", instrument=ETH), mark(0, "50", instrument=ETH),
        order(1, "buy", "50", leverage="10"), order(2, "sell", "50", leverage="10", instrument=ETH), 1.0,
    )  # fmt: skip
    # 1000 - fees 2.5 + 1.2475 = 996.2525; short 50 from 49.9
    feed(venue, mark(2, "90"), mark(2, "40", instrument=ETH))

    group = Margins(venue.info).group(account_of(venue), account_of(venue).position(BTC))
    # -500 and + 50 * 9.9 = 495
    assert group.equity == D("991.2525")
    # (50 * 90 + 50 * 40) * (0.01 + 0.0005)
    assert group.required == D("68.25")
    assert group.ratio.quantize(D("0.0001")) == D("14.5238")
