"""Signal quality of every competitor of a season through a round's opening. docs/reference/evaluation.md defines it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any, NamedTuple

from contracts.base import named_id
from contracts.evaluation import SignalsEvaluated

from pnl_tracker.core.money import ZERO, exact, quotient
from pnl_tracker.core.plans import Closing, outcomes
from pnl_tracker.core.scoring import Entry, Marks, brier, calibration, calibration_error, horizon_score, scored

HORIZONS = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
CALIBRATED_AT = HORIZONS[1]
WINDOW_ROUNDS = 2_000


class Answer(NamedTuple):
    """One decision, made or missed."""

    competitor_id: str
    round: int
    missed: bool
    offline: bool
    latency_ms: int | None
    cost_usd: Decimal | None


@dataclass
class Seen:
    """Everything of the season's last rounds before `round` opened."""

    season_id: str
    round: int
    at: datetime
    marks: Marks
    answers: Sequence[Answer]
    entries: Sequence[Entry]
    closings: Sequence[Closing]


def evaluate(seen: Seen) -> list[SignalsEvaluated]:
    """One event a competitor that was asked, in order of their names."""
    answers, entries, closings = (_by_competitor(each) for each in (seen.answers, seen.entries, seen.closings))
    pairs = _pairs(seen.entries)
    with exact():
        return [
            _evaluated(seen, name, answers[name], entries[name], closings[name], pairs.get(name, (0, 0)))
            for name in sorted(answers)
        ]


def _evaluated(
    seen: Seen, name: str, answers: Sequence[Answer], entries: Sequence[Entry], closings: Sequence[Closing],
    pairs: tuple[int, int],
) -> SignalsEvaluated:  # fmt: skip
    found = {horizon: scored(entries, seen.marks, horizon) for horizon in HORIZONS}
    bins = calibration(found[CALIBRATED_AT])
    opposed, compared = pairs
    return SignalsEvaluated(
        event_id=named_id("signals-evaluated", seen.season_id, name, str(seen.round)),
        at=seen.at,
        season_id=seen.season_id,
        competitor_id=name,
        round=seen.round,
        rounds=min(seen.round - 1, WINDOW_ROUNDS),
        entries=len(entries),
        horizons=tuple(horizon_score(horizon, each) for horizon, each in found.items()),
        brier=brier(found[CALIBRATED_AT]),
        calibration=bins,
        calibration_error=calibration_error(bins),
        plans=outcomes(entries, closings, seen.marks),
        disagreement=quotient(Decimal(opposed), Decimal(compared)) if compared else None,
        compared=compared,
        **_of_answers(answers),
    )


def _of_answers(answers: Sequence[Answer]) -> dict[str, Any]:
    latencies = sorted(answer.latency_ms for answer in answers if answer.latency_ms is not None)
    costs = [answer.cost_usd for answer in answers if answer.cost_usd is not None]
    cost = sum(costs, ZERO) if costs else None
    return {
        "decisions": len(answers),
        "missed": sum(answer.missed for answer in answers),
        "offline": sum(answer.offline for answer in answers),
        "latency_ms_mean": quotient(Decimal(sum(latencies)), Decimal(len(latencies))) if latencies else None,
        "latency_ms_p95": Decimal(latencies[ceil(len(latencies) * 0.95) - 1]) if latencies else None,
        "cost_usd": cost,
        "cost_per_decision_usd": None if cost is None else quotient(cost, Decimal(len(answers))),
    }


def _pairs(entries: Iterable[Entry]) -> Mapping[str, tuple[int, int]]:
    """By competitor: how many others entered the same instrument in its round the other way, and how many at all."""
    together: defaultdict[tuple[int, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        together[entry.round, entry.instrument].append(entry)
    found: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for group in together.values():
        longs = sum(entry.direction > 0 for entry in group)
        for entry in group:
            others = len(group) - longs if entry.direction > 0 else longs
            opposed, compared = found[entry.competitor_id]
            found[entry.competitor_id] = opposed + others, compared + len(group) - 1
    return found


def _by_competitor(rows: Iterable[Any]) -> defaultdict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.competitor_id].append(row)
    return found
