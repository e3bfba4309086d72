"""A decision as events: one part a coin, sizes cut to the lot, prices put on the tick."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from contracts.competition import DecisionRequested, SeasonChanged
from contracts.market import InstrumentListed
from contracts.signals import Attempt, DecisionMissed, ExitChanges, ExitPlan, MissReason, SignalProposed

from signal_runtime.core.decision import CoinDecision, Decision


@dataclass(frozen=True, slots=True)
class Asked:
    """What all parts of an answer share."""

    request: DecisionRequested
    season: SeasonChanged
    at: datetime
    """When the answer was there, in arena time."""
    traceparent: str = ""

    @property
    def effective_at(self) -> datetime:
        """At the deadline for all alike; with `as_decided` a latency after the answer."""
        if self.season.rules.execution == "deadline":
            return self.request.effective_at
        return max(self.at, self.request.effective_at) + timedelta(milliseconds=self.season.rules.latency_ms)


def signals(
    asked: Asked, decision: Decision, specs: Mapping[str, InstrumentListed], attempt: Attempt
) -> list[SignalProposed]:
    """At least one part: a decision that touches nothing is a `hold` of everything."""
    coins: Sequence[CoinDecision | None] = decision.coins or (None,)
    return [_part(asked, number, len(coins), coin, specs, attempt) for number, coin in enumerate(coins, 1)]


def missed(asked: Asked, reason: MissReason, detail: str, attempt: Attempt | None) -> DecisionMissed:
    request = asked.request
    return DecisionMissed(
        event_id=request.child_id("missed"),
        at=asked.at,
        traceparent=asked.traceparent,
        season_id=request.season_id,
        competitor_id=request.competitor_id,
        round=request.round,
        reason=reason,
        detail=detail[:1_000],
        deadline=request.deadline,
        effective_at=asked.effective_at,
        attempt=attempt,
    )


def _part(
    asked: Asked,
    number: int,
    parts: int,
    coin: CoinDecision | None,
    specs: Mapping[str, InstrumentListed],
    attempt: Attempt,
) -> SignalProposed:
    request = asked.request
    decided = _hold_all() if coin is None else _decided(coin, asked.season, specs)
    return SignalProposed.model_validate(
        {
            "event_id": request.child_id(f"part/{number}"),
            "at": asked.at,
            "traceparent": asked.traceparent,
            "season_id": request.season_id,
            "competitor_id": request.competitor_id,
            "round": request.round,
            "decision_id": request.child_id("decision"),
            "part": number,
            "parts": parts,
            "deadline": request.deadline,
            "effective_at": asked.effective_at,
            "attempt": attempt,
            **decided,
        }
    )


def _hold_all() -> dict[str, object]:
    return {"action": "hold", "justification": "It touches nothing this round."}


def _decided(coin: CoinDecision, season: SeasonChanged, specs: Mapping[str, InstrumentListed]) -> dict[str, object]:
    instrument = instrument_of(coin.coin, season, specs)
    spec = specs.get(instrument)
    limited = coin.limit_price is not None and coin.signal in ("buy_to_enter", "sell_to_enter")
    changes = coin.signal == "change_exits"
    return {
        "action": coin.signal,
        "instrument": instrument,
        "quantity": _lot(coin.quantity, spec),
        "order_type": "limit" if limited else "market",
        "limit_price": _passive(coin, spec) if limited else None,
        "time_in_force": (coin.time_in_force or "IOC") if limited else "IOC",
        "leverage": coin.leverage,
        "exit_plan": None if changes else _exit_plan(coin, spec),
        "exit_changes": _exit_changes(coin, spec) if changes else None,
        "confidence": coin.confidence,
        "risk_usd": coin.risk_usd,
        "justification": coin.justification,
    }


def instrument_of(coin: str, season: SeasonChanged, specs: Mapping[str, InstrumentListed]) -> str:
    """`BTC` is the season's instrument with that base. One that is not of the season goes on by its would-be name: the
    risk gate refuses it where everybody sees it.
    """
    if "-" in coin:
        return coin
    named = [name for name in season.rules.instruments if name in specs and specs[name].base == coin]
    named += [name for name in season.rules.instruments if coin in (name.partition("-")[0], _joined(name))]
    return named[0] if named else f"{coin}-USDT-PERP"


def _joined(name: str) -> str:
    """`BTCUSDT` of BTC-USDT-PERP."""
    return "".join(name.split("-")[:2])


def _lot(quantity: Decimal | None, spec: InstrumentListed | None) -> Decimal | None:
    """Down to whole lots. Less than one lot stays as it was said: the gate's refusal names the number."""
    if quantity is None or spec is None:
        return quantity
    return (quantity / spec.lot_size).to_integral_value(ROUND_DOWN) * spec.lot_size or quantity


def _tick(price: Decimal | None, spec: InstrumentListed | None, rounding: str = ROUND_HALF_EVEN) -> Decimal | None:
    """Less than one tick stays as it was said."""
    if price is None or spec is None:
        return price
    return (price / spec.tick_size).to_integral_value(rounding) * spec.tick_size or price


def _passive(coin: CoinDecision, spec: InstrumentListed | None) -> Decimal | None:
    """A limit never becomes worse for its owner than it was said."""
    return _tick(coin.limit_price, spec, ROUND_FLOOR if coin.signal == "buy_to_enter" else ROUND_CEILING)


def _exit_plan(coin: CoinDecision, spec: InstrumentListed | None) -> ExitPlan | None:
    """Prices on the tick; a condition's as it was said: closes and marks are compared with it, nothing trades at it."""
    take_profit, stop_loss = _tick(coin.profit_target, spec), _tick(coin.stop_loss, spec)
    if take_profit is None and stop_loss is None and coin.invalidation is None and not coin.invalidation_condition:
        return None
    return ExitPlan(
        take_profit=take_profit,
        stop_loss=stop_loss,
        invalidation=coin.invalidation_condition,
        invalidation_condition=coin.invalidation,
    )


def _exit_changes(coin: CoinDecision, spec: InstrumentListed | None) -> ExitChanges:
    return ExitChanges(
        take_profit=_tick(coin.profit_target, spec),
        stop_loss=_tick(coin.stop_loss, spec),
        invalidation_condition=coin.invalidation,
    )
