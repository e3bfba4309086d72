"""The accounts of one partition anew from `executions.v1` alone, without anything that was stored of them."""

from uuid import UUID

from contracts.base import Event
from contracts.executions import AccountStated, FundingSettled, OrderFilled, PositionLiquidated

from pnl_tracker.core.money import ZERO, exact
from pnl_tracker.core.portfolio import Account
from pnl_tracker.core.position import Position
from pnl_tracker.core.reconciliation import View, of_replay

Key = tuple[str, str]
MOVES_MONEY = frozenset({"order_filled", "funding_settled", "position_liquidated", "account_stated"})


class Replay:
    """Folds a partition's events in order. Memory: one account a competitor and the views that are wanted.

    `from_start`: the partition still has its first record. Else an account begins with the first statement of the venue
    that is left, and has no view before it.
    """

    def __init__(self, wanted: set[UUID], *, from_start: bool) -> None:
        self.views: dict[UUID, View | None] = {}
        """Of each wanted statement that was met."""
        self._missing, self._from_start = set(wanted), from_start
        self._accounts: dict[Key, Account] = {}

    @property
    def done(self) -> bool:
        return not self._missing

    def take(self, event: Event) -> None:
        with exact():
            match event:
                case AccountStated():
                    self._stated(event)
                case OrderFilled() | FundingSettled() | PositionLiquidated():
                    account = self._account(event.season_id, event.competitor_id)
                    if account is not None:
                        _apply(account, event)

    def _stated(self, event: AccountStated) -> None:
        account = self._account(event.season_id, event.competitor_id)
        if event.event_id in self._missing:
            self._missing.discard(event.event_id)
            self.views[event.event_id] = None if account is None else of_replay(account)
        if account is None:
            self._accounts[event.season_id, event.competitor_id] = _as_stated(event)

    def _account(self, season_id: str, competitor_id: str) -> Account | None:
        key = season_id, competitor_id
        if key not in self._accounts and self._from_start:
            self._accounts[key] = Account(*key, ZERO)
        return self._accounts.get(key)


def _apply(account: Account, event: OrderFilled | FundingSettled | PositionLiquidated) -> None:
    match event:
        case OrderFilled():
            account.fill(event)
        case FundingSettled():
            account.settle(event)
        case PositionLiquidated():
            account.liquidate(event)
    account.ledger.fresh.clear()
    account.ledger.trade_ids.clear()  # the reader drops what was sent twice; a trade under two numbers is a difference


def _as_stated(event: AccountStated) -> Account:
    account = Account(
        event.season_id, event.competitor_id, ZERO, realised_pnl=event.realised_pnl, fees=event.fees,
        liquidation_fees=event.liquidation_fees, funding=event.funding, insurance_fund=event.insurance_fund,
        written_off=event.written_off, fills=event.fills,
    )  # fmt: skip
    for held in event.positions:
        account.positions[held.instrument] = Position(held.instrument, event.at, held.quantity, held.cost)
    return account
