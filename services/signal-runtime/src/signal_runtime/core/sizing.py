"""How much to trade, and where it ends: sizes by volatility within the season's limits."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from contracts.signals import Condition

from signal_runtime.core.decision import CoinDecision
from signal_runtime.core.view import Market, View

LIMIT_USED_MAX = Decimal("0.95")
"""Of every limit and of the free margin: the price moves until the deadline, and the gate judges by the price there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a model wants before the limits are applied."""

    buys: bool
    stop_distance: Decimal
    """USD a unit."""
    reward: Decimal
    """Profit target in stop distances."""
    risk_rate: Decimal
    """Share of the equity that the stop loses."""
    leverage: Decimal
    confidence: Decimal
    justification: str
    invalidation: str = ""
    condition: Condition | None = None
    limit_price: Decimal | None = None
    slots: int = 1
    """Among how many entries the free margin is shared."""


def enter(view: View, market: Market, entry: Entry) -> CoinDecision | None:
    """quantity = equity * risk_rate / stop_distance, cut to the limits and the lot. None where too little is left."""
    price = entry.limit_price or (market.ask if entry.buys else market.bid)
    held = view.positions.get(market.spec.instrument)
    flips = abs(held.quantity) if held else Decimal(0)
    wanted = view.portfolio.equity * entry.risk_rate / entry.stop_distance
    quantity = to_lot(min(wanted, _notional_max(view, market, entry) / price - flips), market)
    if quantity < market.spec.quantity_min or quantity * price < market.spec.notional_min:
        return None
    side = 1 if entry.buys else -1
    stop = to_tick(price - side * entry.stop_distance, market)
    return CoinDecision(
        coin=market.coin,
        signal="buy_to_enter" if entry.buys else "sell_to_enter",
        quantity=quantity + flips,
        leverage=entry.leverage,
        profit_target=_above_zero(to_tick(price + side * entry.reward * entry.stop_distance, market)),
        stop_loss=_above_zero(stop),
        invalidation_condition=entry.invalidation,
        invalidation=entry.condition,
        justification=entry.justification,
        confidence=entry.confidence,
        risk_usd=(quantity * abs(price - stop)).quantize(Decimal("0.01")),
        limit_price=entry.limit_price,
        time_in_force="GTC" if entry.limit_price else None,
    )


def _notional_max(view: View, market: Market, entry: Entry) -> Decimal:
    """The free margin pays the initial margin, what a fill at the edge of the price band loses, and the fee."""
    rules = view.season.rules
    fee_rate = market.spec.taker_fee_rate if rules.taker_fee_rate is None else rules.taker_fee_rate
    free = max(view.portfolio.margin_available, Decimal(0)) / entry.slots
    by_margin = free / (1 / entry.leverage + rules.price_band_max + fee_rate)
    return min(rules.order_notional_max, rules.position_notional_max, by_margin) * LIMIT_USED_MAX


def to_lot(quantity: Decimal, market: Market) -> Decimal:
    lots = (quantity / market.spec.lot_size).to_integral_value(ROUND_DOWN)
    return max(lots, Decimal(0)) * market.spec.lot_size


def to_tick(price: Decimal, market: Market) -> Decimal:
    return (price / market.spec.tick_size).to_integral_value() * market.spec.tick_size


def _above_zero(price: Decimal) -> Decimal | None:
    return price if price > 0 else None


def hold(market: Market, justification: str, confidence: Decimal | None = None) -> CoinDecision:
    return CoinDecision(market.coin, "hold", justification=justification, confidence=confidence)


def close(market: Market, justification: str, confidence: Decimal | None = None) -> CoinDecision:
    return CoinDecision(market.coin, "close_position", justification=justification, confidence=confidence)
