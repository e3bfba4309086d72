"""Plan against deed: what an entry said would end its position, and what did."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from contracts.evaluation import PlanOutcomes

from pnl_tracker.core.money import mean, quotient
from pnl_tracker.core.scoring import Entry, Marks


class Closing(NamedTuple):
    """A trade that closed a position or a part of it."""

    competitor_id: str
    instrument: str
    purpose: str
    direction: int
    """Of what it closed: 1 long, -1 short."""
    price: Decimal
    realised_pnl: Decimal
    at: datetime


def outcomes(entries: Sequence[Entry], closings: Iterable[Closing], marks: Marks) -> PlanOutcomes:
    """Of one competitor. A closing belongs to the last entry of its side whose round had opened by then."""
    stated = _by_side(entries, marks)
    counts: Counter[str] = Counter()
    slips: list[Decimal] = []
    earned: list[Decimal] = []
    for closing in closings:
        counts[closing.purpose] += 1
        entry = _last_before(stated[closing.instrument, closing.direction], closing.at)
        if entry is None:
            continue
        if closing.purpose == "stop_loss" and entry.stop_loss:
            slips.append(quotient(closing.direction * (entry.stop_loss - closing.price), entry.stop_loss))
        if entry.risk_usd:
            earned.append(quotient(closing.realised_pnl, entry.risk_usd))
    return PlanOutcomes(
        **counts,
        stop_slippage=mean(slips),
        stated_reward_risk=mean([ratio for entry in entries if (ratio := reward_risk(entry, marks)) is not None]),
        realised_r=mean(earned),
    )


def reward_risk(entry: Entry, marks: Marks) -> Decimal | None:
    """(target - price) / (price - stop) at the mark it was shown; none where the two are not on either side of it."""
    price = marks.prices.get((entry.round, entry.instrument))
    if price is None or entry.take_profit is None or entry.stop_loss is None:
        return None
    reward, risk = entry.direction * (entry.take_profit - price), entry.direction * (price - entry.stop_loss)
    return quotient(reward, risk) if reward > 0 and risk > 0 else None


_Stated = tuple[list[datetime], list[Entry]]


def _by_side(entries: Iterable[Entry], marks: Marks) -> Mapping[tuple[str, int], _Stated]:
    stated: defaultdict[tuple[str, int], _Stated] = defaultdict(lambda: ([], []))
    for entry in sorted(entries, key=lambda entry: entry.round):
        if entry.round in marks.opened:
            times, known = stated[entry.instrument, entry.direction]
            times.append(marks.opened[entry.round])
            known.append(entry)
    return stated


def _last_before(stated: _Stated, at: datetime) -> Entry | None:
    times, known = stated
    index = bisect_right(times, at)
    return known[index - 1] if index else None
