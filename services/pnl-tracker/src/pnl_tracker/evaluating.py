"""Evaluates signals off the step: public topics are written down as they come, a season is evaluated every few rounds.

An evaluation is told under its round's number and noted after the broker acknowledged it: told twice after a crash, it
is dropped by every reader. Rows are written before the offsets are committed, and a row that is there stays as it is.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka.errors import KafkaError
from chassis.bus import start_member
from chassis.service import Background, Resources
from chassis.step import Connection
from contracts.base import Event
from contracts.competition import RoundClosed
from contracts.evaluation import SignalsEvaluated
from contracts.market import MarketSnapshot
from contracts.signals import SignalProposed
from contracts.wire import BadRecord, decode
from prometheus_client import Counter, Gauge

from pnl_tracker import evaluation_rows
from pnl_tracker.core.evaluation import evaluate

SOURCE = "pnl-tracker/evaluation"
GROUP = "pnl-tracker-evaluation"
TOPICS = [MarketSnapshot.topic, RoundClosed.topic, SignalProposed.topic]
POLL_MS = 500
APART_S = 1.0
"""Nobody waits for an evaluation: what came in the meantime is written down, and looked at, together."""


class Figures:
    """The latest of each competitor, for dashboards and alerts."""

    def __init__(self, registry: Any) -> None:
        def gauge(name: str, says: str, *labels: str) -> Gauge:
            return Gauge(name, says, ["season", "competitor", *labels], registry=registry)

        self._hit_rate = gauge("arena_signal_hit_rate", "Entries that the market proved right.", "horizon_s")
        self._ic = gauge("arena_signal_information_coefficient", "Rank correlation with returns.", "horizon_s")
        self._simple = {
            "brier": gauge("arena_signal_brier", "Mean squared error of the confidence."),
            "calibration_error": gauge("arena_signal_calibration_error", "Confidence less hit rate, weighted."),
            "disagreement": gauge("arena_signal_disagreement", "Share of others that went the other way."),
            "missed": gauge("arena_decisions_missed", "Decisions missed in the window."),
            "latency_ms_p95": gauge("arena_decision_latency_p95_ms", "Of answers in the window."),
            "cost_per_decision_usd": gauge("arena_decision_cost_usd", "Mean cost of a decision."),
        }

    def show(self, event: SignalsEvaluated) -> None:
        who = event.season_id, event.competitor_id
        for score in event.horizons:
            if score.hit_rate is not None:
                self._hit_rate.labels(*who, score.horizon_s).set(float(score.hit_rate))
            if score.information_coefficient is not None:
                self._ic.labels(*who, score.horizon_s).set(float(score.information_coefficient))
        for name, gauge in self._simple.items():
            if (value := getattr(event, name)) is not None:
                gauge.labels(*who).set(float(value))


class Evaluator:
    running: "asyncio.Task[None] | None" = None
    """The chassis ends the process when it fails."""

    def __init__(self, resources: Resources, db: Connection, consumer: Any, every_rounds: int) -> None:
        self._resources, self._db, self._consumer, self._every = resources, db, consumer, every_rounds
        registry = resources.telemetry.registry
        self._figures = Figures(registry)
        self._passed_over = Counter(
            "arena_evaluation_passed_over", "Records that break their contract.", registry=registry
        )

    async def keep_evaluating(self, is_mine: Callable[[], bool]) -> None:
        """Every replica writes down what its share of the topics says; one of them evaluates."""
        while True:
            await self._take_in()
            while is_mine() and await self.evaluate():
                pass
            await asyncio.sleep(APART_S)

    async def _take_in(self) -> None:
        batches = await self._consumer.getmany(timeout_ms=POLL_MS)
        events = [event for records in batches.values() for record in records if (event := self._event(record))]
        if events:
            await evaluation_rows.keep(self._db, events)
        if batches:
            with suppress(KafkaError):  # a rebalance is under way; the next commit will do
                await self._consumer.commit()

    def _event(self, record: Any) -> Event | None:
        """The stages whose input it is set aside what breaks its contract; here it is counted and passed over."""
        try:
            event: Event = decode(record.topic, record.value)
        except BadRecord as error:
            self._passed_over.inc()
            self._resources.telemetry.log.warning(
                "not evaluated", topic=record.topic, partition=record.partition, offset=record.offset, reason=str(error)
            )
            return None
        return event

    async def evaluate(self) -> bool:
        """The next evaluation of each season that is due; False where none is."""
        due = await evaluation_rows.due(self._db, self._every)
        for season_id, round, at in due:
            seen = await evaluation_rows.seen(self._db, season_id, round, at)
            events = await asyncio.to_thread(evaluate, seen)
            await self._resources.publisher.send_numbered(
                (event, f"{SOURCE}/{season_id}/{event.competitor_id}", round) for event in events
            )
            await evaluation_rows.told(self._db, season_id, round)
            for event in events:
                self._figures.show(event)
        return bool(due)


def evaluating(every_rounds: int, is_mine: Callable[[], bool]) -> Background:
    """`is_mine`: whether this replica is the one that evaluates."""

    @asynccontextmanager
    async def enter(resources: Resources) -> AsyncIterator[Evaluator]:
        consumer = await start_member(resources.settings.kafka, GROUP, resources.settings.instance)
        consumer.subscribe(TOPICS)
        evaluator = Evaluator(resources, await resources.connect(), consumer, every_rounds)
        evaluator.running = asyncio.create_task(evaluator.keep_evaluating(is_mine))
        try:
            yield evaluator
        finally:
            evaluator.running.cancel()
            with suppress(asyncio.CancelledError):
                await evaluator.running
            await consumer.stop()

    return enter
