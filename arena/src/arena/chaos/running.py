"""The course of `arena chaos`: calm, faults, calm again, drain, audit."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx

from arena.chaos import evidence
from arena.chaos.audit import Finding, Told, findings
from arena.chaos.harm import Harm
from arena.chaos.memory import resident_mb
from arena.chaos.observer import Observer
from arena.chaos.plan import Fault, Scenario, plan
from arena.chaos.recovery import Recovery
from arena.chaos.site import Site, open_site
from arena.exits import Exit, Stopped
from arena.figures import read_tally, summary
from arena.options import REPEATABLE_START, Options
from arena.resting import feed_ended, until_at_rest

CALM_S = 30.0
"""Before the faults and after them; less where the run is shorter."""
READY_WITHIN_S = 600.0
NAMED = 10
"""Of what was lost or doubled so many are named."""


@dataclass(frozen=True)
class Asked:
    minutes: float
    seed: int
    kill_every_s: float
    scenario: Scenario
    faults: bool

    @property
    def brokers(self) -> int:
        return 3 if self.scenario == "three-brokers" else 1

    def plan(self, processes: list[str]) -> list[Fault]:
        if not self.faults:
            return []
        return plan(
            self.seed, self.minutes * 60, processes, kill_every_s=self.kill_every_s, scenario=self.scenario,
            brokers=self.brokers,
        )  # fmt: skip


async def chaos(options: Options, asked: Asked, say: Callable[[str], None]) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        site = await open_site(options, asked.brokers, stack)
        say(f"{len(site.brokers)} broker(s) and PostgreSQL are up; {len(site.processes)} processes start")
        site.supervisor.start()
        observer = Observer(site.kafka)
        stack.push_async_callback(observer.stop)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=2.0, trust_env=False))
        course = Course(site, observer, http, asked, say)
        await _beside(course.run(), site.supervisor.run(), observer.run())
        await site.supervisor.stop()
        return await course.figures()


class Course:
    def __init__(
        self, site: Site, observer: Observer, http: httpx.AsyncClient, asked: Asked, say: Callable[[str], None]
    ) -> None:
        self._site, self._http, self._asked, self._say = site, http, asked, say
        self._recovery = Recovery(site, observer, http)
        self._harm = Harm(site, self._recovery, say)
        self._observer = observer
        self._rates: dict[str, float | None] = {}
        self._rss: dict[str, dict[str, int]] = {}
        self._load: dict[str, float] = {}
        """Of the machine, per processor: above one, others wait too, and recoveries take longer."""

    async def run(self) -> None:
        seconds = self._asked.minutes * 60
        calm_s = min(CALM_S, seconds / 4)
        await self._all_well()
        await self._measured("before", asyncio.sleep(calm_s))
        self._rss["start"] = resident_mb(self._site)
        faults = self._asked.plan(self._site.processes)
        self._say(f"{len(faults)} faults within {seconds:.0f} s, seed {self._asked.seed}")
        await self._measured("during", self._under(faults, seconds))
        self._site.heal()
        await self._all_well()
        await self._measured("after", asyncio.sleep(calm_s))
        self._rss["end"] = resident_mb(self._site)
        await self._drain()

    async def _under(self, faults: list[Fault], seconds: float) -> None:
        await asyncio.gather(self._harm.carry_out(faults), asyncio.sleep(seconds))

    async def _measured(self, phase: str, work: Coroutine[Any, Any, None]) -> None:
        clock = asyncio.get_running_loop()
        began = clock.time()
        await work
        self._rates[phase] = self._observer.rate(began, clock.time())
        self._load[phase] = round(os.getloadavg()[0] / (os.cpu_count() or 1), 1)

    async def _all_well(self) -> None:
        """Ready and caught up; it is no recovery and is not counted as one."""
        since = asyncio.get_running_loop().time()
        recovery = self._recovery.uncounted()
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                await recovery.of(self._site.processes, since)
        except TimeoutError:
            raise Stopped(Exit.SERVICE, f"the services are not ready within {READY_WITHIN_S:.0f} s") from None

    async def _drain(self) -> None:
        now = await self._recovery.arena_time()
        assert now is not None, "market-data is well"
        await self._site.end_feed(now - REPEATABLE_START.timestamp())
        feed = self._site.supervisor["market-data"]
        self._say("the feed ends; what is under way comes to rest")
        await until_at_rest(self._site.kafka, lambda: feed_ended(self._http, feed.spec.port))
        await self._all_read()

    async def _all_read(self) -> None:
        everyone = [name for name in self._site.processes if name != "market-data"]
        since = asyncio.get_running_loop().time()
        if await self._recovery.uncounted().of(everyone, since) is None:
            raise Stopped(Exit.NOT_DRAINED, "a service does not read its input to its end")

    async def figures(self) -> dict[str, Any]:
        """After the services have ended: what they said and what they hold."""
        told = await evidence.told(self._site.kafka)
        found = findings(told, await evidence.held(self._site.postgres.dsn))
        tally, marks = await read_tally(self._site.kafka)
        money = summary(tally, marks, {}, 0)
        for finding in found[:NAMED]:
            self._say(f"{finding.kind}: {finding.what}")
        of_kind = {kind: sum(finding.kind == kind for finding in found) for kind in ("lost", "doubled", "unbalanced")}
        books = money["books_balanced"] and not of_kind["unbalanced"] and money["max_equity_error_usd"] < 0.01
        return self._said(told, found) | {
            "competitors": money["competitors"],
            "lost": of_kind["lost"],
            "doubled": of_kind["doubled"],
            "books_balanced": books,
            "max_equity_error_usd": money["max_equity_error_usd"],
        }

    def _said(self, told: Told, found: list[Finding]) -> dict[str, Any]:
        longest = self._recovery.longest
        return {
            "minutes": self._asked.minutes,
            "seed": self._asked.seed,
            "scenario": self._asked.scenario,
            "kills": self._harm.done["kill"],
            "faults": dict(sorted(self._harm.done.items())),
            "cut_connections": sum(proxy.cuts for some in self._site.proxies.values() for proxy in some),
            "restarts": {child.spec.name: child.restarts for child in self._site.supervisor.children},
            "rounds": told.counts["round_closed"],
            "signals": told.counts["signal_proposed"],
            "missed": told.counts["decision_missed"],
            "orders": told.counts["order_approved"],
            "fills": len(told.trades),
            "longest_recovery_s": round(max(longest.values(), default=0.0), 1),
            "recovery_s": {name: round(seconds, 1) for name, seconds in sorted(longest.items())},
            "recovery_cpu_s": {name: round(seconds, 1) for name, seconds in sorted(self._recovery.cpu_s.items())},
            "not_recovered": self._recovery.failed,
            "records_per_s": self._rates,
            "rss_mb": self._rss,
            "load_average": self._load,
            "findings": [f"{finding.kind}: {finding.what}" for finding in found[:NAMED]],
        }


def failed(figures: dict[str, Any]) -> bool:
    return bool(figures["lost"] or figures["doubled"] or figures["not_recovered"] or not figures["books_balanced"])


def per_kill(minutes: float) -> float:
    """So that ten minutes have more than sixty kills, and the shortest run some."""
    return max(3.0, min(8.0, minutes * 60 / 7))


async def _beside(work: Coroutine[Any, Any, None], *background: Coroutine[Any, Any, None]) -> None:
    """Until the work is done; a failure beside it ends it."""
    main = asyncio.ensure_future(work)
    tasks = [main, *(asyncio.ensure_future(each) for each in background)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
