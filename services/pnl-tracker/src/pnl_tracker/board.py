"""Tells who leads, from the latest portfolios: at most once in a while, and once more when nothing moves any longer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import groupby

from chassis.latest import LatestValues
from chassis.service import Background, Resources
from contracts.portfolios import PortfolioUpdated

from pnl_tracker.core.leaderboard import leaderboard, sequence

SOURCE = "pnl-tracker/leaderboard"


class Board:
    def __init__(self, resources: Resources, portfolios: LatestValues[PortfolioUpdated]) -> None:
        self._publisher, self._portfolios = resources.publisher, portfolios
        self._told: dict[str, int] = {}

    async def tell(self) -> None:
        latest = sorted(self._portfolios.values(), key=lambda portfolio: portfolio.season_id)
        for season_id, portfolios in groupby(latest, key=lambda portfolio: portfolio.season_id):
            competing = list(portfolios)
            number = sequence(competing)
            if self._told.get(season_id, -1) < number:
                await self._publisher.send([leaderboard(competing)], f"{SOURCE}/{season_id}", number)
                self._told[season_id] = number


def telling(apart_s: float, is_mine: Callable[[], bool]) -> Background:
    """`is_mine`: whether this replica is the one that tells."""

    @asynccontextmanager
    async def running(resources: Resources) -> AsyncIterator[None]:
        async with LatestValues[PortfolioUpdated](resources.settings.kafka, PortfolioUpdated.topic) as portfolios:
            board, loop = Board(resources, portfolios), resources.health.loop("leaderboard")

            async def tell_again() -> None:
                while True:
                    if is_mine():
                        await board.tell()
                    loop.turned()
                    loop.ready()
                    await asyncio.sleep(apart_s)

            task = asyncio.create_task(tell_again())
            yield
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            if is_mine():
                await board.tell()

    return running
