"""Worked by hand: capital 10,000; buys 0.5 BTC at 60,000, fee 15; sells 0.2 at 61,000, fee 6; pays 3 funding.

cash = 10,000 - 30,000 - 15 + 12,200 - 6 - 3 = -7,824; 0.3 BTC at a mark of 61,500 is 18,450: equity 10,626.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from arena.accounts import Marks, equity_errors
from arena.figures import Tally, percentile, summary
from contracts.base import named_id
from contracts.competition import RoundClosed
from contracts.executions import FundingSettled, OrderFilled, PositionLiquidated
from contracts.market import MarkUpdated
from contracts.orders import SignalRejected
from contracts.portfolios import PortfolioUpdated, PositionView

T0 = datetime(2026, 1, 5, tzinfo=UTC)
WHO: dict[str, Any] = {"season_id": "s", "competitor_id": "trend"}
BTC = "BTC-USDT-PERP"


def at(second: float) -> datetime:
    return T0 + timedelta(seconds=second)


def fill(number: int, side: str, quantity: str, price: str, fee: str) -> OrderFilled:
    return OrderFilled.model_validate({
        **WHO, "event_id": named_id("fill", number), "at": at(number), "order_id": named_id("order", number),
        "trade_id": named_id("trade", number), "instrument": BTC, "side": side, "price": price, "quantity": quantity,
        "fee": fee, "liquidity": "taker", "remaining": "0", "leverage": "5", "purpose": "decision",
        "book_sequence": 1, "position_after": "0",
    })  # fmt: skip


def mark(second: float, price: str) -> MarkUpdated:
    return MarkUpdated.model_validate({
        "event_id": named_id("mark", second), "at": at(second), "instrument": BTC, "venue": "v", "mark_price": price,
    })  # fmt: skip


def portfolio(second: float, equity: str, mark_price: str = "61500", **changes: Any) -> PortfolioUpdated:
    money = dict.fromkeys([
        "cash", "realised_pnl", "unrealised_pnl", "fees", "funding", "margin_used", "margin_available",
        "exposure_gross", "exposure_net", "peak_equity", "max_drawdown", "turnover",
    ], "0")  # fmt: skip
    position = PositionView(
        instrument=BTC, quantity=Decimal("0.3"), entry_price=Decimal(60_000), mark_price=Decimal(mark_price),
        notional=Decimal(18_450), unrealised_pnl=Decimal(450), leverage=Decimal(5), margin=Decimal(3_690),
        opened_at=at(1),
    )  # fmt: skip
    return PortfolioUpdated.model_validate(
        WHO | money | {
            "event_id": named_id("portfolio", second), "at": at(second), "seq": 1, "cause": "mark", "capital": "10000",
            "equity": equity, "positions": (position,), "trades": 0, "wins": 0, "fills": 2, "books_balanced": True,
        } | changes
    )  # fmt: skip


FUNDING = FundingSettled.model_validate({
    **WHO, "event_id": named_id("funding"), "at": at(3), "instrument": BTC, "stamp": at(3), "quantity": "0.3",
    "mark_price": "61000", "rate": "0.0001", "payment": "3",
})  # fmt: skip
EXECUTIONS = [fill(1, "buy", "0.5", "60000", "15"), fill(2, "sell", "0.2", "61000", "6"), FUNDING]


def marks(*entries: tuple[float, str]) -> Marks:
    known = Marks()
    for second, price in entries:
        known.add(mark(second, price))
    return known


def test_an_equity_is_explained_by_fills_fees_funding_and_the_mark() -> None:
    known = marks((1, "60000"), (4, "61500"), (9, "70000"))

    assert equity_errors({"trend": portfolio(5, "10626")}, EXECUTIONS, known) == {"trend": Decimal(0)}


def test_a_fill_that_the_ledger_lost_is_seen() -> None:
    known = marks((4, "61500"))

    errors = equity_errors({"trend": portfolio(5, "10626")}, EXECUTIONS[:1] + EXECUTIONS[2:], known)

    # without the sale: 10,000 - 30,000 - 15 - 3 + 0.5 * 61,500 = 10,732
    assert errors == {"trend": Decimal(106)}


def test_the_fee_of_a_liquidation_is_paid_by_the_account_and_what_the_fund_moves_is_not() -> None:
    liquidated = PositionLiquidated.model_validate({
        **WHO, "event_id": named_id("liquidated"), "at": at(4), "instrument": BTC, "step": "reduced", "tier_from": 2,
        "tier_to": 0, "quantity": "0.3", "quantity_after": "0.3", "mark_price": "61500", "margin_ratio": "0.9",
        "maintenance_margin": "90", "fee": "26", "realised_pnl": "0", "insurance_change": "26", "written_off": "5",
    })  # fmt: skip
    known = marks((4, "61500"))

    assert equity_errors({"trend": portfolio(5, "10600")}, [*EXECUTIONS, liquidated], known) == {"trend": Decimal(0)}


def test_between_two_marks_of_one_moment_the_one_before_counts() -> None:
    known = marks((4, "61500"), (5, "61700"))

    assert equity_errors({"trend": portfolio(5, "10626", "61500")}, EXECUTIONS, known) == {"trend": Decimal(0)}
    assert equity_errors({"trend": portfolio(5, "10686", "61700")}, EXECUTIONS, known) == {"trend": Decimal(0)}
    assert equity_errors({"trend": portfolio(6, "10626", "61500")}, EXECUTIONS, known) == {"trend": Decimal(60)}


def tally_of(*events: Any) -> Tally:
    tally = Tally(competitors={"trend"})
    for event in events:
        tally.add(event, 1_000)
    return tally


def test_the_summary_adds_up_what_the_topics_say() -> None:
    closed = RoundClosed.model_validate({
        "event_id": named_id("round"), "at": T0, "season_id": "s", "round": 1, "answered": 1, "missed": 0, "judged": 1,
    })  # fmt: skip
    rejected = SignalRejected.model_validate({
        **WHO, "event_id": named_id("rejected"), "at": T0, "round": 1, "signal_id": named_id("x"), "code": "LATE",
    })  # fmt: skip
    tally = tally_of(closed, rejected, *EXECUTIONS, portfolio(5, "10626"))
    seen = {str(named_id("trade", 1)): 1_012.0, str(named_id("trade", 9)): 5.0}

    found = summary(tally, marks((4, "61500")), seen, rss_bytes=900_400_000)

    assert found == {
        "competitors": 1, "rounds": 1, "signals": 0, "missed": 0, "rejected": 1, "fills": 2, "books_balanced": True,
        "max_equity_error_usd": 0.0, "fill_to_frame_ms_p99": 12.0, "fills_seen_on_page": 1, "rss_mb": 900,
    }  # fmt: skip


def test_books_balance_only_where_every_competitor_says_so() -> None:
    assert tally_of(portfolio(5, "10626")).books_balanced
    assert not tally_of(portfolio(5, "10626", books_balanced=False)).books_balanced
    assert not tally_of().books_balanced


@pytest.mark.parametrize(("values", "expected"), [([], None), ([5.0], 5.0), ([float(n) for n in range(1, 201)], 198.0)])
def test_a_percentile_is_the_nearest_rank(values: list[float], expected: float | None) -> None:
    assert percentile(values, 0.99) == expected
