"""What a view is made of, as the topics have it."""

from collections.abc import Hashable
from typing import Any, Protocol

from chassis.latest import LatestValues
from contracts.competition import CompetitionEvent, CompetitorRegistered, DecisionRequested, SeasonChanged
from contracts.market import InstrumentListed, MarketSnapshot
from contracts.portfolios import PortfolioUpdated

from signal_runtime.core.view import View

SNAPSHOTS_REMEMBERED = 16


class Gone(LookupError):
    """A later round has taken the place of what was to be read."""


class Inputs(Protocol):
    async def season(self, request: DecisionRequested, timeout_s: float) -> SeasonChanged: ...

    async def specs(self, season: SeasonChanged, timeout_s: float) -> dict[str, InstrumentListed]: ...

    async def view(self, request: DecisionRequested, season: SeasonChanged, timeout_s: float) -> View:
        """The view of the request's round. Raises TimeoutError and Gone."""


class TopicInputs:
    def __init__(self, kafka: str) -> None:
        self._competition = LatestValues[CompetitionEvent](kafka, SeasonChanged.topic)
        self._instruments = LatestValues[InstrumentListed](kafka, InstrumentListed.topic)
        self._snapshots = LatestValues[MarketSnapshot](
            kafka, MarketSnapshot.topic, lambda snapshot: snapshot.round % SNAPSHOTS_REMEMBERED
        )
        self._portfolios = LatestValues[PortfolioUpdated](kafka, PortfolioUpdated.topic, _of_competitor)
        self.readers: tuple[LatestValues[Any], ...] = (
            self._competition, self._instruments, self._snapshots, self._portfolios,
        )  # fmt: skip

    async def season(self, request: DecisionRequested, timeout_s: float) -> SeasonChanged:
        found = await self._competition.wait(lambda: self._competition.get(f"season/{request.season_id}"), timeout_s)
        assert isinstance(found, SeasonChanged)
        return found

    async def specs(self, season: SeasonChanged, timeout_s: float) -> dict[str, InstrumentListed]:
        def all_listed() -> dict[str, InstrumentListed] | None:
            listed = {name: self._instruments.get(name) for name in season.rules.instruments}
            known = {name: spec for name, spec in listed.items() if spec is not None}
            return known if len(known) == len(listed) else None

        return await self._instruments.wait(all_listed, timeout_s)

    async def view(self, request: DecisionRequested, season: SeasonChanged, timeout_s: float) -> View:
        specs = await self.specs(season, timeout_s)
        key = f"competitor/{request.season_id}/{request.competitor_id}"
        competitor = await self._competition.wait(lambda: self._competition.get(key), timeout_s)
        assert isinstance(competitor, CompetitorRegistered)
        snapshot = await self._snapshots.wait(lambda: self._snapshot(request), timeout_s)
        portfolio = await self._portfolios.wait(lambda: self._portfolio(request), timeout_s)
        return View(request, season, competitor, snapshot, portfolio, specs)

    def _snapshot(self, request: DecisionRequested) -> MarketSnapshot | None:
        found = self._snapshots.get(request.round % SNAPSHOTS_REMEMBERED)
        if found is None or found.season_id != request.season_id or found.round < request.round:
            return None
        if found.round > request.round:
            raise Gone(f"the snapshot of round {request.round}: it is round {found.round} already")
        return found if found.sha256 == request.snapshot_sha256 else None

    def _portfolio(self, request: DecisionRequested) -> PortfolioUpdated | None:
        """The round's own. Where compaction has left only a later one of another cause, that has to do."""
        found = self._portfolios.get((request.season_id, request.competitor_id, True))
        number = (found.round or 0) if found else 0
        if number > request.round:
            raise Gone(f"the portfolio of round {request.round}: it is round {number} already")
        if number == request.round:
            return found
        later = self._portfolios.get((request.season_id, request.competitor_id, False))
        # In its partition the round's portfolio stands before any of later time: if one is here, the round's is gone.
        return later if later is not None and later.at > request.at else None


def _of_competitor(portfolio: PortfolioUpdated) -> Hashable:
    return portfolio.season_id, portfolio.competitor_id, portfolio.round is not None
