"""Momentum: what has moved further than its noise goes on moving.

Long where the close rose over `lookback` three-minute bars by more than `entry_atr` ATR14 and the MACD is above zero;
short where both are below. Out when the MACD changes sign. Stop `stop_atr` ATR14 away.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from signal_runtime.core.decision import CoinDecision, Decision
from signal_runtime.core.sizing import Entry, close, enter, hold
from signal_runtime.core.view import Market, View, last

WARM_UP_BARS = 34
"""Three-minute bars until the MACD is warm."""


@dataclass(frozen=True, slots=True)
class Parameters:
    lookback: int = field(default=8, metadata={"low": 1, "high": 9})
    """Bars; a snapshot shows ten closes."""
    entry_atr: Decimal = field(default=Decimal(1), metadata={"low": 0, "high": 20})
    stop_atr: Decimal = field(default=Decimal(3), metadata={"low": Decimal("0.1"), "high": 50})
    reward: Decimal = field(default=Decimal("1.5"), metadata={"low": Decimal("0.1"), "high": 50})
    risk_rate: Decimal = field(default=Decimal("0.005"), metadata={"low": 0, "high": 1})
    leverage: Decimal = field(default=Decimal(5), metadata={"low": 1, "high": 200})
    positions: int = field(default=3, metadata={"low": 1, "high": 100})


def decide(parameters: Parameters, view: View) -> Decision:
    parts = [_decide(parameters, view, market) for market in view.markets]
    return Decision(tuple(part for part in parts if part))


def _decide(p: Parameters, view: View, market: Market) -> CoinDecision | None:
    held = view.positions.get(market.spec.instrument)
    series = market.now.intraday
    macd, atr = last(series.macd), last(series.atr14)
    if macd is None or not atr or len(series.close) <= p.lookback:
        return hold(market, "The indicators are not warm yet.") if held else None
    if held:
        return _held(market, held.quantity > 0, macd)
    moved = (series.close[-1] - series.close[-1 - p.lookback]) / atr
    if len(view.positions) >= p.positions or abs(moved) <= p.entry_atr or (moved > 0) != (macd > 0):
        return None
    entry = Entry(
        buys=moved > 0,
        stop_distance=p.stop_atr * atr,
        reward=p.reward,
        risk_rate=p.risk_rate,
        leverage=min(p.leverage, view.season.rules.leverage_max),
        confidence=min(Decimal("0.5") + abs(moved).quantize(Decimal("0.01")) / 20, Decimal("0.9")),
        justification=f"Moved {moved:+.2f} ATR in {p.lookback} bars, MACD {macd:+.6g} agrees.",
        invalidation="3-minute MACD changes sign",
        slots=p.positions,
    )
    return enter(view, market, entry)


def _held(market: Market, is_long: bool, macd: Decimal) -> CoinDecision:
    if (macd > 0) == is_long:
        return hold(market, f"MACD {macd:+.6g} still agrees with the {'long' if is_long else 'short'}.")
    return close(market, f"MACD {macd:+.6g} has turned against the {'long' if is_long else 'short'}.")
