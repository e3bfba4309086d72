"""What evaluation reads, as rows: written as it comes from the topics, idempotent, and read back a season at a time."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from chassis.step import Connection
from contracts.base import Event
from contracts.competition import RoundClosed
from contracts.market import MarketSnapshot
from contracts.signals import DecisionMissed, SignalProposed

from pnl_tracker.core.evaluation import WINDOW_ROUNDS, Answer, Seen
from pnl_tracker.core.plans import Closing
from pnl_tracker.core.scoring import Entry, Marks

Row = tuple[Any, ...]
_DIRECTIONS = {"buy_to_enter": 1, "sell_to_enter": -1}

_TABLES = {
    "round_marks": "text int timestamptz text numeric",
    "rounds_closed": "text int int",
    "answers": "text int text bool bool bigint numeric",
    "entries": "text int text int text int numeric numeric numeric numeric",
}
_KEEP = {
    table: f"insert into {table} select * from unnest("  # noqa: S608  # our own names
    + ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(types.split(), start=1))
    + ") on conflict do nothing"
    for table, types in _TABLES.items()
}

READY = """
select r.season_id, r.round, max(r.at) from round_marks r left join evaluated e on e.season_id = r.season_id
where r.round = coalesce(e.round, 1) + $1
and (select count(*) from rounds_closed c where c.season_id = r.season_id and c.round < r.round) = r.round - 1
and (select sum(decisions) from rounds_closed c where c.season_id = r.season_id and c.round < r.round)
    <= (select count(*) from answers a where a.season_id = r.season_id and a.round < r.round)
and (select min(a.round) from accounts a where a.season_id = r.season_id) >= r.round
group by r.season_id, r.round
"""
"""Seasons whose next evaluation is due, all that it counts being there: of a round that the books have not passed
yet, a trade could still come."""

MARKS = "select round, at, instrument, mark_price from round_marks where season_id = $1 and round between $2 and $3"
ANSWERS = """
select competitor_id, round, missed, offline, latency_ms, cost_usd from answers
where season_id = $1 and round >= $2 and round < $3 order by round, competitor_id
"""
ENTRIES = """
select competitor_id, round, instrument, direction, confidence, risk_usd, take_profit, stop_loss from entries
where season_id = $1 and round >= $2 and round < $3 order by round, competitor_id, part
"""
CLOSINGS = """
select competitor_id, instrument, purpose, case side when 'sell' then 1 else -1 end, price, realised_pnl, at from trades
where season_id = $1 and at > $2 and at <= $3 and (purpose <> 'decision' or realised_pnl <> 0)
order by partition, number
"""
TOLD = "insert into evaluated values ($1, $2) on conflict (season_id) do update set round = excluded.round"


async def keep(db: Connection, events: Iterable[Event]) -> None:
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for event in events:
        _take(event, rows)
    async with db.transaction():
        for table, some in rows.items():
            await db.execute(_KEEP[table], *(list(column) for column in zip(*some, strict=True)))


def _take(event: Event, rows: defaultdict[str, list[Row]]) -> None:
    match event:
        case MarketSnapshot():
            rows["round_marks"] += [
                (event.season_id, event.round, event.at, each.instrument, each.mark_price)
                for each in event.instruments
                if each.mark_price is not None
            ]
        case RoundClosed():
            rows["rounds_closed"].append((event.season_id, event.round, event.answered + event.missed))
        case SignalProposed() | DecisionMissed():
            _take_signal(event, rows)


def _take_signal(event: SignalProposed | DecisionMissed, rows: defaultdict[str, list[Row]]) -> None:
    """An answer is there with its last part: its parts come in order."""
    key = event.season_id, event.round, event.competitor_id
    if isinstance(event, SignalProposed):
        if (direction := _DIRECTIONS.get(event.action)) is not None:
            plan = event.exit_plan
            stated = (plan.take_profit, plan.stop_loss) if plan else (None, None)
            entry = (event.part, event.instrument, direction, event.confidence, event.risk_usd, *stated)
            rows["entries"].append((*key, *entry))
        if event.part < event.parts:
            return
    attempt, missed = event.attempt, isinstance(event, DecisionMissed)
    told = (attempt.offline, attempt.latency_ms, attempt.cost_usd) if attempt else (False, None, None)
    rows["answers"].append((*key, missed, *told))


async def due(db: Connection, every: int) -> list[tuple[str, int, Any]]:
    return [tuple(row) for row in await db.fetch(READY, every)]


async def seen(db: Connection, season_id: str, round: int, at: Any) -> Seen:
    since = max(1, round - WINDOW_ROUNDS)
    marks = _marks(await db.fetch(MARKS, season_id, since, round))
    opened = marks.opened.get(since, at)
    return Seen(
        season_id,
        round,
        at,
        marks,
        [Answer(*row) for row in await db.fetch(ANSWERS, season_id, since, round)],
        [Entry(*row) for row in await db.fetch(ENTRIES, season_id, since, round)],
        [Closing(*row) for row in await db.fetch(CLOSINGS, season_id, opened, at)],
    )


def _marks(rows: Iterable[Any]) -> Marks:
    opened: dict[int, Any] = {}
    prices: dict[tuple[int, str], Decimal] = {}
    for round, at, instrument, mark_price in rows:
        opened[round] = at
        prices[round, instrument] = mark_price
    return Marks(opened, prices)


async def told(db: Connection, season_id: str, round: int) -> None:
    await db.execute(TOLD, season_id, round)
