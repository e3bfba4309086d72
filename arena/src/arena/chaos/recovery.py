"""From the fault until the service is ready again and has read what had been written until then."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

import httpx
import psutil

from arena.chaos.observer import Observer
from arena.chaos.site import Site
from arena.stack.processes import LOOPBACK
from arena.stack.supervisor import is_ready

LOOK_S = 0.15
GIVEN_UP_S = 300.0
TIME, HOLDING = "market_data_arena_time_seconds", "market_data_holding"


class Recovery:
    def __init__(self, site: Site, observer: Observer, http: httpx.AsyncClient) -> None:
        self._site, self._observer, self._http = site, observer, http
        self.longest: dict[str, float] = {}
        """Seconds by process."""
        self.cpu_s: dict[str, float] = {}
        """Of the processor, from the start of one that was killed until it was well: the longest by process."""
        self.failed: list[str] = []

    async def of(self, names: Iterable[str], since: float, *, not_pid: int | None = None) -> float | None:
        """Seconds until all of them are well again; None where one is not after five minutes."""
        found = await asyncio.gather(*(self._noted(name, since, not_pid) for name in names))
        return None if None in found else max(seconds for seconds in found if seconds is not None)

    def uncounted(self) -> "Recovery":
        """The same question where there was no fault."""
        return Recovery(self._site, self._observer, self._http)

    async def arena_time(self) -> float | None:
        """Unix seconds; None where market-data does not answer."""
        return (await self._market()).get(TIME)

    async def _noted(self, name: str, since: float, not_pid: int | None) -> float | None:
        clock = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(GIVEN_UP_S):
                await self._well(name, not_pid)
        except TimeoutError:
            self.failed.append(name)
            return None
        seconds = clock.time() - since
        if not_pid is not None:
            self.cpu_s[name] = max(self.cpu_s.get(name, 0.0), _used(self._site.supervisor[name].pid))
        self.longest[name] = max(self.longest.get(name, 0.0), seconds)
        return seconds

    async def _well(self, name: str, not_pid: int | None) -> None:
        child = self._site.supervisor[name]

        async def ready() -> bool:
            return child.pid not in (None, not_pid) and await is_ready(self._http, child.spec.port)

        await _until(ready)
        if child.spec.service == "market-data":
            await self._market_moves()
            return
        written = (await self._observer.next()).inputs(child.spec.service)
        while not (await self._observer.next()).has_read(child.spec.service, written):
            pass

    async def _market_moves(self) -> None:
        """It has no topic to catch up on: its time goes on, or stands where a round has still to be closed."""
        before = await self._market()
        while True:
            now = await self._market()
            if now.get(HOLDING) or (TIME in before and now.get(TIME, 0.0) > before[TIME]):
                return
            before = before or now
            await asyncio.sleep(LOOK_S)

    async def _market(self) -> dict[str, float]:
        port = self._site.supervisor["market-data"].spec.port
        with suppress(httpx.HTTPError):
            text = (await self._http.get(f"http://{LOOPBACK}:{port}/metrics")).text
            rows = (line.split() for line in text.splitlines() if line.startswith((TIME, HOLDING)))
            return {name: float(value) for name, value in rows}
        return {}


def _used(pid: int | None) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


async def _until(probe: Callable[[], Awaitable[bool]]) -> None:
    while not await probe():  # noqa: ASYNC110  # other processes set no asyncio events
        await asyncio.sleep(LOOK_S)
