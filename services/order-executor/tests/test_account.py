"""Positions at exact cost, worked by hand."""

# mypy: no-strict-equality
# (whole numbers beside decimals read better in a tuple of expectations)

from decimal import Decimal

from order_executor.core import Position

D = Decimal


def test_a_sequence_of_trades_moves_the_average_only_where_it_adds() -> None:
    position = Position("BTC-USDT-PERP")

    realised = D(0)
    averages = []
    for quantity, price in [(12, 100), (17, 99), (-9, 101), (-4, 105), (3, 103)]:
        realised += position.trade(D(quantity), D(price))
        averages.append(position.entry_price.quantize(D("1e-8")))

    # (12*100 + 17*99)/29; sells leave it; (16 * 99.41379310 + 3*103)/19
    assert averages == [D(100), D("99.41379310"), D("99.41379310"), D("99.41379310"), D("99.98003630")]
    # 9*(101 - 99.4137931034) + 4*(105 - 99.4137931034), before fees
    assert realised.quantize(D("1e-8")) == D("36.62068966")


def test_a_sequence_of_trades_net_of_one_basis_point() -> None:
    position, net, seen = Position("BTC-USDT-PERP"), D(0), []
    for quantity, price in [(12, 100), (17, 99), (-9, 101), (-4, 105), (3, 103)]:
        net += position.trade(D(quantity), D(price)) - abs(quantity) * price * D("0.0001")
        seen.append(net.quantize(D("1e-8")))

    # the published figures of the same five trades
    assert seen == [D("-0.12"), D("-0.2883"), D("13.89666207"), D("36.19948966"), D("36.16858966")]


def test_a_flip_closes_all_and_opens_the_rest_at_its_price() -> None:
    position = Position("EUR-USDT-PERP")
    position.trade(D(100_000), D("0.75"))

    assert position.trade(D(-150_000), D("0.7502")) == D("20")
    assert (position.quantity, position.entry_price) == (D(-50_000), D("0.7502"))
    assert position.trade(D(50_000), D("0.7503")) == D("-5")
    assert (position.quantity, position.cost) == (0, 0)


def test_a_short_gains_as_the_price_falls() -> None:
    position = Position("BTC-USDT-PERP")
    position.trade(D(-2), D(100))

    assert position.trade(D(1), D(90)) == 10
    assert (position.quantity, position.cost, position.entry_price) == (-1, -100, 100)


def test_no_rounding_is_left_when_a_position_is_closed_in_thirds() -> None:
    position = Position("BTC-USDT-PERP")
    for price in ("100", "100.1", "100.1"):
        position.trade(D(1), D(price))

    realised = sum((position.trade(D(-1), D(101)) for _ in range(3)), D(0))

    assert realised == D("2.8")
    assert position.cost == 0
