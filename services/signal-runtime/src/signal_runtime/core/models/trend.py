"""Trend following: with the slower average's side, for as long as it lasts.

The gap is (EMA20 - EMA50) / ATR14 on three-minute bars. Long above `gap_atr`, short below -`gap_atr`. Out when the gap
changes sign; with `flips` straight into the other side if it is beyond `gap_atr` there. Stop `stop_atr` ATR14 away.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from signal_runtime.core.decision import CoinDecision, Decision
from signal_runtime.core.sizing import Entry, close, enter, hold
from signal_runtime.core.view import Market, View, last

WARM_UP_BARS = 50


@dataclass(frozen=True, slots=True)
class Parameters:
    gap_atr: Decimal = field(default=Decimal("0.5"), metadata={"low": 0, "high": 20})
    flips: bool = False
    stop_atr: Decimal = field(default=Decimal(3), metadata={"low": Decimal("0.1"), "high": 50})
    reward: Decimal = field(default=Decimal(3), metadata={"low": Decimal("0.1"), "high": 50})
    risk_rate: Decimal = field(default=Decimal("0.0075"), metadata={"low": 0, "high": 1})
    leverage: Decimal = field(default=Decimal(5), metadata={"low": 1, "high": 200})
    positions: int = field(default=4, metadata={"low": 1, "high": 100})


def decide(parameters: Parameters, view: View) -> Decision:
    parts = [_decide(parameters, view, market) for market in view.markets]
    return Decision(tuple(part for part in parts if part))


def _decide(p: Parameters, view: View, market: Market) -> CoinDecision | None:
    held = view.positions.get(market.spec.instrument)
    series = market.now.intraday
    fast, slow, atr = last(series.ema20), last(series.ema50), last(series.atr14)
    if fast is None or slow is None or not atr:
        return hold(market, "The averages are not warm yet.") if held else None
    gap = (fast - slow) / atr
    beyond = abs(gap) > p.gap_atr
    if held and (gap > 0) == (held.quantity > 0):
        return hold(market, f"EMA20 is {gap:+.2f} ATR from EMA50: the trend goes on.")
    if held and not (p.flips and beyond):
        return close(market, f"EMA20 is {gap:+.2f} ATR from EMA50: the trend has turned.")
    if not beyond or (not held and len(view.positions) >= p.positions):
        return None
    turned = _entry(p, view, market, gap, atr, flipping=held is not None)
    return turned or (close(market, "The trend has turned; no margin for the other side.") if held else None)


def _entry(
    p: Parameters, view: View, market: Market, gap: Decimal, atr: Decimal, *, flipping: bool
) -> CoinDecision | None:
    side = "up" if gap > 0 else "down"
    entry = Entry(
        buys=gap > 0,
        stop_distance=p.stop_atr * atr,
        reward=p.reward,
        risk_rate=p.risk_rate,
        leverage=min(p.leverage, view.season.rules.leverage_max),
        confidence=min(Decimal("0.5") + abs(gap).quantize(Decimal("0.01")) / 10, Decimal("0.9")),
        justification=f"EMA20 is {gap:+.2f} ATR from EMA50: the trend is {side}{', flipping' if flipping else ''}.",
        invalidation="EMA20 crosses EMA50 on 3-minute bars",
        slots=p.positions,
    )
    return enter(view, market, entry)
