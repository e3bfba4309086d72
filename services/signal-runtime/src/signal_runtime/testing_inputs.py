"""The inputs of a test's runtime, without topics."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from contracts.competition import Clock, CompetitorRegistered, DecisionRequested, SeasonChanged
from contracts.market import InstrumentListed, InstrumentSnapshot
from contracts.portfolios import PositionView

from signal_runtime.core.view import View
from signal_runtime.testing import BTC, ETH, market, season, spec, view

RISING: dict[str, Any] = {"close": [str(990 + n) for n in range(10)], "macd": ["1"], "atr14": ["4"]}


class Given:
    """The inputs as they are in a test, and how often each was asked for."""

    def __init__(
        self,
        *competitors: CompetitorRegistered,
        clock: Clock = "lockstep",
        failure: Exception | None = None,
        markets: Sequence[InstrumentSnapshot] = (market(**RISING),),
        held: Sequence[PositionView] = (),
    ) -> None:
        self._markets, self._held = markets, held
        self._competitors = {entry.competitor_id: entry for entry in competitors}
        self._clock, self._failure = clock, failure
        self.views = 0

    async def season(self, request: DecisionRequested, timeout_s: float) -> SeasonChanged:  # noqa: ARG002  # all is there at once
        return season(clock=self._clock)

    async def specs(self, season: SeasonChanged, timeout_s: float) -> dict[str, InstrumentListed]:  # noqa: ARG002  # as above
        return {BTC: spec(BTC), ETH: spec(ETH)}

    async def view(self, request: DecisionRequested, season: SeasonChanged, timeout_s: float) -> View:  # noqa: ARG002  # as above
        self.views += 1
        if self._failure:
            raise self._failure
        shown = view(*self._markets, held=self._held, name=request.competitor_id, number=request.round)
        return replace(shown, request=request, season=season, competitor=self._competitors[request.competitor_id])
