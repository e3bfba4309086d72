"""A portfolio's own writer beside pydantic's serializer."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from contracts.portfolios import PortfolioUpdated, PositionView
from contracts.signals import ExitPlan
from contracts.wire import decode, encode
from hypothesis import given
from hypothesis import strategies as st

amounts = st.one_of(
    st.decimals("-1e9", "1e9", places=12),
    st.sampled_from([Decimal("0E-12"), Decimal("1E+3"), Decimal("1E-18"), Decimal("-0"), Decimal("0.10")]),
)
sizes = amounts.map(abs)
prices = st.one_of(
    st.decimals("0.000000000001", "1e9", places=12), st.sampled_from([Decimal("1E-18"), Decimal("1E+3")])
)
counts = st.integers(0, 2**40)
times = st.datetimes(timezones=st.just(UTC))
plans = st.sampled_from([None, ExitPlan(), ExitPlan(stop_loss=Decimal("1E+3"), profit_target=Decimal("0.10"))])


def views() -> st.SearchStrategy[PositionView]:
    return st.builds(
        PositionView, instrument=st.sampled_from(["BTC-USDT-PERP", "ETH-USDT-PERP"]), quantity=prices,
        entry_price=prices, mark_price=prices, notional=sizes, unrealised_pnl=amounts,
        leverage=st.decimals(1, 200, places=3), margin=sizes, liquidation_price=st.none() | prices,
        margin_mode=st.sampled_from(["cross", "isolated"]), opened_at=times, exit_plan=plans,
    )  # fmt: skip


def portfolios() -> st.SearchStrategy[PortfolioUpdated]:
    every: dict[str, Any] = dict.fromkeys(
        ("equity", "cash", "realised_pnl", "unrealised_pnl", "fees", "funding", "margin_available", "exposure_net",
         "peak_equity"), amounts,
    ) | dict.fromkeys(("capital", "margin_used", "exposure_gross", "turnover"), sizes)  # fmt: skip
    every |= dict.fromkeys(("margin_ratio", "leverage", "day_opening_equity"), st.none() | amounts)
    every |= dict.fromkeys(("liquidation_fees", "maintenance_margin"), st.none() | sizes)
    return st.builds(
        PortfolioUpdated, event_id=st.uuids(), at=times, season_id=st.just("season-1"), competitor_id=st.just("ann-1"),
        seq=counts, round=st.none() | st.integers(1, 1000), cause=st.sampled_from(["fill", "mark", "round"]),
        positions=st.lists(views(), max_size=3).map(tuple), trades=counts, wins=counts, fills=counts,
        max_drawdown=st.decimals(0, 1, places=12), books_balanced=st.booleans(), losing_streak=st.none() | counts,
        reconciled=st.none() | st.booleans(), **every,
    )  # fmt: skip


@given(portfolios())
def test_a_portfolio_is_written_byte_for_byte_as_the_serializer_writes_it(told: PortfolioUpdated) -> None:
    assert encode(told).value == told.__pydantic_serializer__.to_json(told)
    assert decode(told.topic, encode(told).value) == told


@given(views(), prices)
def test_what_is_kept_of_a_position_never_shows_in_one_that_differs(view: PositionView, price: Decimal) -> None:
    assert view.written
    for other in (view.liquidated_at(price), view.model_copy(update={"liquidation_price": price, "quantity": price})):
        told = PortfolioUpdated.made(**_any.__dict__ | {"positions": (other,)})
        assert told.to_json() == told.__pydantic_serializer__.to_json(told)
    assert view.liquidated_at(price) == view.model_copy(update={"liquidation_price": price})


_any = PortfolioUpdated(
    event_id="00000000-0000-0000-0000-000000000001", at=datetime(2026, 11, 22, tzinfo=UTC), season_id="s",
    competitor_id="ann", seq=1, cause="fill", trades=0, wins=0, fills=0, max_drawdown=Decimal(0), books_balanced=True,
    **dict.fromkeys(
        ("capital", "equity", "cash", "realised_pnl", "unrealised_pnl", "fees", "funding", "margin_used", "turnover",
         "margin_available", "exposure_gross", "exposure_net", "peak_equity"), Decimal(1),
    ),
)  # fmt: skip
