"""What follows a call to a provider: another one, after how long, or the end with its reason. Within the deadline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.signals import MissReason

from signal_runtime.core.circuit import Health
from signal_runtime.core.draws import draw

Outcome = Literal[
    "answered", "timeout", "unreachable", "rate_limited", "server_error", "refused", "unreadable", "too_long"
]
"""Of one call. `unreadable`: whole by HTTP, but no answer in the provider's own format. `refused`: any other 4xx."""

HEALTH: dict[Outcome, Health] = {"unreachable": "failed", "server_error": "failed", "timeout": "unknown"}
"""What an outcome says of the provider; the others say that it serves."""

_TRANSIENT: frozenset[Outcome] = frozenset({"unreachable", "rate_limited", "server_error", "unreadable"})


@dataclass(frozen=True, slots=True)
class Policy:
    calls_max: int = 3
    """For one text: the first call and its retries. A repair has as many of its own."""
    backoff_s: float = 0.5
    """Before the first retry; each further one waits twice as long, more or less by up to half of it."""
    call_s_min: float = 1.0
    """What must be left of the deadline after a wait, or it is not worth it."""


@dataclass(frozen=True, slots=True)
class Again:
    wait_s: float


@dataclass(frozen=True, slots=True)
class Over:
    reason: MissReason
    detail: str


def after(
    outcomes: Sequence[Outcome], policy: Policy, *, left_s: float, retry_after_s: float | None, seed: str
) -> Again | Over:
    """`outcomes` of all calls for this text so far; the last is no answer. `seed` spreads the retries of a crowd."""
    last, calls = outcomes[-1], len(outcomes)
    if last == "too_long":
        return Over("malformed", "ReplyTooLong: the reply was cut off unread")
    if last == "timeout":
        return Over("timeout", "no answer by the deadline")
    if last not in _TRANSIENT:
        return Over("provider_error", last)
    if calls >= policy.calls_max:
        return Over("provider_error", f"{last}, called {calls} times")
    wait_s = max(_backoff_s(policy, calls, seed), retry_after_s or 0.0)
    if wait_s + policy.call_s_min > left_s:
        return Over("provider_error", f"{last}, and the deadline comes before another call after {wait_s:.1f} s")
    return Again(wait_s)


def _backoff_s(policy: Policy, calls: int, seed: str) -> float:
    spread = 0.5 + float(draw(seed, f"retry/{calls}"))
    return float(policy.backoff_s * 2 ** (calls - 1) * spread)
