"""The latest of everything the gate looks at, and how long it waits for it."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import Any

import structlog
from chassis.latest import LatestValues
from chassis.service import Background
from contracts.base import Event
from contracts.competition import SeasonChanged
from contracts.market import BookUpdated, InstrumentListed, MarkUpdated
from contracts.portfolios import PortfolioUpdated
from contracts.signals import SignalProposed

from risk_gate.core import Facts

log = structlog.get_logger(__name__)


class Views:
    """Live, the gate judges by what it has; in lockstep by the market as of the moment at which it stands still."""

    def __init__(self, kafka: str, *, wait_live_s: float, wait_lockstep_s: float) -> None:
        self._wait_live_s, self._wait_lockstep_s = wait_live_s, wait_lockstep_s
        self._seasons = LatestValues[Event](kafka, SeasonChanged.topic, keep=_is_season)
        self._instruments = LatestValues[InstrumentListed](kafka, InstrumentListed.topic)
        self._portfolios = LatestValues[PortfolioUpdated](kafka, PortfolioUpdated.topic, key=_portfolio_key)
        self._books = LatestValues[BookUpdated](kafka, BookUpdated.topic)
        self._marks = LatestValues[MarkUpdated](kafka, MarkUpdated.topic)

    def readers(self) -> Sequence[Background]:
        every = (self._seasons, self._instruments, self._portfolios, self._books, self._marks)
        return [_entered(reader) for reader in every]

    async def prepare(self, events: Sequence[Event]) -> None:
        """Wait, within bounds, until all that the signals' judgement needs is here; else they are judged without it."""
        signals = [event for event in events if isinstance(event, SignalProposed) and event.action != "hold"]
        await asyncio.gather(*map(self._ready, signals))

    def facts(self, signal: SignalProposed) -> Facts:
        instrument = signal.instrument or ""
        return Facts(
            season=self._season(signal),
            instrument=self._instruments.get(instrument),
            book=self._books.get(instrument),
            mark=self._marks.get(instrument),
            portfolio=self._portfolio(signal),
            as_of=self._as_of(),
        )

    async def _ready(self, signal: SignalProposed) -> None:
        season = await self._within(self._wait_live_s, signal, "season", self._seasons, lambda: self._season(signal))
        if season is None or signal.instrument not in season.rules.instruments:
            return
        is_lockstep = season.clock == "lockstep"
        within_s = self._wait_lockstep_s if is_lockstep else self._wait_live_s
        name = signal.instrument
        waits = [
            self._within(within_s, signal, "instrument", self._instruments, lambda: self._instruments.get(name)),
            self._within(within_s, signal, "portfolio", self._portfolios, lambda: self._of_round(signal)),
        ]
        if is_lockstep:
            moment = min(signal.effective_at, season.held_at(signal.round))
            markets: tuple[LatestValues[Any], ...] = (self._books, self._marks)
            waits += [self._within(within_s, signal, each.topic, each, _reached(each, moment)) for each in markets]
        await asyncio.gather(*waits)

    async def _within(
        self, seconds: float, signal: SignalProposed, what: str, reader: LatestValues[Any], find: Callable[[], Any]
    ) -> Any:
        try:
            return find() or await reader.wait(find, seconds)
        except TimeoutError:
            log.warning("judged without", what=what, competitor=signal.competitor_id, round=signal.round)
            return None

    def _season(self, signal: SignalProposed) -> SeasonChanged | None:
        season = self._seasons.get(f"season/{signal.season_id}")
        return season if isinstance(season, SeasonChanged) else None

    def _of_round(self, signal: SignalProposed) -> PortfolioUpdated | None:
        portfolio = self._portfolios.get((signal.season_id, signal.competitor_id, True))
        return portfolio if portfolio and (portfolio.round or 0) >= signal.round else None

    def _portfolio(self, signal: SignalProposed) -> PortfolioUpdated | None:
        """The round's own. Where compaction or a stall has left only a later one of another cause, that is as good."""
        season = self._season(signal)
        if (portfolio := self._of_round(signal)) or season is None:
            return portfolio
        latest = self._portfolios.get((signal.season_id, signal.competitor_id, False))
        return latest if latest and latest.at >= season.opened_at(signal.round) else None

    def _as_of(self) -> datetime | None:
        books, marks = self._books.watermark(), self._marks.watermark()
        return None if books is None or marks is None else min(books, marks)


def _is_season(event: Event) -> bool:
    return isinstance(event, SeasonChanged)


def _portfolio_key(portfolio: PortfolioUpdated) -> Hashable:
    """The portfolios of rounds are kept apart from those that fills and marks cause."""
    return portfolio.season_id, portfolio.competitor_id, portfolio.round is not None


def _reached(reader: LatestValues[Any], moment: datetime) -> Callable[[], bool]:
    def reached() -> bool:
        watermark = reader.watermark()
        return watermark is not None and watermark >= moment

    return reached


def _entered(reader: LatestValues[Any]) -> Background:
    return lambda _: reader
