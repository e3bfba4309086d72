"""The accounts of one partition, moved on by executions and mark prices in order of event time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from contracts.base import Event, named_id
from contracts.competition import SeasonChanged
from contracts.executions import AccountStated, ExitPlanChanged, FundingSettled, OrderFilled, PositionLiquidated
from contracts.market import MarkUpdated
from contracts.portfolios import PortfolioUpdated
from contracts.wire import BadRecord

from pnl_tracker.core.diary import Diary
from pnl_tracker.core.margining import Listings
from pnl_tracker.core.money import exact
from pnl_tracker.core.portfolio import Account, Cause
from pnl_tracker.core.position import Position
from pnl_tracker.core.roster import Roster, last_round_opened
from pnl_tracker.core.sampling import MINUTE, due, midnight_after, minute_after, minute_at

MARK_UPDATES_APART = timedelta(milliseconds=250)
"""Arena time between two portfolios of a competitor that only the marks caused."""

_MOMENT = timedelta(microseconds=1)

Key = tuple[str, str]
Portfolios = list[PortfolioUpdated]


class MarkRecord(Protocol):
    """A mark price that is parsed when it is first looked at."""

    @property
    def at(self) -> datetime: ...
    @property
    def instrument(self) -> str: ...
    @property
    def event(self) -> MarkUpdated: ...


class UnknownSeason(Exception):
    """An execution of a season that the competition has not announced: its capital is not known."""


class Unit:
    def __init__(
        self, accounts: dict[Key, Account] | None = None, entries: int = 0, sampled: datetime | None = None
    ) -> None:
        self.accounts = accounts or {}
        self.listings: Listings = {}
        """The instruments' terms, as latest values: whoever reads them keeps them here."""
        self.entries = entries
        """How many ledger entries are stored."""
        self.changed: dict[Key, Account] = {}
        """Accounts to be saved."""
        self.touched: dict[tuple[Key, str], Position] = {}
        """Positions to be saved, flat ones too."""
        self.fills: list[tuple[Key, OrderFilled, Decimal]] = []
        """Trades to be saved, each with what it realised."""
        self.diary = Diary()
        self._marks: dict[str, MarkRecord] = {}
        self._holders: dict[str, dict[Key, Account]] = {}
        self._unvalued: dict[Key, Account] = {}
        """Holders of instruments whose marks moved, all at `_unvalued_at`."""
        self._unvalued_at: datetime | None = None
        self._moved: dict[Key, Account] = {}
        """Accounts whose value changed since they last told their portfolio."""
        self._roster = Roster()
        self.next_opening: datetime | None = None
        """Of the next round whose portfolios are still to be told."""
        self._next_minute = None if sampled is None else minute_after(sampled)
        self._at: datetime | None = None
        """The latest moment of which anything was counted; live, an execution may arrive after a later mark."""
        for account in self.accounts.values():
            for instrument in account.positions:
                self._holders.setdefault(instrument, {})[account.key] = account

    def enrol(self, roster: Roster) -> None:
        self._roster = roster
        for account in self.accounts.values():
            if (season := roster.seasons.get(account.season_id)) is not None:
                account.fee_rate = season.rules.taker_fee_rate
        self._plan()

    @property
    def awaits(self) -> datetime | None:
        """The next round's opening or the next midnight, whichever comes first."""
        if self._at is None:
            return self.next_opening
        midnight = midnight_after(self._at)
        return midnight if self.next_opening is None else min(midnight, self.next_opening)

    def recall(self, record: MarkRecord) -> None:
        """A mark from before the unit was taken over."""
        known = self._marks.get(record.instrument)
        if known is None or known.at <= record.at:
            self._marks[record.instrument] = record
        if self._at is None or self._at < record.at:
            self._at = record.at

    def mark(self, record: MarkRecord) -> Portfolios:
        """Raises BadRecord, before it changes anything, where someone holds the instrument and the mark is no mark."""
        holders = self._holders.get(record.instrument)
        if holders:
            _ = record.event
        told = self._before(record.at)
        if self._unvalued and record.at != self._unvalued_at:
            self._value()
        self._marks[record.instrument] = record
        if holders:
            self._unvalued.update(holders)
            self._unvalued_at = record.at
        return told

    def execution(self, event: Event) -> Portfolios:
        told = self._before(event.at)
        with exact():
            match event:
                case OrderFilled():
                    told += self._fill(event)
                case FundingSettled():
                    told += self._settle(event)
                case PositionLiquidated():
                    told += self._liquidate(event)
                case ExitPlanChanged():
                    self._replan(event)
                case AccountStated():
                    told += self._stated(event)
                case _:
                    pass  # moves no money
        return told

    def passed(self, through: datetime) -> Portfolios:
        """Everything at or before `through` was handed over."""
        told = self._catch_up(through)
        self._at = through
        self._value()
        with exact():
            for key, account in list(self._moved.items()):
                if account.updated_at is None or through - account.updated_at >= MARK_UPDATES_APART:
                    event_id = named_id("portfolio", *key, "mark", through.isoformat())
                    told.append(self._tell(account, self._portfolio(account, event_id, through, "mark")))
        return told

    # Executions

    def _fill(self, event: OrderFilled) -> Portfolios:
        self._value()
        account, told = self._account(event.season_id, event.competitor_id)
        realised = account.realised_pnl
        position = account.fill(event)
        if position is None:
            return told
        self.fills.append((account.key, event, account.realised_pnl - realised))
        self._touch(account, position)
        event_id = event.child_id("portfolio")
        portfolio = self._portfolio(
            account, event_id, self._not_before(event.at), "fill", traceparent=event.traceparent
        )
        return [*told, self._tell(account, portfolio)]

    def _settle(self, event: FundingSettled) -> Portfolios:
        self._value()
        account, told = self._account(event.season_id, event.competitor_id)
        account.settle(event)
        event_id = event.child_id("portfolio")
        portfolio = self._portfolio(
            account, event_id, self._not_before(event.at), "funding", traceparent=event.traceparent
        )
        return [*told, self._tell(account, portfolio)]

    def _liquidate(self, event: PositionLiquidated) -> Portfolios:
        self._value()
        account, told = self._account(event.season_id, event.competitor_id)
        if not account.liquidate(event):
            return told
        return [*told, self._caused(account, event, "liquidation")]

    def _caused(self, account: Account, event: Event, cause: Cause) -> PortfolioUpdated:
        at = self._not_before(event.at)
        portfolio = self._portfolio(account, event.child_id("portfolio"), at, cause, traceparent=event.traceparent)
        return self._tell(account, portfolio)

    def _stated(self, event: AccountStated) -> Portfolios:
        account, told = self._account(event.season_id, event.competitor_id)
        self.changed[account.key] = account
        self.diary.compare(account, event)
        return told

    def _replan(self, event: ExitPlanChanged) -> None:
        account = self.accounts.get((event.season_id, event.competitor_id))
        if account is not None and (position := account.replan(event)) is not None:
            self._touch(account, position)

    def _touch(self, account: Account, position: Position) -> None:
        self.touched[account.key, position.instrument] = position
        holders = self._holders.setdefault(position.instrument, {})
        if position.quantity:
            holders[account.key] = account
        else:
            holders.pop(account.key, None)

    # Values

    def _price(self, position: Position) -> Decimal:
        record = self._marks.get(position.instrument)
        if record is None:
            return position.last_price
        try:
            return record.event.mark_price
        except BadRecord:  # nobody looked at it when it came
            del self._marks[position.instrument]
            return position.last_price

    def _value(self) -> None:
        """Value the holders of the marks that moved, once for all marks of one moment."""
        if self._unvalued:
            with exact():
                for key, account in self._unvalued.items():
                    if account.sample(self._price):
                        self.changed[key] = account
            self._moved.update(self._unvalued)
            self._unvalued = {}

    def _portfolio(
        self, account: Account, event_id: UUID, at: datetime, cause: Cause, *,
        round: int | None = None, traceparent: str = "",
    ) -> PortfolioUpdated:  # fmt: skip
        return account.portfolio(
            event_id, at, cause, self._price, listings=self.listings, round=round, traceparent=traceparent
        )

    def _tell(self, account: Account, portfolio: PortfolioUpdated) -> PortfolioUpdated:
        self.changed[account.key] = account
        self._moved.pop(account.key, None)
        self.diary.told(portfolio)
        return portfolio

    # Time

    def _before(self, at: datetime) -> Portfolios:
        """What is to be told of the minutes and rounds before anything of `at` is counted."""
        opening, minute = self.next_opening, self._next_minute
        is_due = (opening is not None and opening < at) or (minute is not None and minute < at)
        told = self._catch_up(at - _MOMENT) if is_due else []
        if minute is None:
            self._next_minute = minute_at(at)
        self._at = self._not_before(at)
        return told

    def _not_before(self, at: datetime) -> datetime:
        return at if self._at is None or at > self._at else self._at

    def _catch_up(self, until: datetime) -> Portfolios:
        if self._next_minute is None:
            self._next_minute = minute_at(until)
        if self._next_minute > until:
            return self._open_rounds(until)
        told: Portfolios = []
        for moment in due(self._next_minute, until, self._roster.ends):
            told += self._open_rounds(moment - _MOMENT)
            self._look(moment)
        self._next_minute = minute_after(until)
        self.diary.minute = self._next_minute - MINUTE
        return told + self._open_rounds(until)

    def _look(self, moment: datetime) -> None:
        """The equity of every account at a full minute; its statement at midnight."""
        self._value()
        with exact():
            for key, account in sorted(self.accounts.items()):
                season = self._roster.seasons.get(account.season_id)
                if season and self.diary.look(account, season, moment, self._price, self.listings):
                    self.changed[key] = account

    def _open_rounds(self, until: datetime) -> Portfolios:
        if self.next_opening is None or self.next_opening > until:
            return []
        self._value()
        with exact():
            told = [portfolio for season in self._roster.seasons.values() for portfolio in self._rounds(season, until)]
        self._plan()
        return told

    def _rounds(self, season: SeasonChanged, until: datetime) -> Iterator[PortfolioUpdated]:
        last = last_round_opened(season, until)
        accounts = []
        for competitor_id in self._roster.active.get(season.season_id, ()) if last else ():
            account, told = self._account(season.season_id, competitor_id)
            yield from told
            accounts.append(account)
        for number in range(min((account.round for account in accounts), default=last) + 1, last + 1):
            for account in accounts:
                if account.round < number:
                    yield self._round(account, number, season.opened_at(number))

    def _round(self, account: Account, number: int, opened_at: datetime) -> PortfolioUpdated:
        account.round = number
        event_id = named_id("portfolio", *account.key, "round", number)
        return self._tell(account, self._portfolio(account, event_id, opened_at, "round", round=number))

    def _account(self, season_id: str, competitor_id: str) -> tuple[Account, Portfolios]:
        """The account, and its first portfolio where it had none before."""
        key = season_id, competitor_id
        account = self.accounts.get(key)
        if account is not None:
            return account, []
        season = self._roster.seasons.get(season_id)
        if season is None:
            raise UnknownSeason(f"{season_id}, of which {competitor_id} traded")
        account = self.accounts[key] = Account(season_id, competitor_id, season.rules.capital)
        account.fee_rate = season.rules.taker_fee_rate
        if self._at is not None:
            # One that comes late is told of the round that is open, not of those it missed.
            account.round = max(0, last_round_opened(season, self._at - _MOMENT) - 1)
        event_id = named_id("portfolio", *key, "opened")
        account.open(event_id, season.starts_at)
        portfolio = self._portfolio(account, event_id, season.starts_at, "opened")
        return account, [self._tell(account, portfolio)]

    def _plan(self) -> None:
        """When the next round opens that an active competitor has not been told of."""
        openings = (self._next_of(season_id) for season_id in self._roster.seasons)
        self.next_opening = min((opening for opening in openings if opening is not None), default=None)

    def _next_of(self, season_id: str) -> datetime | None:
        season, active = self._roster.seasons[season_id], self._roster.active.get(season_id, ())
        known = (self.accounts.get((season_id, competitor_id)) for competitor_id in active)
        told = min((0 if account is None else account.round for account in known), default=None)
        if told is None:
            return None
        opening = season.opened_at(told + 1)
        return None if season.ends_at is not None and opening >= season.ends_at else opening
