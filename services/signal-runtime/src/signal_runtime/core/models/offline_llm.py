"""Stands in for a language model where there is none: it reads the same view, forms an opinion of each coin, gives its
reasons in words and answers in text that goes through the same parser as a real reply. Same view, same text.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from contracts.portfolios import PositionView
from contracts.signals import Condition
from contracts.types import plain

from signal_runtime.core.decision import CoinDecision, Decision, write_reply
from signal_runtime.core.draws import draw
from signal_runtime.core.sizing import Entry, close, enter, hold, to_lot, to_tick
from signal_runtime.core.view import Market, View, last


@dataclass(frozen=True, slots=True)
class Persona:
    intro: str
    enters_at: Decimal
    """Conviction, 0 to 1, from which it enters."""
    leaves_at: Decimal
    """Conviction against its position from which it leaves."""
    follows: int
    """1 with the market, -1 against it."""
    leverage: Decimal
    risk_rate: Decimal
    stop_atr: Decimal
    reward: Decimal
    positions: int
    oversteps: Decimal
    """Chance an entry that it asks for more than the rules allow."""
    fenced: bool
    """Whether it puts its JSON into a fence or between its sentences."""


PERSONAS = {
    "careful": Persona(
        "I keep my size small and act only where several readings agree.",
        Decimal("0.6"), Decimal("0.3"), 1, Decimal(3), Decimal("0.004"), Decimal(3), Decimal(2), 3, Decimal(0), True,
    ),
    "reckless": Persona(
        "Fortune favours the bold. I size up when I feel it.",
        Decimal("0.3"), Decimal("0.4"), 1, Decimal(10), Decimal("0.02"), Decimal(2), Decimal(3), 4,
        Decimal("0.2"), False,
    ),
    "contrarian": Persona(
        "When everyone leans one way, I look the other way.",
        Decimal("0.5"), Decimal("0.4"), -1, Decimal(5), Decimal("0.006"), Decimal(3), Decimal("1.5"), 3,
        Decimal(0), True,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parameters:
    persona: str = field(default="careful", metadata={"choices": tuple(PERSONAS)})


def reply(parameters: Parameters, view: View) -> str:
    persona = PERSONAS[parameters.persona]
    parts = [_decide(persona, view, market) for market in view.markets]
    decision = Decision(tuple(part for part in parts if part))
    acts = sum(part.signal != "hold" for part in decision.coins)
    intro = f"{persona.intro} I looked at {len(view.markets)} coins and act on {acts}."
    return _fenced(intro, decision) if persona.fenced else _bare(intro, decision)


# An empty object within prose would say nothing, so a decision that touches nothing stands alone.
def _fenced(intro: str, decision: Decision) -> str:
    return f"{intro}\n\n```json\n{write_reply(decision)}\n```\n" if decision.coins else "{}"


def _bare(intro: str, decision: Decision) -> str:
    return f"{intro}\n{write_reply(decision)}\nThat is all." if decision.coins else "{}"


@dataclass(frozen=True, slots=True)
class Opinion:
    conviction: Decimal
    """-1 (falls) to 1 (rises)."""
    reasons: str


def _opinion(persona: Persona, view: View, market: Market) -> Opinion:
    """The mean of the readings that are warm, with a little mood of its own; mood alone where none is."""
    series = market.now.intraday
    average, macd, rsi = last(series.ema20), last(series.macd), last(series.rsi7)
    readings: list[tuple[Decimal, str]] = []
    if average is not None:
        above = market.price > average
        readings.append((Decimal(1 if above else -1), f"price is {'above' if above else 'below'} its EMA20"))
    if macd is not None:
        readings.append((Decimal(1 if macd > 0 else -1), f"MACD is {'positive' if macd > 0 else 'negative'}"))
    if rsi is not None:
        readings.append(((rsi - 50) / 50, f"RSI7 stands at {rsi:.0f}"))
    mood = draw(view.seed, f"{market.coin}/mood") * 2 - 1
    if not readings:
        return Opinion(mood, "no indicator is warm yet, so this is a hunch")
    mean = sum((value for value, _ in readings), Decimal(0)) / len(readings)
    conviction = persona.follows * (mean * Decimal("0.8") + mood * Decimal("0.2"))
    return Opinion(conviction, ", ".join(reason for _, reason in readings))


def _decide(persona: Persona, view: View, market: Market) -> CoinDecision | None:
    opinion = _opinion(persona, view, market)
    held = view.positions.get(market.spec.instrument)
    strength = abs(opinion.conviction).quantize(Decimal("0.01"))
    if held:
        return _held(persona, market, held, opinion)
    if strength < persona.enters_at or len(view.positions) >= persona.positions:
        return None
    entered = enter(view, market, _entry(persona, view, market, opinion, strength))
    return _overstepping(persona, view, market, entered) if entered else None


def _held(persona: Persona, market: Market, held: PositionView, opinion: Opinion) -> CoinDecision:
    side = "long" if held.quantity > 0 else "short"
    agrees = opinion.conviction if held.quantity > 0 else -opinion.conviction
    if agrees < -persona.leaves_at:
        return close(market, f"I leave the {side}: {opinion.reasons}.", abs(agrees).quantize(Decimal("0.01")))
    return hold(market, f"I keep the {side} ({held.unrealised_pnl:+.2f} USD): {opinion.reasons}; my plan stands.")


def _entry(persona: Persona, view: View, market: Market, opinion: Opinion, strength: Decimal) -> Entry:
    buys = opinion.conviction > 0
    atr = last(market.now.intraday.atr14)
    # Without a warm ATR the stop stands half a per cent away.
    distance = persona.stop_atr * atr if atr else market.price * Decimal("0.005")
    condition = _condition(market, distance, buys=buys)
    return Entry(
        buys=buys,
        stop_distance=distance,
        reward=persona.reward,
        risk_rate=persona.risk_rate,
        leverage=min(persona.leverage, view.season.rules.leverage_max),
        confidence=strength,
        justification=f"I go {'long' if buys else 'short'}: {opinion.reasons}.",
        invalidation=f"A 3-minute bar closes {condition.comparison} {plain(condition.price)}.",
        condition=condition,
        slots=persona.positions,
    )


def _condition(market: Market, stop_distance: Decimal, *, buys: bool) -> Condition:
    """A bar that closes two thirds of the way to the stop, and at least a tick above zero."""
    away = stop_distance * 2 / 3
    price = to_tick(market.price - away if buys else market.price + away, market)
    return Condition(comparison="below" if buys else "above", price=max(price, market.spec.tick_size), interval="3m")


def _overstepping(persona: Persona, view: View, market: Market, part: CoinDecision) -> CoinDecision:
    """Now and then a bold one asks for too much leverage or size, half the time each. The gate is there for it."""
    if draw(view.seed, f"{market.coin}/oversteps") >= persona.oversteps:
        return part
    rules = view.season.rules
    if draw(view.seed, f"{market.coin}/how") < Decimal("0.5"):
        leverage = min(rules.leverage_max * 2, Decimal(200))
        return replace(part, leverage=leverage, justification=f"{part.justification} All in at {leverage:.0f}x!")
    quantity = to_lot(rules.order_notional_max * 3 / market.price, market)
    return replace(part, quantity=quantity, justification=f"{part.justification} Three times the usual size!")
