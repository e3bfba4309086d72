"""Whether a provider is asked at all: closed, open, half-open.

Consecutive failures open the circuit; after a while one call is let through to try it, and its outcome decides.
Only what says that the provider does not serve is a failure: a slow model is its own competitor's misfortune.
"""

from dataclasses import dataclass, replace
from typing import Literal

Health = Literal["served", "failed", "unknown"]
State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Policy:
    failures_max: int = 5
    """So many in a row open it."""
    open_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Circuit:
    failures: int = 0
    opened_at: float | None = None
    """In the seconds of whichever steady clock the caller uses; null: closed."""
    trying: bool = False
    """The one call of half-open is under way."""


def state(circuit: Circuit, policy: Policy, now_s: float) -> State:
    if circuit.opened_at is None:
        return "closed"
    return "half_open" if now_s - circuit.opened_at >= policy.open_s else "open"


def admitted(circuit: Circuit, policy: Policy, now_s: float) -> Circuit | None:
    """The circuit with the call under way; None where it is not to be made."""
    match state(circuit, policy, now_s):
        case "closed":
            return circuit
        case "half_open" if not circuit.trying:
            return replace(circuit, trying=True)
    return None


def after(circuit: Circuit, policy: Policy, health: Health, now_s: float) -> Circuit:
    """A call that was admitted is over; `unknown` (nobody waited for its end) decides only the trial of half-open."""
    if health == "served":
        return Circuit()
    if circuit.opened_at is not None:
        # Calls that were on their way when it opened change nothing; the trial opens it anew.
        return Circuit(circuit.failures, now_s) if circuit.trying else circuit
    if health == "unknown":
        return circuit
    failures = circuit.failures + 1
    return Circuit(failures, now_s if failures >= policy.failures_max else None)
