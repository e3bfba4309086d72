"""The venue's own account as it stands, for the ledger to be held against."""

from datetime import datetime, timedelta

from contracts.base import named_id
from contracts.executions import AccountStated, VenuePosition

from order_executor.core.account import Account

_DAY = timedelta(days=1)


def day_end(now: datetime) -> datetime:
    """The first end of a UTC day after `now`."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY


def stated(account: Account, at: datetime, why: str) -> AccountStated:
    return AccountStated(
        event_id=named_id("stated", account.season_id, account.competitor_id, at.isoformat(), why),
        at=at,
        season_id=account.season_id,
        competitor_id=account.competitor_id,
        stamp=at,
        realised_pnl=account.realised_pnl,
        fees=account.fees,
        liquidation_fees=account.liquidation_fees,
        funding=account.funding,
        insurance_fund=account.insurance,
        written_off=account.written_off,
        fills=account.fills,
        open_orders=sum(1 for _ in account.open_orders()),
        positions=tuple(
            VenuePosition(
                instrument=each.instrument, quantity=each.quantity, cost=each.cost, margin_mode=each.margin_mode
            )
            for each in account.held_positions
        ),
    )
