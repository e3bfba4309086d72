"""When an account is looked at though nothing happens to it: full minutes, midnights, ends of seasons."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from contracts.competition import SeasonChanged

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
DAYS_MAX = 400
"""Midnights in one gap of the data; of more, the last are told."""


class Sample(NamedTuple):
    """What an account was worth: a point of its equity series."""

    season_id: str
    competitor_id: str
    at: datetime
    cause: str
    """`minute`, or that of the portfolio that was told."""
    equity: Decimal
    exposure_gross: Decimal
    exposure_net: Decimal


def runs(season: SeasonChanged, moment: datetime) -> bool:
    """Whether its accounts are sampled at this minute: the one at or after its end is the last."""
    return season.starts_at <= moment and (season.ends_at is None or moment <= minute_at(season.ends_at))


def had(season: SeasonChanged, midnight: datetime) -> bool:
    """Whether the season had any of the day that ends at `midnight`."""
    return season.starts_at < midnight and (season.ends_at is None or season.ends_at > midnight - DAY)


def minute_after(moment: datetime) -> datetime:
    """The first full minute after `moment`."""
    return moment.replace(second=0, microsecond=0) + MINUTE


def midnight_after(moment: datetime) -> datetime:
    """The first 00:00 UTC after `moment`."""
    return datetime.combine(moment.date() + DAY, time(), UTC)


def is_midnight(moment: datetime) -> bool:
    return moment.time() == time()


def due(first: datetime, until: datetime, ends: Iterable[datetime]) -> list[datetime]:
    """The full minutes from `first` to `until` at which there is something to see, in order.

    Nothing happened between them, so the first minute shows all; midnights and seasons' ends are wanted by themselves.
    """
    midnight = midnight_after(first)
    days = max(0, (until - midnight) // DAY + 1) if until >= midnight else 0
    midnights = [midnight + DAY * n for n in range(max(0, days - DAYS_MAX), days)]
    closings = [minute_at(end) for end in ends]
    return sorted({first, *midnights, *(closing for closing in closings if first < closing <= until)})


def minute_at(moment: datetime) -> datetime:
    """The first full minute at or after it."""
    return minute_after(moment - timedelta(microseconds=1))
