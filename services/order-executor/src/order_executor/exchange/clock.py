"""The venue's time as far as it can be known here; a step of this machine's own clock is none of it."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

ZERO = timedelta(0)


class VenueClock:
    """It never falls: after the venue's clock was set back it stands until that has caught up."""

    def __init__(self) -> None:
        self._began, self._anchor = time.monotonic(), datetime.now(UTC)
        self._latest = self._anchor
        self.offset = ZERO
        """The venue's clock less ours."""
        self.skew = ZERO
        """How far `offset` may be off: half of the round trip, and what it changed by the last time."""
        self.is_measured = False

    def now(self) -> datetime:
        self._latest = max(self._latest, self._own() + self.offset)
        return self._latest

    async def measure(self, server_time: Callable[[], Awaitable[datetime]]) -> None:
        """Raises what the question raises; then the last measurement stands."""
        before = self._own()
        theirs = await server_time()
        after = self._own()
        offset = theirs - before - (after - before) / 2
        change = abs(offset - self.offset) if self.is_measured else ZERO
        self.offset, self.skew, self.is_measured = offset, (after - before) / 2 + change, True

    def _own(self) -> datetime:
        return self._anchor + timedelta(seconds=time.monotonic() - self._began)
