# mypy: no-strict-equality
# whole numbers beside decimals read better in a tuple of expectations
from contracts.base import named_id
from contracts.executions import FundingSettled, PositionLiquidated
from dashboard_api.core.trades import OpenTrade, Trade, TradeBook
from dashboard_events import BTC, ETH, D, at, fill

WHERE = ("s1", "ann", BTC)


def closed(book: TradeBook, *fills: object) -> list[Trade]:
    return [trade for entry in fills if (trade := book.filled(entry))]  # type: ignore[arg-type]  # fills


def test_a_long_in_two_fills_and_out_in_two_is_one_trade_at_average_prices() -> None:
    trades = closed(
        TradeBook(),
        fill(1, "buy", "1", "100", "0.05"),
        fill(2, "buy", "3", "104", "0.15"),
        fill(3, "sell", "1", "110", "0.06"),
        fill(9, "sell", "3", "106", "0.14", round=3),
    )

    (trade,) = trades
    # entered (100 + 312) / 4 = 103, exited (110 + 318) / 4 = 107, gross 428 - 412 = 16, fees 0.40
    assert (trade.direction, trade.quantity, trade.entry_price, trade.exit_price) == ("long", 4, D("103"), D("107"))
    assert (trade.gross, trade.fees, trade.funding, trade.net) == (D("16"), D("0.40"), 0, D("15.60"))
    assert (trade.opened_at, trade.closed_at, trade.held_s, trade.fills) == (at(1), at(9), 8, 4)
    assert (trade.opened_round, trade.closed_round, trade.closed_by) == (1, 3, "decision")


def test_a_short_gains_when_the_price_falls() -> None:
    (trade,) = closed(TradeBook(), fill(1, "sell", "2", "100"), fill(2, "buy", "2", "90", purpose="take_profit"))

    assert (trade.direction, trade.gross, trade.net, trade.closed_by) == ("short", 20, 20, "take_profit")


def test_a_partial_close_is_no_trade_yet() -> None:
    book = TradeBook()

    assert closed(book, fill(1, "buy", "2", "100"), fill(2, "sell", "0.5", "101")) == []
    assert book.open[WHERE].quantity == D("1.5")


def test_a_flip_closes_one_trade_and_opens_the_next_and_shares_the_fee_by_quantity() -> None:
    book = TradeBook()
    (first,) = closed(book, fill(1, "buy", "1", "100", "0.10"), fill(2, "sell", "4", "108", "0.40"))
    (second,) = closed(book, fill(3, "buy", "3", "105", "0.20"))

    # 1 of the 4 sold closes: fee 0.40 / 4 = 0.10; 3 open the short with 0.30
    assert (first.gross, first.fees, first.net) == (8, D("0.20"), D("7.80"))
    assert (second.direction, second.quantity, second.entry_price) == ("short", 3, 108)
    assert (second.gross, second.fees, second.net) == (9, D("0.50"), D("8.50"))
    assert first.trade_id != second.trade_id
    assert book.open == {}


def test_fees_of_a_flip_that_does_not_divide_add_up_to_the_last_place() -> None:
    book = TradeBook()
    (first,) = closed(book, fill(1, "buy", "1", "100"), fill(2, "sell", "3", "100", "0.10"))
    (second,) = closed(book, fill(3, "buy", "2", "100"))

    assert first.fees + second.fees == D("0.10")


def test_funding_while_open_is_paid_from_the_trade() -> None:
    book = TradeBook()
    book.filled(fill(1, "buy", "1", "100"))
    for n, instrument in ((1, BTC), (2, ETH)):
        book.funded(
            FundingSettled(
                event_id=named_id("funding", n),
                at=at(5),
                season_id="s1",
                competitor_id="ann",
                instrument=instrument,
                stamp=at(5),
                quantity=D(1),
                mark_price=D(100),
                rate=D("0.0001"),
                payment=D("0.01"),
            )
        )
    (trade,) = closed(book, fill(9, "sell", "1", "101"))

    assert (trade.gross, trade.funding, trade.net) == (1, D("0.01"), D("0.99"))


def liquidated(step: str, quantity: int, left: int, fee: str) -> PositionLiquidated:
    return PositionLiquidated.model_validate(
        {
            "event_id": named_id("liquidation", step), "at": at(5), "season_id": "s1", "competitor_id": "ann",
            "instrument": BTC, "step": step, "tier_from": 1, "tier_to": 0, "quantity": D(quantity),
            "quantity_after": D(left), "mark_price": D(82), "bankruptcy_price": D(80), "margin_ratio": D("0.9"),
            "maintenance_margin": D(1), "fee": D(fee), "realised_pnl": D(-40), "insurance_change": D(0),
            "written_off": D(0),
        }
    )  # fmt: skip


def test_a_position_taken_over_is_closed_by_its_fill_with_the_fee_that_is_told_after_it() -> None:
    """Found by `arena simulate`: trades of a liquidation did not add up to the account."""
    book = TradeBook()
    book.filled(fill(1, "buy", "2", "100"))
    assert book.filled(fill(2, "sell", "2", "80", purpose="liquidation")) is None
    trade = book.liquidated(liquidated("taken_over", 2, 0, "0.5"))

    # 2 * (80 - 100) = -40, less the fee of 0.5
    assert trade is not None
    assert (trade.exit_price, trade.gross, trade.fees, trade.net) == (80, -40, D("0.5"), D("-40.5"))
    assert (trade.closed_by, trade.direction, trade.fills, book.open) == ("liquidation", "long", 2, {})


def test_the_fee_of_a_reduction_is_the_open_trades() -> None:
    book = TradeBook()
    book.filled(fill(1, "buy", "3", "100"))
    book.filled(fill(2, "sell", "1", "90", purpose="liquidation"))
    assert book.liquidated(liquidated("orders_cancelled", 3, 3, "0")) is None
    assert book.liquidated(liquidated("reduced", 3, 2, "0.25")) is None
    (trade,) = closed(book, fill(3, "sell", "2", "95"))

    # 90 - 100 + 2 * (95 - 100) = -20, less the fee of 0.25
    assert (trade.net, trade.fees) == (D("-20.25"), D("0.25"))


def test_competitors_and_instruments_do_not_mix() -> None:
    trades = closed(
        TradeBook(),
        fill(1, "buy", "1", "100"),
        fill(2, "sell", "1", "100", who="bob"),
        fill(3, "sell", "1", "100", instrument=ETH),
    )

    assert trades == []


def test_an_open_trade_survives_being_written_and_read() -> None:
    book = TradeBook()
    book.filled(fill(1, "buy", "0.123456789012345678", "100.123456789012345678", "0.01"))
    again = TradeBook()
    again.open = {WHERE: OpenTrade.model_validate_json(book.open[WHERE].model_dump_json())}

    assert again.filled(fill(2, "sell", "0.123456789012345678", "101")) == book.filled(
        fill(2, "sell", "0.123456789012345678", "101")
    )
