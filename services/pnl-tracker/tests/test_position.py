# mypy: disable-error-code="comparison-overlap"
# Amounts are compared with whole numbers.

from datetime import timedelta
from decimal import Decimal

import pytest
from pnl_tracker.core.position import Change, Position
from pnl_tracker.testing import BTC, STARTS_AT


def usd(text: str) -> Decimal:
    return Decimal(text)


@pytest.fixture
def position() -> Position:
    return Position(BTC, STARTS_AT)


def trade(position: Position, quantity: str, price: str, fee: str = "0", minutes: int = 0) -> Change:
    return position.fill(usd(quantity), usd(price), usd(fee), STARTS_AT + timedelta(minutes=minutes))


def test_the_sequence_of_buys_and_sells_gives_the_published_averages_and_profits(position: Position) -> None:
    """reference: TT sequence at a fee of 1 bp; profits net of fees."""
    net, shown = Decimal(), []
    for quantity, price in (("12", "100"), ("17", "99"), ("-9", "101"), ("-4", "105"), ("3", "103")):
        fee = abs(usd(quantity)) * usd(price) / 10_000
        net += trade(position, quantity, price, str(fee)).realised - fee
        shown.append((round(position.entry_price, 8), round(net, 8)))

    assert shown == [
        (usd("100"), usd("-0.12")),
        (usd("99.41379310"), usd("-0.2883")),
        (usd("99.41379310"), usd("13.89666207")),
        (usd("99.41379310"), usd("36.19948966")),
        (usd("99.98003630"), usd("36.16858966")),
    ]


def test_a_flip_closes_the_whole_position_and_opens_the_rest_at_the_price(position: Position) -> None:
    trade(position, "100000", "0.75000")
    flip = trade(position, "-150000", "0.75020", minutes=1)

    assert (flip.realised, flip.closed_net) == (usd("20"), usd("20"))
    assert (position.quantity, position.entry_price) == (usd("-50000"), usd("0.7502"))
    assert position.opened_at == STARTS_AT + timedelta(minutes=1)

    close = trade(position, "50000", "0.75030", minutes=2)
    assert (close.realised, position.quantity, position.cost) == (usd("-5"), 0, 0)


def test_a_flip_shares_its_fee_between_the_trip_it_ends_and_the_one_it_begins(position: Position) -> None:
    trade(position, "2", "100", fee="1")
    flip = trade(position, "-3", "101", fee="3")  # 2 of 3 close: 2 USD of the fee

    assert flip.closed_net == usd("-1") + usd("2") - usd("2")
    assert position.trip_net == usd("-1")


def test_a_partial_close_leaves_the_average_and_conserves_the_cost_to_the_last_digit(position: Position) -> None:
    trade(position, "3", "100")
    trade(position, "4", "101")  # cost 704, average 100.571428571428571…: a share is cut off, not rounded up

    first = trade(position, "-1", "110")
    assert first.realised == usd("110") - usd("100.571428571428")
    assert position.cost == usd("704") - usd("100.571428571428")

    second = trade(position, "-6", "90")
    assert first.realised + second.realised == usd("110") + 6 * usd("90") - usd("704")
    assert position.cost == 0


def test_a_short_gains_when_the_price_falls(position: Position) -> None:
    trade(position, "-2", "100")
    assert (position.cost, position.entry_price) == (usd("-200"), usd("100"))

    assert trade(position, "0.5", "90").realised == usd("5")
    assert trade(position, "1.5", "110").realised == usd("-15")


def test_a_round_trip_counts_every_fee_since_it_was_flat(position: Position) -> None:
    trade(position, "1", "100", fee="1")
    trade(position, "-0.5", "104", fee="1")  # +2
    last = trade(position, "-0.5", "104", fee="3")  # +2

    assert last.closed_net == usd("-1")


def test_a_partial_close_of_a_tiny_position_leaves_a_cost_of_the_same_sign() -> None:
    # 0.00000409 at 0.0000001226 costs 5.01434E-13, less than the last place that is kept: nothing of it is released.
    position = Position(BTC, STARTS_AT)
    position.fill(usd("0.00000409"), usd("0.0000001226"), usd("0"), STARTS_AT)
    position.fill(usd("-0.00000408"), usd("0.0000000001"), usd("0"), STARTS_AT)

    assert position.cost == usd("0.000000000000501434")
    assert position.entry_price > 0
