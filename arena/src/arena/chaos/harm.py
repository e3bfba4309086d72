"""Carries a plan out: each fault at its time, in a task of its own, and says how long the recovery took."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from arena.chaos.plan import Fault
from arena.chaos.recovery import Recovery
from arena.chaos.site import Site

ALIVE_WITHIN_S = 30.0


class Harm:
    def __init__(self, site: Site, recovery: Recovery, say: Callable[[str], None]) -> None:
        self._site, self._recovery, self._say = site, recovery, say
        self.done: Counter[str] = Counter()
        self._parts = asyncio.Lock()
        """Broker, database and network are harmed one after the other, each until all have recovered."""

    async def carry_out(self, faults: Sequence[Fault]) -> None:
        """Returns when the last fault is over and recovered from."""
        clock = asyncio.get_running_loop()
        began = clock.time()
        async with asyncio.TaskGroup() as running:
            for number, fault in enumerate(faults, 1):
                await asyncio.sleep(max(0.0, began + fault.at_s - clock.time()))
                running.create_task(self._one(f"{fault.at_s:7.1f} s {number:3}/{len(faults)}", fault))

    async def _one(self, when: str, fault: Fault) -> None:
        if fault.kind == "kill":
            seconds = await self._kill(fault.target)
        elif fault.kind == "pause":
            seconds = await self._pause(fault.target, fault.lasts_s)
        else:
            async with self._parts:
                seconds = await self._part(fault)
        lasts = f" for {fault.lasts_s:.1f} s" if fault.lasts_s else ""
        told = "not recovered" if seconds is None else f"recovered after {seconds:.1f} s"
        self._say(f"{when}  {fault.kind} {fault.target}{lasts}: {told}")

    async def _kill(self, name: str) -> float | None:
        """One that is just being started is killed as soon as it is there."""
        child, clock = self._site.supervisor[name], asyncio.get_running_loop()
        async with asyncio.timeout(ALIVE_WITHIN_S):
            while (pid := child.pid) is None:  # noqa: ASYNC110  # another process sets no asyncio events
                await asyncio.sleep(0.05)
        since = clock.time()
        self._site.kill(name)
        self.done["kill"] += 1
        return await self._recovery.of([name], since, not_pid=pid)

    async def _pause(self, name: str, seconds: float) -> float | None:
        self._site.pause(name)
        self.done["pause"] += 1
        await asyncio.sleep(seconds)
        self._site.go_on(name)
        return await self._recovery.of([name], asyncio.get_running_loop().time())

    async def _part(self, fault: Fault) -> float | None:
        self.done[fault.kind] += 1
        clock = asyncio.get_running_loop()
        since = clock.time()
        if fault.kind == "postgres_restart":
            await self._site.postgres.kill()
            await self._site.postgres.start()
        elif fault.kind == "broker_restart":
            broker = self._site.brokers[fault.target]
            await broker.kill()
            await broker.start()
        else:
            await self._network(fault)
            since = clock.time()
        return await self._recovery.of(self._site.processes, since)

    async def _network(self, fault: Fault) -> None:
        proxies = self._site.proxies[fault.target]
        for proxy in proxies:
            if fault.kind == "delay":
                proxy.delay_s = fault.delay_s
            elif fault.kind == "cut":
                proxy.cut()
            else:
                proxy.black_hole(True)
        await asyncio.sleep(fault.lasts_s)
        for proxy in proxies:
            proxy.heal()
