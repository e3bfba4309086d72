"""A provider as the runtime sees it: how many calls at once, whether it is up, and what became of a call."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from signal_runtime.adapters.messages import Message, Said
from signal_runtime.adapters.providers import Provider
from signal_runtime.adapters.transport import Exchange, exchange
from signal_runtime.core import circuit
from signal_runtime.core.llm import LlmParameters
from signal_runtime.core.retries import HEALTH, Outcome


class Client(Protocol):
    async def call(self, parameters: LlmParameters, messages: Sequence[Message]) -> Said:
        """Raises whatever it likes; the exchange says what happened."""

    async def close(self) -> None: ...


@dataclass(slots=True)
class Called:
    """One call, filled while it goes on, so that one which is given up is known as far as it went."""

    wire: Exchange
    outcome: Outcome = "timeout"
    said: Said | None = None
    began: float = 0.0
    ended: float | None = None

    @property
    def latency_ms(self) -> int:
        return round(((self.ended or time.perf_counter()) - self.began) * 1_000)


class Down(Exception):
    """The provider is not asked for a while."""


class Gateway:
    def __init__(self, provider: Provider, client: Client, concurrent: int, policy: circuit.Policy | None = None):
        self.provider, self._client = provider, client
        self.places = asyncio.Semaphore(concurrent)
        """Held around a call and its paying."""
        self._policy = policy or circuit.Policy()
        self._circuit = circuit.Circuit()

    async def call(self, parameters: LlmParameters, messages: Sequence[Message], called: Called) -> None:
        """Fills `called`. Raises Down, what cancels it, and what went wrong before anything was sent."""
        admitted = circuit.admitted(self._circuit, self._policy, time.monotonic())
        if admitted is None:
            raise Down
        self._circuit = admitted
        called.began = time.perf_counter()
        try:
            await self._called(parameters, messages, called)
        finally:
            called.ended = time.perf_counter()
            health = HEALTH.get(called.outcome, "served")
            self._circuit = circuit.after(self._circuit, self._policy, health, time.monotonic())

    async def close(self) -> None:
        await self._client.close()

    async def _called(self, parameters: LlmParameters, messages: Sequence[Message], called: Called) -> None:
        token = exchange.set(called.wire)
        try:
            called.said = await self._client.call(parameters, messages)
            called.outcome = "answered"
        except Exception:  # SDKs raise many kinds; what went over the wire says which it was
            if not called.wire.request:
                raise
            called.outcome = outcome_of(called.wire)
        finally:
            exchange.reset(token)


def outcome_of(wire: Exchange) -> Outcome:
    """Of a call that gave no answer."""
    if wire.cut:
        return "too_long"
    if wire.status is None or not wire.whole:
        return "unreachable"
    if wire.status == 429:
        return "rate_limited"
    if wire.status >= 500:
        return "server_error"
    return "refused" if wire.status >= 300 else "unreadable"
