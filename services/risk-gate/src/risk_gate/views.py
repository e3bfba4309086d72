"""The latest of everything the gate looks at, and how long it waits for it."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import structlog
from chassis.latest import LatestValues
from chassis.service import Background
from contracts.base import Event
from contracts.competition import SeasonChanged, SeasonRules
from contracts.market import BookUpdated, InstrumentListed, MarkUpdated
from contracts.portfolios import PortfolioUpdated, PositionView
from contracts.signals import DecisionMissed, SignalEvent, SignalProposed

from risk_gate.control_log import ControlLog
from risk_gate.core import Arena, Facts
from risk_gate.everyone import Everyone

log = structlog.get_logger(__name__)


class Need(NamedTuple):
    what: str
    reader: LatestValues[Any]
    find: Callable[[], Any]
    """Something true once it is there."""


class Views:
    """Live, the gate judges by what it has; in lockstep by the market as of the moment at which it stands still."""

    def __init__(self, kafka: str, *, wait_live_s: float, wait_lockstep_s: float) -> None:
        self._wait_live_s, self._wait_lockstep_s = wait_live_s, wait_lockstep_s
        self._everyone, self._control = Everyone(), ControlLog(kafka)
        self._seasons = LatestValues[Event](
            kafka, SeasonChanged.topic, keep=_is_season, on_event=self._everyone.register
        )
        self._instruments = LatestValues[InstrumentListed](kafka, InstrumentListed.topic)
        self._portfolios = LatestValues[PortfolioUpdated](
            kafka, PortfolioUpdated.topic, key=_portfolio_key, on_event=self._everyone.see
        )
        self._books = LatestValues[BookUpdated](kafka, BookUpdated.topic)
        self._marks = LatestValues[MarkUpdated](kafka, MarkUpdated.topic)

    def readers(self) -> Sequence[Background]:
        every = (self._seasons, self._instruments, self._portfolios, self._books, self._marks)
        return [*(_entered(reader) for reader in every), self._control.opened]

    async def prepare(self, events: Sequence[Event]) -> None:
        """Wait, within bounds, for all that the judgement needs; last of all, know what operators ordered until now."""
        decisions = [event for event in events if isinstance(event, SignalProposed | DecisionMissed)]
        if incomplete := [event for event in decisions if not self._has_all(event)]:
            await asyncio.gather(*map(self._ready, incomplete))
        await self._control.catch_up()

    def facts(self, event: SignalEvent) -> Facts:
        instrument = event.instrument or "" if isinstance(event, SignalProposed) else ""
        season = self._season(event)
        return Facts(
            season=season,
            instrument=self._instruments.get(instrument),
            book=self._books.get(instrument),
            mark=self._marks.get(instrument),
            portfolio=self._portfolio(event.season_id, event.competitor_id, event.round),
            arena=self._arena(event) if season is not None and looks_at_everyone(season.rules) else None,
            control=self._control.state(event.season_id),
            as_of=self._as_of(),
        )

    def positions(self, season_id: str) -> dict[str, Sequence[PositionView]]:
        """The latest known of every competitor."""
        return {who: self._latest_positions(season_id, who) for who in self._everyone.competitors(season_id)}

    def _has_all(self, event: SignalEvent) -> bool:
        season = self._season(event)
        return season is not None and all(need.find() for need in self._needs(event, season))

    async def _ready(self, event: SignalEvent) -> None:
        finding = Need("season", self._seasons, lambda: self._season(event))
        season = await self._within(self._wait_live_s, event, finding)
        if season is None:
            return
        within_s = self._wait_lockstep_s if season.clock == "lockstep" else self._wait_live_s
        await asyncio.gather(*(self._within(within_s, event, need) for need in self._needs(event, season)))

    def _needs(self, event: SignalEvent, season: SeasonChanged) -> list[Need]:
        about = event.season_id, event.competitor_id, event.round
        needs = [Need("portfolio", self._portfolios, lambda: self._of_round(*about))]
        if looks_at_everyone(season.rules):
            everyone = partial(self._everyone.are_there, event.season_id, event.round)
            needs.append(Need("all portfolios", self._portfolios, everyone))
        if isinstance(event, SignalProposed) and event.instrument in season.rules.instruments:
            needs += self._market_needs(event, season)
        return needs

    def _market_needs(self, signal: SignalProposed, season: SeasonChanged) -> list[Need]:
        if signal.action in ("hold", "cancel_orders"):
            return []
        name = signal.instrument
        needs = [Need("instrument", self._instruments, lambda: self._instruments.get(name))]
        if season.clock == "lockstep":
            moment = min(signal.effective_at, season.held_at(signal.round))
            markets: tuple[LatestValues[Any], ...] = (self._books, self._marks)
            needs += [Need(each.topic, each, _reached(each, moment)) for each in markets]
        return needs

    async def _within(self, seconds: float, event: SignalEvent, need: Need) -> Any:
        try:
            return need.find() or await need.reader.wait(need.find, seconds)
        except TimeoutError:
            log.warning("judged without", what=need.what, competitor=event.competitor_id, round=event.round)
            return None

    def _season(self, event: SignalEvent) -> SeasonChanged | None:
        season = self._seasons.get(f"season/{event.season_id}")
        return season if isinstance(season, SeasonChanged) else None

    def _of_round(self, season_id: str, competitor: str, number: int) -> PortfolioUpdated | None:
        portfolio = self._portfolios.get((season_id, competitor, True))
        return portfolio if portfolio and (portfolio.round or 0) >= number else None

    def _portfolio(self, season_id: str, competitor: str, number: int) -> PortfolioUpdated | None:
        """The round's own. Where compaction or a stall has left only a later one of another cause, that is as good."""
        season = self._seasons.get(f"season/{season_id}")
        if (portfolio := self._of_round(season_id, competitor, number)) or not isinstance(season, SeasonChanged):
            return portfolio
        latest = self._portfolios.get((season_id, competitor, False))
        return latest if latest and latest.at >= season.opened_at(number) else None

    def _arena(self, event: SignalEvent) -> Arena:
        def other(competitor: str) -> PortfolioUpdated | None:
            return self._portfolio(event.season_id, competitor, event.round)

        return self._everyone.arena(event.season_id, event.round, other)

    def _latest_positions(self, season_id: str, competitor: str) -> Sequence[PositionView]:
        found = (self._portfolios.get((season_id, competitor, of_round)) for of_round in (True, False))
        latest = max((each for each in found if each is not None), key=lambda each: each.seq, default=None)
        return latest.positions if latest is not None else ()

    def _as_of(self) -> datetime | None:
        books, marks = self._books.watermark(), self._marks.watermark()
        return None if books is None or marks is None else min(books, marks)


def looks_at_everyone(rules: SeasonRules) -> bool:
    scopes = [*(cap.scope for cap in rules.exposure), *(breaker.scope for breaker in rules.breakers)]
    return "arena" in scopes


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
