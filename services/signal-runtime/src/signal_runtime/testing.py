"""A small market, made by hand, for the tests of this service."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts.canonical import snapshot_bytes
from contracts.competition import CompetitorRegistered, DecisionRequested, SeasonChanged, SeasonRules
from contracts.market import IndicatorSeries, InstrumentListed, InstrumentSnapshot, MarketSnapshot
from contracts.portfolios import PortfolioUpdated, PositionView

from signal_runtime.core.view import View

START = datetime(2026, 1, 1, tzinfo=UTC)
SHA = "ab" * 32
BTC, ETH = "BTC-USDT-PERP", "ETH-USDT-PERP"


def season(**changes: Any) -> SeasonChanged:
    rules: dict[str, Any] = {
        "instruments": (BTC, ETH),
        "capital": Decimal(10_000),
        "cadence_s": 180,
        "deadline_s": 30,
        "leverage_max": Decimal(10),
        "order_notional_max": Decimal(20_000),
        "position_notional_max": Decimal(30_000),
        "price_band": Decimal("0.02"),
    }
    return SeasonChanged(
        event_id=UUID(int=1),
        at=START,
        season_id="s1",
        name="S1",
        venue="synthetic",
        clock=changes.pop("clock", "lockstep"),
        starts_at=START,
        rules=SeasonRules(**{**rules, **changes}),
        rules_sha256=SHA,
    )


def spec(instrument: str = BTC) -> InstrumentListed:
    return InstrumentListed(
        event_id=UUID(int=2),
        at=START,
        instrument=instrument,
        venue="synthetic",
        base=instrument.partition("-")[0],
        quote="USDT",
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.001"),
        quantity_min=Decimal("0.001"),
        quantity_max=Decimal(1_000),
        notional_min=Decimal(10),
        contract_value=Decimal(1),
        leverage_max=Decimal(50),
        maker_fee_rate=Decimal("0.0002"),
        taker_fee_rate=Decimal("0.0005"),
        funding_interval_hours=8,
    )


def series(interval: str = "3m", **values: Sequence[str | None]) -> IndicatorSeries:
    """Names of `IndicatorSeries`, oldest first; what is not given is empty."""
    names = ("close", "volume", "ema20", "ema50", "macd", "rsi7", "rsi14", "atr3", "atr14")
    return IndicatorSeries.model_validate(
        {"interval": interval, "closes_at": (), **{name: values.get(name, ()) for name in names}}
    )


def market(
    instrument: str = BTC, *, bid: str | None = "999.9", ask: str | None = "1000.1", **values: Any
) -> InstrumentSnapshot:
    return InstrumentSnapshot(
        instrument=instrument,
        bid=Decimal(bid) if bid else None,
        ask=Decimal(ask) if ask else None,
        mark_price=Decimal(1000),
        index_price=None,
        last_price=None,
        funding_rate=None,
        next_funding_at=None,
        open_interest=None,
        open_interest_average=None,
        intraday=series(**values),
        context=series("4h"),
    )


def snapshot(*markets: InstrumentSnapshot, number: int = 1) -> MarketSnapshot:
    made = MarketSnapshot(
        event_id=UUID(int=100 + number),
        at=START + timedelta(seconds=180 * (number - 1)),
        season_id="s1",
        round=number,
        venue="synthetic",
        instruments=markets,
        sha256=SHA,
    )
    return made.model_copy(update={"sha256": hashlib.sha256(snapshot_bytes(made)).hexdigest()})


def position(quantity: str, instrument: str = BTC) -> PositionView:
    return PositionView(
        instrument=instrument,
        quantity=Decimal(quantity),
        entry_price=Decimal(1000),
        mark_price=Decimal(1000),
        notional=abs(Decimal(quantity)) * 1000,
        unrealised_pnl=Decimal("12.5"),
        leverage=Decimal(5),
        margin=abs(Decimal(quantity)) * 200,
        opened_at=START,
    )


def portfolio(
    *positions: PositionView, competitor: str = "ann", number: int = 1, margin: str = "10000"
) -> PortfolioUpdated:
    zero = Decimal(0)
    return PortfolioUpdated(
        event_id=UUID(int=200 + number),
        at=START + timedelta(seconds=180 * (number - 1)),
        season_id="s1",
        competitor_id=competitor,
        seq=number,
        round=number,
        cause="round",
        capital=Decimal(10_000),
        equity=Decimal(10_000),
        cash=Decimal(10_000),
        realised_pnl=zero,
        unrealised_pnl=zero,
        fees=zero,
        funding=zero,
        margin_used=zero,
        margin_available=Decimal(margin),
        exposure_gross=zero,
        exposure_net=zero,
        positions=positions,
        trades=0,
        wins=0,
        fills=0,
        peak_equity=Decimal(10_000),
        max_drawdown=zero,
        turnover=zero,
        books_balanced=True,
    )


def competitor(name: str = "ann", model: str = "momentum", **parameters: str) -> CompetitorRegistered:
    return CompetitorRegistered(
        event_id=UUID(int=3),
        at=START,
        season_id="s1",
        competitor_id=name,
        name=name,
        mark="AA",
        hue=0,
        kind="quant",
        model=model,
        parameters=parameters,
        config_sha256=SHA,
    )


def request(name: str = "ann", number: int = 1, of: MarketSnapshot | None = None) -> DecisionRequested:
    opened = START + timedelta(seconds=180 * (number - 1))
    return DecisionRequested(
        event_id=UUID(int=300 + number),
        at=opened,
        traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01",
        season_id="s1",
        competitor_id=name,
        round=number,
        deadline=opened + timedelta(seconds=30),
        effective_at=opened + timedelta(seconds=30),
        snapshot_id=str((of or snapshot(number=number)).event_id),
        snapshot_sha256=(of or snapshot(number=number)).sha256,
    )


def view(
    *markets: InstrumentSnapshot,
    held: Sequence[PositionView] = (),
    name: str = "ann",
    number: int = 1,
    margin: str = "10000",
    **rules: Any,
) -> View:
    return View(
        request=request(name, number),
        season=season(**rules),
        competitor=competitor(name),
        snapshot=snapshot(*markets, number=number),
        portfolio=portfolio(*held, competitor=name, number=number, margin=margin),
        specs={BTC: spec(BTC), ETH: spec(ETH)},
    )
