"""What operators have ordered: a fold of `control.v1`, one state a season, the same on every replica.

A scope is a competitor or all of them, in one instrument or in all. Each scope is halted and resumed for itself:
whoever resumes the arena does not let go a competitor that was halted by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.base import Event
from contracts.control import FlattenRequested, HaltRequested, ResumeRequested
from contracts.orders import LiquidationOrdered, TradingHalted, TradingResumed
from contracts.portfolios import PositionView

REASON = "operator"
RESUMES_MAX = 10_000
"""Scopes whose last resumption is remembered; the oldest is forgotten first."""

Control = HaltRequested | ResumeRequested | FlattenRequested
Positions = Mapping[str, Sequence[PositionView]]
"""The latest known, by competitor, of all that take part."""


@dataclass(slots=True)
class ControlState:
    serial: int = 0
    """Counts what was ordered."""
    halts: list[str] = field(default_factory=list)
    resumes: dict[str, int] = field(default_factory=dict)
    """By scope: the serial of its last resumption."""

    def fold(self, event: Control) -> None:
        self.serial += 1
        name = _scope(event.competitor_id, event.instrument)
        if isinstance(event, HaltRequested) and name not in self.halts:
            self.halts.append(name)
        elif isinstance(event, ResumeRequested):
            self.halts = [each for each in self.halts if each != name]
            self.resumes.pop(name, None)
            self.resumes[name] = self.serial
            if len(self.resumes) > RESUMES_MAX:
                del self.resumes[next(iter(self.resumes))]

    def halted(self, competitor: str, instrument: str | None) -> bool:
        """From new risk in the instrument; None: from any in all of them."""
        return any(name in self.halts for name in _scopes(competitor, instrument))

    def resumed_after(self, competitor: str, serial: int) -> bool:
        """Whether the competitor, or the arena, was resumed after so many orders: it lifts breakers too."""
        return any(self.resumes.get(name, 0) > serial for name in _scopes(competitor, None))


def _scope(competitor: str | None, instrument: str | None) -> str:
    return f"{competitor or '*'}/{instrument or '*'}"


def _scopes(competitor: str, instrument: str | None) -> set[str]:
    return {_scope(who, what) for who in (competitor, None) for what in (instrument, None)}


def decide(state: ControlState, event: Control, positions: Positions) -> Sequence[Event]:
    """Change the state; tell every competitor whom it concerns, once."""
    concerned = [event.competitor_id] if event.competitor_id is not None else sorted(positions)
    before = {who: state.halted(who, event.instrument) for who in concerned}
    state.fold(event)
    match event:
        case HaltRequested():
            return [_halted(event, who) for who in concerned if not before[who]]
        case ResumeRequested():
            return [_resumed(event, who) for who in concerned if not state.halted(who, event.instrument)]
        case FlattenRequested():
            return [
                close(event, who, each, reason=REASON, at=event.at)
                for who in concerned
                for each in positions.get(who, ())
                if event.instrument in (None, each.instrument)
            ]


def close(cause: Any, competitor: str, position: PositionView, *, reason: str, at: datetime) -> LiquidationOrdered:
    """The whole position at market, from `at` on."""
    return LiquidationOrdered(
        **_about(cause, competitor, f"close/{competitor}/{position.instrument}"),
        instrument=position.instrument,
        side="sell" if position.quantity > 0 else "buy",
        quantity=abs(position.quantity),
        effective_at=at,
        reason=reason,
    )


def _halted(event: HaltRequested, competitor: str) -> TradingHalted:
    return TradingHalted(
        **_about(event, competitor, f"halted/{competitor}"),
        reason=REASON,
        instrument=event.instrument,
        detail=event.reason,
    )


def _resumed(event: ResumeRequested, competitor: str) -> TradingResumed:
    return TradingResumed(
        **_about(event, competitor, f"resumed/{competitor}"), reason=REASON, instrument=event.instrument
    )


def _about(cause: Any, competitor: str, child: str) -> dict[str, Any]:
    return {
        "event_id": cause.child_id(child),
        "at": cause.at,
        "traceparent": cause.traceparent,
        "season_id": cause.season_id,
        "competitor_id": competitor,
    }
