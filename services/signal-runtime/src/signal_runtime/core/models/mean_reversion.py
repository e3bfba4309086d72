"""Mean reversion: what went too far comes back to its average.

Buys when RSI14 falls through `rsi_low`, sells when it rises through `rsi_high`: only on the bar of the crossing, so
that a resting order is placed once an excursion. `entry: limit` rests `limit_atr` ATR14 beyond the touch until it
fills; `entry: market` takes at once. Out when RSI14 is back beyond 50. Stop `stop_atr` ATR14 away.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from signal_runtime.core.decision import CoinDecision, Decision
from signal_runtime.core.sizing import Entry, close, enter, hold, to_tick
from signal_runtime.core.view import Market, View, last

WARM_UP_BARS = 16
MIDDLE = 50


@dataclass(frozen=True, slots=True)
class Parameters:
    rsi_low: Decimal = field(default=Decimal(30), metadata={"low": 1, "high": 50})
    rsi_high: Decimal = field(default=Decimal(70), metadata={"low": 50, "high": 99})
    entry: str = field(default="market", metadata={"choices": ("market", "limit")})
    limit_atr: Decimal = field(default=Decimal("0.1"), metadata={"low": 0, "high": 10})
    stop_atr: Decimal = field(default=Decimal(3), metadata={"low": Decimal("0.1"), "high": 50})
    reward: Decimal = field(default=Decimal(1), metadata={"low": Decimal("0.1"), "high": 50})
    risk_rate: Decimal = field(default=Decimal("0.005"), metadata={"low": 0, "high": 1})
    leverage: Decimal = field(default=Decimal(4), metadata={"low": 1, "high": 200})
    positions: int = field(default=4, metadata={"low": 1, "high": 100})


def decide(parameters: Parameters, view: View) -> Decision:
    parts = [_decide(parameters, view, market) for market in view.markets]
    return Decision(tuple(part for part in parts if part))


def _decide(p: Parameters, view: View, market: Market) -> CoinDecision | None:
    held = view.positions.get(market.spec.instrument)
    series = market.now.intraday
    rsi, before = last(series.rsi14), last(series.rsi14[:-1])
    atr = last(series.atr14)
    if rsi is None or before is None or not atr:
        return hold(market, "The indicators are not warm yet.") if held else None
    if held:
        return _held(market, held.quantity > 0, rsi)
    falls, rises = rsi < p.rsi_low <= before, rsi > p.rsi_high >= before
    if len(view.positions) >= p.positions or not (falls or rises):
        return None
    entry = Entry(
        buys=falls,
        stop_distance=p.stop_atr * atr,
        reward=p.reward,
        risk_rate=p.risk_rate,
        leverage=min(p.leverage, view.season.rules.leverage_max),
        confidence=Decimal("0.6"),
        justification=f"RSI14 went from {before:.1f} to {rsi:.1f}: too far, too fast.",
        invalidation="stopped out before RSI14 returns to 50",
        limit_price=_limit(p, market, falls, atr),
        slots=p.positions,
    )
    return enter(view, market, entry)


def _limit(p: Parameters, market: Market, buys: bool, atr: Decimal) -> Decimal | None:
    if p.entry == "market":
        return None
    return to_tick(market.bid - p.limit_atr * atr if buys else market.ask + p.limit_atr * atr, market)


def _held(market: Market, is_long: bool, rsi: Decimal) -> CoinDecision:
    if (rsi > MIDDLE) == is_long:
        return close(market, f"RSI14 is back at {rsi:.1f}: the excursion is over.")
    return hold(market, f"RSI14 {rsi:.1f} has not come back to {MIDDLE} yet.")
