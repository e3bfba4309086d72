"""Competitors that do what no well-behaved one does: `babble` talks to the parser, `desk` asks the gate for everything.

What they do follows from season, competitor and round alone, so that it does not depend on any fault.
"""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from contracts.competition import CompetitorRegistered
from contracts.signals import Attempt, SignalProposed
from signal_runtime.core.view import Market, View
from signal_runtime.models import Registry, Reply, SignalModel, bootstrap, pure
from signal_runtime.turn import Turn

from arena.simulation.faults import Faults

DESK = "desk"
NONSENSE = (
    "", "I would rather not say.", "{", '{"BTC": {"signal": "buy_to_enter", "quantity": "1,5"}}', "[]" * 50,
    '{"BTC": {"signal": "amend_order", "quantity": 1}}', '{"BTC": {"signal": "hold"}, "BTC-USDT-PERP": 3}',
    '{"BTC": {"signal": "buy_to_enter", "quantity": 1e400}}', "\x00", '{"BTC": {"signal": "change_exits"}}',
    '```json\n{"BTC": {"signal": "sell_to_enter", "quantity": 0.01, "leverage": 201}}\n```', "NaN", "null",
)  # fmt: skip
LATE_S = 3_600.0


class Unreliable(Registry):
    """Every model there is; each may be late, or say nonsense."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._all, self._faults = bootstrap(), faults
        self._all.register("babble", pure("babble", 0, _Nothing, lambda _, view: babble(view)))
        self._all.register(DESK, pure(DESK, 0, _Nothing, lambda *_: "{}"))

    def model_of(self, competitor: CompetitorRegistered) -> SignalModel:
        return _UnreliableModel(self._all.model_of(competitor), self._faults)


@dataclass(frozen=True)
class _Nothing:
    """No parameters."""


class _UnreliableModel:
    def __init__(self, model: SignalModel, faults: Faults) -> None:
        self._model, self._faults = model, faults
        self.name, self.offline, self.warm_up_bars = model.name, model.offline, model.warm_up_bars

    async def answer(self, view: View, turn: Turn) -> Reply:
        if self._faults.happens("llm_late"):
            await asyncio.sleep(LATE_S)
        if self._faults.happens("llm_malformed"):
            return Reply(self._faults.random.choice(NONSENSE))
        return await self._model.answer(view, turn)


def babble(view: View) -> str:
    """A reply of any form that the parser might meet, sensible or not."""
    draw = random.Random(view.seed)
    if draw.random() < 0.1:  # now and then
        return draw.choice(NONSENSE)
    coins = {market.coin: _said(draw, view, market) for market in view.markets if draw.random() < 0.7}
    return draw.choice(("{}", "So: {}", "```json\n{}\n```", "<think>hm</think>{}")).replace("{}", json.dumps(coins), 1)


def _said(draw: random.Random, view: View, market: Market) -> dict[str, Any]:
    said: dict[str, Any] = {
        "signal": draw.choice(("buy_to_enter", "sell_to_enter", "close_position", "hold", "cancel_orders")),
        "quantity": str(_size(draw, view, market)),
        "leverage": draw.choice((1, 5, 10, 20, 50, "3x")),
        "profit_target": str(_near(draw, market, 0.02)),
        "stop_loss": str(_near(draw, market, 0.02)),
        "justification": "because",
        "confidence": 0.5,
    }
    if draw.random() < 0.3:  # a third rests
        said |= {
            "limit_price": str(_near(draw, market, 0.003)),
            "time_in_force": draw.choice(("GTC", "POST_ONLY", "FOK", "IOC")),
        }  # fmt: skip
    return {name: value for name, value in said.items() if draw.random() < 0.95}


def _size(draw: random.Random, view: View, market: Market) -> Decimal:
    """Mostly within the rules, sometimes far beyond them, in lots."""
    usd = view.season.rules.order_notional_max * Decimal(
        str(draw.choice((0.01, 0.1, 0.2, 0.3, 0.5, 0.5, 0.9, 0.99, 3)))
    )
    return max(market.spec.lot_size, usd / market.price // market.spec.lot_size * market.spec.lot_size)


def _near(draw: random.Random, market: Market, share: float) -> Decimal:
    price = market.price * Decimal(str(round(1 + draw.uniform(-share, share), 6)))
    return price // market.spec.tick_size * market.spec.tick_size


def desk(view: View) -> Sequence[SignalProposed]:
    """Parts of every kind that the gate knows: triggers, amends, cancels, changed exits, isolated margin, expiries."""
    draw = random.Random(f"desk|{view.seed}")
    parts = [_part(draw, view, number) for number in range(1, draw.randint(1, 4) + 1)]
    return [_whole(view, number, len(parts), part) for number, part in enumerate(parts, 1)]


def _whole(view: View, number: int, parts: int, said: Mapping[str, Any]) -> SignalProposed:
    request = view.request
    shared = {
        "event_id": request.child_id(f"part/{number}"), "at": request.at, "season_id": request.season_id,
        "competitor_id": request.competitor_id, "round": request.round, "decision_id": request.child_id("decision"),
        "part": number, "parts": parts, "deadline": request.deadline, "effective_at": request.effective_at,
        "attempt": Attempt(model=DESK, offline=True, latency_ms=0),
    }  # fmt: skip
    try:
        return SignalProposed.model_validate({**shared, **said})
    except ValueError:
        return SignalProposed.model_validate(shared | {"action": "hold"})


def _part(draw: random.Random, view: View, number: int) -> dict[str, Any]:
    if not view.markets:
        return {"action": "hold"}
    market = draw.choice(view.markets)
    earlier = f"r{max(1, view.request.round - draw.randint(0, 2))}-{draw.randint(1, 4)}"
    named = {"instrument": market.spec.instrument, "target_client_order_id": earlier}
    action = draw.choices(
        ("enter", "close_position", "cancel_orders", "amend_order", "change_exits", "hold"), (10, 3, 2, 3, 2, 1)
    )[0]
    match action:
        case "enter":
            return _entry(draw, view, market, f"r{view.request.round}-{number}")
        case "cancel_orders":
            return {"action": action, **draw.choice((named, {"instrument": market.spec.instrument}, {}))}
        case "amend_order":
            changes = {"quantity": _size(draw, view, market), "limit_price": _near(draw, market, 0.004)}
            kept = {name: value for name, value in changes.items() if draw.random() < 0.7}
            return {"action": action, **named, **kept, "order_type": "limit" if "limit_price" in kept else "market"}
        case "change_exits":
            exits = {"take_profit": _near(draw, market, 0.01), "drop": draw.choice(((), ("stop_loss",)))}
            return {"action": action, "instrument": market.spec.instrument, "exit_changes": exits}
        case _:
            return {"action": action, "instrument": market.spec.instrument}


def _entry(draw: random.Random, view: View, market: Market, name: str) -> dict[str, Any]:
    buys = draw.random() < 0.5  # a coin
    said: dict[str, Any] = {
        "action": "buy_to_enter" if buys else "sell_to_enter",
        "instrument": market.spec.instrument,
        "quantity": _size(draw, view, market),
        "leverage": Decimal(draw.choice((2, 10, 20, 50))),
        "client_order_id": draw.choice((name, name, "again", "")),
        "reduce_only": draw.random() < 0.15,
        "margin_mode": draw.choice((None, None, "cross", "isolated")),
    }
    if draw.random() < 0.5:  # half of them rest
        said |= {"order_type": "limit", "limit_price": _near(draw, market, 0.003)}
        said["time_in_force"] = draw.choice(("GTC", "GTC", "POST_ONLY", "FOK"))
    if draw.random() < 0.3:
        said["exit_plan"] = {"take_profit": _near(draw, market, 0.01), "stop_loss": _near(draw, market, 0.01)}
    if draw.random() < 0.2:
        kind, on = draw.choice(("stop", "take_profit")), draw.choice(("mark", "last", "index"))
        said["trigger"] = {"kind": kind, "price": _near(draw, market, 0.004), "on": on}
    if draw.random() < 0.2:
        said["expires_at"] = view.request.effective_at + timedelta(seconds=draw.randint(1, 900))
    return said
