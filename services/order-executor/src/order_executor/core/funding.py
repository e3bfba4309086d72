"""When funding falls due and what it comes to.

A position pays where it was held at the stamp: what is opened at the stamp or after it does not, what is closed at the
stamp does. Rate and mark price are the last known before the stamp.
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from contracts.base import named_id
from contracts.executions import FundingSettled
from contracts.market import MarkUpdated
from contracts.money import times

from order_executor.core.account import Account, Position


class Stamp(NamedTuple):
    at: datetime
    rate: Decimal
    mark_price: Decimal


def stamp(mark: MarkUpdated, now: datetime) -> Stamp | None:
    """The settlement that the mark announces; none where it is past, which makes each happen once."""
    if mark.funding_rate is None or mark.next_funding_at is None or mark.next_funding_at <= now:
        return None
    return Stamp(mark.next_funding_at, mark.funding_rate, mark.mark_price)


def settle(account: Account, position: Position, due: Stamp) -> FundingSettled:
    """payment = quantity * mark * rate: longs pay a rate above zero, shorts receive it; isolated, out of its margin."""
    payment = times(position.quantity, due.mark_price, due.rate)
    account.funding += payment
    if position.margin_mode == "isolated":
        position.margin -= payment
    return FundingSettled(
        event_id=named_id("funding", account.season_id, account.competitor_id, position.instrument, due.at.isoformat()),
        at=due.at,
        season_id=account.season_id,
        competitor_id=account.competitor_id,
        instrument=position.instrument,
        stamp=due.at,
        quantity=position.quantity,
        mark_price=due.mark_price,
        rate=due.rate,
        payment=payment,
    )
