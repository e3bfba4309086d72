"""News beside the venue's own: read from their sources, handed to the feed at their time. It never stops the feed."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
from exchanges.news import Article, BadFeed, NewsSource
from exchanges.updates import Update

WAITING_MAX = 10_000
SEEN_MAX = 10_000
AHEAD = timedelta(minutes=5)
"""A live article may be dated so far ahead of the clock, and no further."""


class NewsDesk:
    """`since`: what was published at or before it was told before, or is no news any longer."""

    def __init__(
        self, sources: Sequence[NewsSource], since: datetime, *, live: bool, now: Callable[[], datetime],
        failed: Callable[[str, str], None],
    ) -> None:  # fmt: skip
        self._sources, self._since, self._live, self._now, self._failed = sources, since, live, now, failed
        self._waiting: deque[Article] = deque(maxlen=WAITING_MAX)
        self._seen: dict[str, None] = {}

    async def read(self) -> None:
        """Every source once; one that fails is told and the others go on."""
        fresh: list[Article] = []
        for source in self._sources:
            try:
                fresh += [article for article in await source.read() if self._is_news(article)]
            except (BadFeed, OSError, httpx.HTTPError) as error:
                self._failed(source.name, f"{type(error).__name__}: {error}"[:500])
        self._waiting.extend(sorted(fresh, key=lambda article: article.published_at))

    async def keep_reading(self, apart_s: float) -> None:
        while True:
            await asyncio.sleep(apart_s)
            await self.read()

    def due(self, through: datetime) -> list[Update]:
        """Lockstep: at the time it was published. Live: when it came, for its own time is what its writer says."""
        found: list[Update] = []
        while self._waiting and (self._live or self._waiting[0].published_at <= through):
            update: Any = self._waiting.popleft().update
            found.append(update._replace(at=through) if self._live else update)
        return found

    def _is_news(self, article: Article) -> bool:
        if article.published_at <= self._since or (self._live and article.published_at > self._now() + AHEAD):
            return False
        if article.fingerprint in self._seen:
            return False
        self._seen[article.fingerprint] = None
        if len(self._seen) > SEEN_MAX:
            del self._seen[next(iter(self._seen))]
        return True
