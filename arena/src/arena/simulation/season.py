"""The season that a seed plays: its rules, its competitors, and when the market misbehaves."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from competition.season_file import SeasonFile
from contracts.competition import Clock

DAY = datetime(2026, 3, 2, tzinfo=UTC)
INSTRUMENTS = ("BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP")
FIELD: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("random", "baseline", {"turnover": "2.4", "exposure": "2", "held": "0.5"}),
    ("buy_and_hold", "baseline", {}),
    ("desk", "external", {}),
    ("babble", "llm", {}),
    ("desk", "external", {}),
    ("offline-llm", "llm", {"persona": "reckless"}),
    ("trend", "quant", {"gap_atr": "0.25", "stop_atr": "2", "flips": "true"}),
    ("momentum", "quant", {"risk_rate": "0.01"}),
    ("offline-llm", "llm", {"persona": "contrarian"}),
    ("mean_reversion", "quant", {}),
    ("hedge", "quant", {}),
)
"""(model, kind, parameters), again and again; the baselines of every season first."""


@dataclass(frozen=True)
class Hole:
    """Market records that are missing: of one instrument, or of all (None)."""

    instrument: str | None
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Plan:
    seed: int
    clock: Clock
    starts_at: datetime
    seconds: int
    step_s: int
    file: SeasonFile
    shock_at: datetime
    """From then on all prices are `shock` times what they would have been."""
    shock: Decimal | None
    holes: tuple[Hole, ...] = field(default=())

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(seconds=self.seconds)


def plan(seed: int, hours: float, competitors: int, *, clock: Clock | None = None) -> Plan:
    """Everything of it follows from the seed; it knows nothing of faults."""
    draw = random.Random(f"season/{seed}")
    clocks: tuple[Clock, ...] = ("lockstep", "lockstep", "live")
    drawn = draw.choice(clocks)
    chosen = clock or drawn
    step_s = draw.choice((15, 30, 60))
    # most seasons see a midnight with its funding and its statements, some a funding in the middle of the day
    offset_s = draw.choice((86_400, 86_400, 28_800)) - draw.randint(2, max(3, int(hours * 54))) * 60
    starts_at = DAY + timedelta(seconds=offset_s)
    file = SeasonFile.model_validate(_file(draw, seed, chosen, starts_at, step_s, competitors))
    shock = draw.choice((None, Decimal("0.98"), Decimal("1.03"), Decimal("0.93"), Decimal("1.1")))
    shock_at = starts_at + timedelta(seconds=hours * 3_600 * draw.uniform(0.4, 0.9))
    return Plan(seed, chosen, starts_at, int(hours * 3600), step_s, file, shock_at, shock)


def holes(plan: Plan, draw: random.Random, *, stale: bool, gap: bool) -> tuple[Hole, ...]:
    found = []
    for instrument in ([draw.choice(INSTRUMENTS)] if stale else []) + ([None] if gap else []):
        begins = plan.starts_at + timedelta(seconds=draw.randint(0, plan.seconds))
        found.append(Hole(instrument, begins, begins + timedelta(seconds=draw.randint(2, 20) * 30)))
    return tuple(found)


def _file(
    draw: random.Random, seed: int, clock: Clock, starts_at: datetime, step_s: int, competitors: int
) -> dict[str, Any]:
    return {
        "season_id": f"sim-{seed}",
        "name": "Simulated season",
        "venue": "synthetic",
        "clock": clock,
        "starts_at": starts_at,
        "rules": _rules(draw, step_s),
        "competitors": [_competitor(number) for number in range(competitors)],
    }


def _rules(draw: random.Random, step_s: int) -> dict[str, Any]:
    order_max = draw.choice((20_000, 60_000, 200_000))
    rules: dict[str, Any] = {
        "instruments": INSTRUMENTS,
        "capital": Decimal(10_000),
        "cadence_s": draw.choice((240, 300, 600)),
        "deadline_s": draw.choice((60, 90)),
        "execution": draw.choice(("deadline", "deadline", "as_decided")),
        "latency_ms": draw.choice((0, 500)),
        "leverage_max": Decimal(draw.choice((10, 50))),
        "order_notional_max": Decimal(order_max),
        "position_notional_max": Decimal(order_max * 3 // 2),
        "positions_max": draw.choice((1, 3, 3)),
        "price_band": draw.choice((None, Decimal("0.02"))),
        "price_stale_s": step_s * 2,
    }
    if draw.random() < 0.5:  # half of them
        rules["exposure"] = [{"name": "everyone", "scope": "arena", "gross_max": Decimal(order_max * 4)}]
    if draw.random() < 0.5:  # as above
        rules["breakers"] = [
            {"kind": "equity_drop", "limit": Decimal("0.05"), "window_s": 3_600, "cooling_s": 900},
            {"kind": "drawdown", "limit": Decimal("0.1"), "cooling_s": 1_800, "closes": True},
            {"kind": "reject_storm", "limit": Decimal(20), "window_s": 1_800, "cooling_s": 600},
        ]
    return rules


def _competitor(number: int) -> dict[str, Any]:
    model, kind, parameters = FIELD[number % len(FIELD)]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return {
        "competitor_id": f"{model.replace('_', '-')}-{number}",
        "name": f"{model} {number}",
        "mark": letters[number // 36] + letters[number % 36],
        "kind": kind,
        "model": model,
        "parameters": parameters,
    }
