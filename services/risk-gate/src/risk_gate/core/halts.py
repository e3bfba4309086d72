"""A round's look at the breakers: what trips or resumes, and what is told of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from contracts.base import Event
from contracts.competition import Breaker, SeasonRules
from contracts.orders import TradingHalted, TradingResumed
from contracts.portfolios import PositionView
from contracts.signals import SignalEvent

from risk_gate.core.answers import about
from risk_gate.core.breakers import Account, BreakerState, Move, step
from risk_gate.core.control import close
from risk_gate.core.engine import percent, plain
from risk_gate.core.facts import Facts
from risk_gate.core.history import HOUR, highest
from risk_gate.core.standing import Standing

WORDS = {
    "equity_drop": "equity fell by {value} within {window}; more than {limit} halts",
    "drawdown": "equity is {value} below its peak; more than {limit} halts",
    "daily_loss": "the day's loss is {value}; more than {limit} halts",
    "losing_streak": "{value} trades were lost in a row; more than {limit} halt",
    "reject_storm": "{value} signals were rejected within {window}; more than {limit} halt",
    "stale_storm": "{value} signals met no fresh price within {window}; more than {limit} halt",
}
SHARES = ("equity_drop", "drawdown", "daily_loss")


def open_round(standing: Standing, event: SignalEvent, facts: Facts) -> Sequence[Event]:
    """Of the first event of a round: ask the breakers, then remember its portfolio. Nothing without the season."""
    if facts.season is None:
        return ()
    rules, opening, portfolio = facts.season.rules, facts.season.opened_at(event.round), facts.portfolio
    positions = () if portfolio is None else portfolio.positions
    moves = [_move(breaker, standing, event, facts, opening) for breaker in rules.breakers]
    bucket = standing.history.open(opening, _longest(rules), apart=any(move.resumed for move in moves))
    if portfolio is not None:
        bucket.high = highest((bucket.high, portfolio.equity))
        standing.see(positions, opening, timedelta(seconds=rules.reentry_cooldown_s))
    if facts.arena is not None and not facts.arena.missing:
        bucket.arena_high = highest((bucket.arena_high, facts.arena.equity))
    return [*_told(moves, event), *_closes(moves, positions, event)]


def _move(breaker: Breaker, standing: Standing, event: SignalEvent, facts: Facts, opening: datetime) -> Move:
    state = standing.breakers.setdefault(breaker.name, BreakerState())
    control = facts.control
    return step(
        breaker, state, _account(breaker, facts, opening), standing.history, opening,
        serial=0 if control is None else control.serial,
        operator_resumed=control is not None and control.resumed_after(event.competitor_id, state.serial),
        flat=facts.portfolio is not None and not facts.portfolio.positions,
    )  # fmt: skip


def _account(breaker: Breaker, facts: Facts, opening: datetime) -> Account | None:
    arena, portfolio = facts.arena, facts.portfolio
    if breaker.scope == "arena":
        if arena is None or arena.missing:
            return None
        return Account(opening, arena.equity, arena.capital, None, arena.day_opening_equity, None)
    if portfolio is None:
        return None
    return Account(
        opening, portfolio.equity, portfolio.capital, portfolio.peak_equity, portfolio.day_opening_equity,
        portfolio.losing_streak,
    )  # fmt: skip


def _told(moves: Sequence[Move], event: SignalEvent) -> Sequence[Event]:
    return [
        _halted(move, event) if move.tripped else _resumed(move, event)
        for move in moves
        if move.tripped or move.resumed
    ]


def _closes(moves: Sequence[Move], positions: Sequence[PositionView], event: SignalEvent) -> Sequence[Event]:
    """One order a position, however many breakers want it; again in every round that still shows it."""
    closing = next((move.breaker for move in moves if move.breaker.closes and move.state.state == "tripped"), None)
    if closing is None:
        return ()
    who, at = event.competitor_id, event.effective_at
    return [close(event, who, each, reason=closing.name, at=at) for each in positions]


def _halted(move: Move, event: SignalEvent) -> TradingHalted:
    breaker, state = move.breaker, move.state
    return TradingHalted(
        **_about(event, f"halted/{breaker.name}"),
        reason=breaker.name,
        detail=in_words(breaker, state),
        value=state.value,
        limit=breaker.limit,
        until=state.until,
    )


def _resumed(move: Move, event: SignalEvent) -> TradingResumed:
    return TradingResumed(**_about(event, f"resumed/{move.breaker.name}"), reason=move.breaker.name)


def in_words(breaker: Breaker, state: BreakerState) -> str:
    said = percent if breaker.kind in SHARES else plain
    words = WORDS[breaker.kind].format(
        value=said(state.value), limit=said(breaker.limit), window=f"{breaker.window_s} s"
    )
    whose = "of the whole arena: " if breaker.scope == "arena" else ""
    return whose + words


def _longest(rules: SeasonRules) -> timedelta:
    windows = [timedelta(seconds=each.window_s) for each in rules.breakers]
    return max([*windows, HOUR])


def _about(event: SignalEvent, child: str) -> dict[str, Any]:
    said = about(event, child)
    del said["round"]
    return said
