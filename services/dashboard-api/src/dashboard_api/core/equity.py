"""Equity over arena time: one point a competitor and step, and one for every fill."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from contracts.portfolios import PortfolioUpdated
from contracts.types import EPOCH


class EquityPoint(NamedTuple):
    """Of one slot the point with the greatest `seq` counts."""

    season_id: str
    competitor_id: str
    slot: datetime
    at: datetime
    seq: int
    equity: Decimal


def slot(at: datetime, step: timedelta) -> datetime:
    return at - (at - EPOCH) % step


def point(portfolio: PortfolioUpdated, step: timedelta) -> EquityPoint:
    at = portfolio.at
    of_its_own = portfolio.cause in ("fill", "liquidation")
    where = at if of_its_own else slot(at, step)
    return EquityPoint(portfolio.season_id, portfolio.competitor_id, where, at, portfolio.seq, portfolio.equity)


def thinned(points: Sequence[EquityPoint], most: int) -> Sequence[EquityPoint]:
    """At most `most` points: evenly fewer, the last one always among them."""
    stride = -(-len(points) // most)
    return points if stride <= 1 else points[::-1][::stride][::-1]
