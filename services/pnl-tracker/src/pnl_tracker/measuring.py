"""Metrics from the stored equity series and trades: read once for all that are asked, as streams."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from chassis.step import Connection
from contracts.base import named_id
from contracts.portfolios import MetricsReported

from pnl_tracker.core.metrics import Series, of_series, of_sums, of_trips
from pnl_tracker.core.money import exact
from pnl_tracker.core.reports import MetricsWanted
from pnl_tracker.core.trips import Trip, Trips
from pnl_tracker.core.unit import Key

FETCHED = 500

MINUTES = """
select at, equity, exposure_gross from equity
where (season_id, competitor_id, cause) = ($1, $2, 'minute') and at > $3 and at <= $4 order by at
"""
TRADES = """
select season_id, competitor_id, instrument, side, quantity, price, fee, at from trades
where partition = $1 and season_id = any($2) and competitor_id = any($3) and at <= $4 order by number
"""


class Asked(NamedTuple):
    number: int
    key: Key
    wanted: MetricsWanted


@dataclass
class _Trading:
    asked: Asked
    trips: list[Trip] = field(default_factory=list)
    fold: Trips = field(default_factory=Trips)


async def measured(db: Connection, partition: int, asked: Sequence[Asked]) -> dict[int, MetricsReported]:
    """The metrics of each, by number."""
    if not asked:
        return {}
    trips = await _traded(db, partition, asked)
    return {each.number: _metrics(each, await _series(db, each), trips[each.number]) for each in asked}


async def _series(db: Connection, asked: Asked) -> Series:
    wanted = asked.wanted
    series = Series(wanted.since, wanted.capital)
    async with db.transaction():
        async for at, equity, exposure in db.cursor(MINUTES, *asked.key, wanted.since, wanted.until, prefetch=FETCHED):
            with exact():
                series.take(at, equity, exposure)
    series.pass_to(wanted.until)
    return series


async def _traded(db: Connection, partition: int, asked: Sequence[Asked]) -> dict[int, list[Trip]]:
    """The trades are read once, in the order in which they were posted."""
    trading = [_Trading(each) for each in asked]
    by_key: dict[Key, list[_Trading]] = {}
    for each in trading:
        by_key.setdefault(each.asked.key, []).append(each)
    seasons, competitors = (sorted(set(part)) for part in zip(*by_key, strict=True))
    until = max(each.wanted.until for each in asked)
    async with db.transaction():
        async for row in db.cursor(TRADES, partition, seasons, competitors, until, prefetch=FETCHED):
            season_id, competitor_id, *trade = row
            for each in by_key.get((season_id, competitor_id), ()):
                _take(each, *trade)
    return {each.asked.number: each.trips for each in trading}


def _take(
    trading: _Trading, instrument: str, side: str, quantity: Decimal, price: Decimal, fee: Decimal, at: datetime
) -> None:
    if at > trading.asked.wanted.until:
        return
    with exact():
        trip = trading.fold.take(instrument, quantity if side == "buy" else -quantity, price, fee, at)
    if trip is not None:
        trading.trips.append(trip)


def _metrics(asked: Asked, series: Series, trips: Sequence[Trip]) -> MetricsReported:
    (season_id, competitor_id), wanted = asked.key, asked.wanted
    with exact():
        figures = (
            of_series(series)
            | of_trips(trips)
            | of_sums(
                capital=wanted.capital,
                gross=wanted.realised_pnl + wanted.unrealised_pnl,
                fees=wanted.fees,
                funding=wanted.funding,
                turnover=wanted.turnover,
            )
        )
    return MetricsReported(
        event_id=named_id("metrics", season_id, competitor_id, wanted.scope, wanted.until.isoformat()),
        at=wanted.until,
        season_id=season_id,
        competitor_id=competitor_id,
        scope=wanted.scope,
        since=wanted.since,
        until=wanted.until,
        **figures,
    )
