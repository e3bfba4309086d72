"""Every competitor of a season as of a round's opening, counted as the portfolios come."""

from collections.abc import Callable, Collection
from typing import Any

from contracts.competition import CompetitorRegistered
from contracts.portfolios import PortfolioUpdated

from risk_gate.core import Arena, arena

ROUNDS_KEPT = 2

Books = dict[str, PortfolioUpdated]
"""By competitor."""


class Everyone:
    def __init__(self) -> None:
        self._active: dict[str, set[str]] = {}
        self._rounds: dict[str, dict[int, Books]] = {}
        self._whole: dict[str, tuple[int, Arena]] = {}

    def register(self, event: Any) -> None:
        if isinstance(event, CompetitorRegistered):
            active = self._active.setdefault(event.season_id, set())
            (active.add if event.active else active.discard)(event.competitor_id)

    def see(self, portfolio: PortfolioUpdated) -> None:
        if portfolio.round is None:
            return
        rounds = self._rounds.setdefault(portfolio.season_id, {})
        rounds.setdefault(portfolio.round, {})[portfolio.competitor_id] = portfolio
        while len(rounds) > ROUNDS_KEPT:
            del rounds[min(rounds)]

    def competitors(self, season_id: str) -> Collection[str]:
        return self._active.get(season_id, ())

    def are_there(self, season_id: str, number: int) -> bool:
        books = self._rounds.get(season_id, {}).get(number, {})
        active = self._active.get(season_id, set())
        return len(books) >= len(active) and active <= books.keys()

    def arena(self, season_id: str, number: int, other: Callable[[str], PortfolioUpdated | None]) -> Arena:
        """Once a round when all are there; `other` finds what stands for a portfolio that compaction has removed."""
        known = self._whole.get(season_id)
        if known is not None and known[0] == number:
            return known[1]
        books = self._rounds.get(season_id, {}).get(number, {})
        active = sorted(self._active.get(season_id, ()))
        found = [each for who in active if (each := books.get(who) or other(who)) is not None]
        whole = arena(found, missing=len(active) - len(found))
        if not whole.missing:
            self._whole[season_id] = number, whole
        return whole
