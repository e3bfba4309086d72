"""Tells who leads, from the latest portfolios: at most once in a while, and once more when nothing moves any longer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import groupby

from chassis.latest import LatestValues
from chassis.publish import Publisher
from chassis.service import Background, Resources
from contracts.portfolios import PortfolioUpdated

from pnl_tracker.core.leaderboard import leaderboard, sequence

SOURCE = "pnl-tracker/leaderboard"


class Board:
    running: "asyncio.Task[None] | None" = None
    """The chassis ends the process when it fails."""

    def __init__(self, publisher: Publisher, portfolios: LatestValues[PortfolioUpdated]) -> None:
        self._publisher, self._portfolios = publisher, portfolios
        self._told: dict[str, int] = {}

    async def tell(self) -> None:
        latest = sorted(self._portfolios.values(), key=lambda portfolio: portfolio.season_id)
        for season_id, portfolios in groupby(latest, key=lambda portfolio: portfolio.season_id):
            competing = list(portfolios)
            number = sequence(competing)
            if self._told.get(season_id, -1) < number:
                await self._publisher.send([leaderboard(competing)], f"{SOURCE}/{season_id}", number)
                self._told[season_id] = number

    async def keep_telling(self, apart_s: float, is_mine: Callable[[], bool]) -> None:
        while True:
            if self._portfolios.running is not None and self._portfolios.running.done():
                self._portfolios.running.result()
            if is_mine():
                await self.tell()
            await asyncio.sleep(apart_s)


def telling(apart_s: float, is_mine: Callable[[], bool]) -> Background:
    """`is_mine`: whether this replica is the one that tells."""

    @asynccontextmanager
    async def enter(resources: Resources) -> AsyncIterator[Board]:
        async with LatestValues[PortfolioUpdated](resources.settings.kafka, PortfolioUpdated.topic) as portfolios:
            board = Board(resources.publisher, portfolios)
            board.running = asyncio.create_task(board.keep_telling(apart_s, is_mine))
            try:
                yield board
            finally:
                board.running.cancel()
                with suppress(asyncio.CancelledError):
                    await board.running
            if is_mine():
                await board.tell()

    return enter
