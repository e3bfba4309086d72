"""What of the exchange side is not part of the step: lines, streams, sweeps, the sender, the startup gate."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

from chassis.health import Loop
from chassis.service import Resources
from exchanges.fake.client import FakeTrading
from exchanges.trading import Trading

from order_executor.exchange.calls import Line
from order_executor.exchange.clock import VenueClock
from order_executor.exchange.core import AccountKey, Budget, Rules
from order_executor.exchange.metrics import Metrics
from order_executor.exchange.sender import Sender
from order_executor.exchange.venue import ExchangeVenue
from order_executor.exchange.watch import Watcher
from order_executor.settings import Settings

TOLD_APART_S = 1.0
CLOCK_APART_S = 0.3


@dataclass
class Running:
    running: "asyncio.Task[None]"
    metrics: Metrics


class ExchangeSide:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.clock, self._told_at = VenueClock(), 0.0
        burst = settings.exchange_burst
        self.budget = Budget(burst, settings.exchange_per_second, burst / 4)
        """Of all accounts: venues count, and ban, by address too."""
        self.venue = ExchangeVenue(rules_of(settings), self.clock, f"{settings.instance}/{uuid4()}")

    @asynccontextmanager
    async def open(self, resources: Resources) -> AsyncIterator[Running]:
        sender = Sender(self.venue, await resources.pool(), self._line, self._watcher)
        metrics = Metrics(resources.telemetry, self.budget)
        gate = resources.health.loop("exchange", turns_within_s=float("inf"))
        task = asyncio.create_task(self._run(sender, partial(self._turned, gate, metrics)))
        try:
            yield Running(task, metrics)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            for line in sender.lines.values():
                await line.trading.close()

    async def _run(self, sender: Sender, turned: Callable[[], None]) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_time())
            group.create_task(sender.run(turned))

    async def _keep_time(self) -> None:
        """Before the venue's clock is known nothing is ready."""
        probe = self._line(("clock", "probe"))
        try:
            while True:
                await probe.measure()
                self.venue.rules = replace(self.venue.rules, clock_skew=self.clock.skew)
                apart = self._settings.exchange_poll_s
                await asyncio.sleep(apart if self.clock.is_measured else min(apart, CLOCK_APART_S))
        finally:
            await probe.trading.close()

    def _turned(self, gate: Loop, metrics: Metrics) -> None:
        gate.is_ready = self.venue.agrees()
        if time.monotonic() - self._told_at >= TOLD_APART_S:  # a pace, no time of the arena
            self._told_at = time.monotonic()  # as above
            metrics.tell(self.venue)

    def _line(self, key: AccountKey) -> Line:
        given = self._settings
        return Line(key, trading_of(given, ".".join(key)), self.venue, self.budget)

    def _watcher(self, line: Line) -> Watcher:
        given = self._settings
        return Watcher(line, self.venue, poll_s=given.exchange_poll_s, silent_s=given.exchange_silent_s)


def trading_of(settings: Settings, account: str) -> Trading:
    """The adapter; one more venue is one more case here."""
    assert settings.exchange_url is not None
    return FakeTrading(settings.exchange_url, account, settings.exchange_answer_s)


def rules_of(settings: Settings) -> Rules:
    return Rules(
        receive_window=timedelta(seconds=settings.exchange_window_s),
        answer_within=timedelta(seconds=settings.exchange_answer_s),
        visible_within=timedelta(seconds=settings.exchange_visible_s),
        ask_every=timedelta(seconds=settings.exchange_ask_s),
        valid_for=timedelta(seconds=settings.exchange_valid_s),
        human_after=timedelta(seconds=settings.exchange_human_s),
    )
