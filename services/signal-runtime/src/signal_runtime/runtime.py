"""Asks each competitor's model for its decision of the round: once, within the deadline, each on its own."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from contracts.competition import DecisionRequested, SeasonChanged
from contracts.signals import DecisionMissed, MissReason, SignalProposed

from signal_runtime.core.errors import BadReply, EmptyReply
from signal_runtime.core.parameters import BadParameter
from signal_runtime.core.reply import parse_reply
from signal_runtime.core.signals import Asked, missed, signals
from signal_runtime.core.view import View
from signal_runtime.inputs import Gone, Inputs
from signal_runtime.records import Answer, Kept, Records
from signal_runtime.registry import Registry, SignalModel, UnknownModel
from signal_runtime.turn import Turn

Signals = Sequence[SignalProposed] | Sequence[DecisionMissed]
ERROR_LENGTH_MAX = 500


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Limits:
    concurrent_per_model: int = 64
    """Answers awaited at once from models of one name."""
    inputs_within_s: float = 120.0
    """Lockstep: arena time stands still meanwhile, and no input after that means a broken arena. Live: the deadline."""


class SignalRuntime:
    def __init__(
        self,
        inputs: Inputs,
        registry: Registry,
        records: Records,
        limits: Limits | None = None,
        now: Callable[[], datetime] = wall_clock,
    ) -> None:
        self._inputs, self._registry, self._records, self._now = inputs, registry, records, now
        self._limits = limits or Limits()
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(self._limits.concurrent_per_model)
        )

    async def generate_signal(self, request: DecisionRequested) -> Signals:
        """The parts of the decision, or the one event that says why there is none. Asked again, it says the same.

        Raises only where the arena is broken: no store, or in lockstep no inputs.
        """
        season = await self._inputs.season(request, self._limits.inputs_within_s)
        kept = await self._records.answer(request)
        if kept is None:
            kept = await self._records.keep_answer(request, await self._answer(request, season))
        return await self._derived(request, season, kept)

    async def batch_generate(self, requests: Sequence[DecisionRequested]) -> AsyncIterator[Signals]:
        """Of each request as soon as it is there, the quickest first."""
        for answer in asyncio.as_completed([self.generate_signal(request) for request in requests]):
            yield await answer

    async def _answer(self, request: DecisionRequested, season: SeasonChanged) -> Answer:
        about = _About(request, season, self._now)
        if about.live and self._now() >= request.deadline:
            return about.missed("late", "the deadline was over when the request came")
        try:
            view = await self._inputs.view(request, season, self._inputs_within_s(about))
        except Gone as error:
            return about.missed("late", str(error))
        except TimeoutError:
            if not about.live:
                raise
            return about.missed("no_answer", "what it was to decide on did not arrive in time")
        return await self._asked(about, view)

    def _inputs_within_s(self, about: "_About") -> float:
        return about.seconds_left() if about.live else self._limits.inputs_within_s

    async def _asked(self, about: "_About", view: View) -> Answer:
        try:
            about.model = self._registry.model_of(view.competitor)
        except (UnknownModel, BadParameter) as error:
            return about.missed("model_error", _said(error))
        about.request_sha256 = await self._records.keep_request(view)
        about.turn = turn = Turn(about.begin(), partial(self._records.keep_file, about.request))
        try:
            async with asyncio.timeout(turn.left_s()) as deadline, self._turns[about.model.name]:
                reply = await about.model.answer(view, turn)
            return about.said(reply.text) if reply.missed is None else about.missed(reply.missed, reply.detail)
        except TimeoutError as error:
            if not deadline.expired():
                return about.missed("model_error", _said(error))
            # What came before a repair that did not come in time is its answer.
            return about.missed("timeout", "no answer by the deadline") if turn.text is None else about.said(turn.text)
        except Exception as error:  # whatever a model does, the others go on
            return about.missed("model_error", _said(error))
        finally:
            await turn.flush()

    async def _derived(self, request: DecisionRequested, season: SeasonChanged, kept: Kept) -> Signals:
        answer = kept.answer
        asked = Asked(request, season, answer.at, request.traceparent)
        if answer.text is None:
            assert answer.missed is not None
            return [missed(asked, answer.missed, answer.detail, kept.attempt())]
        specs = await self._inputs.specs(season, self._limits.inputs_within_s)
        try:
            return signals(asked, parse_reply(answer.text), specs, kept.attempt())
        except BadReply as error:
            reason: MissReason = "no_answer" if isinstance(error, EmptyReply) else "malformed"
            return [missed(asked, reason, _said(error), kept.attempt())]


class _About:
    """One request while it is being answered: how long there is, how long it took."""

    def __init__(self, request: DecisionRequested, season: SeasonChanged, now: Callable[[], datetime]) -> None:
        self.request, self._now = request, now
        self.live = season.clock == "live"
        self.model: SignalModel | None = None
        self.request_sha256: str | None = None
        self.turn: Turn | None = None
        self.began = time.perf_counter()

    def begin(self) -> Callable[[], float]:
        """Asking begins now: the seconds that are left from here on, by the clock that measures latency."""
        self.began, within_s = time.perf_counter(), self.seconds_left()
        return lambda: within_s - (time.perf_counter() - self.began)

    def seconds_left(self) -> float:
        """Live: until the deadline. Lockstep: as long as a round leaves, in seconds of the wall, from the asking on."""
        since = self._now() if self.live else self.request.at
        return max((self.request.deadline - since).total_seconds(), 0.0)

    def said(self, text: str | None) -> Answer:
        return self._made(text=text or "")

    def missed(self, reason: MissReason, detail: str) -> Answer:
        return self._made(missed=reason, detail=detail)

    def _made(self, **said: Any) -> Answer:
        latency_ms = self._latency_ms()
        return Answer(
            request_id=self.request.event_id,
            snapshot_sha256=self.request.snapshot_sha256,
            model=self.model.name if self.model else "none",
            offline=self.model.offline if self.model else True,
            at=self._now() if self.live else self._lockstep_at(latency_ms, said.get("missed")),
            latency_ms=latency_ms,
            request_sha256=self.request_sha256,
            **(self.turn.figures() if self.turn else {}),
            **said,
        )

    def _latency_ms(self) -> int:
        """An offline model in lockstep takes no time: its answer must not depend on the machine."""
        if not self.live and (self.model is None or self.model.offline):
            return 0
        return round((time.perf_counter() - self.began) * 1_000)

    def _lockstep_at(self, latency_ms: int, reason: MissReason | None) -> datetime:
        if reason == "timeout":
            return self.request.deadline
        return min(self.request.at + timedelta(milliseconds=latency_ms), self.request.deadline)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:ERROR_LENGTH_MAX]
