"""Circuit breakers: armed → tripped → cooling → resumed → armed.

| state | on a round's decision | next | told |
|---|---|---|---|
| armed | the measure is above the limit | tripped | TradingHalted, the closes if it closes |
| tripped | it has an end, and does not close or nothing is held any more | cooling | |
| tripped | it closes, and something is still held | tripped | the closes again |
| cooling | the round opens at or after `until` | resumed | TradingResumed |
| tripped, cooling | an operator has since resumed the competitor or the arena | resumed | TradingResumed |
| resumed | it is the next round's, and is measured at once | armed | as armed |

Tripped and cooling keep the competitor from new risk. What is measured after a resumption begins anew with it: peak,
day, streak and window.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from contracts.competition import Breaker
from contracts.money import ZERO, ratio

from risk_gate.core.history import Bucket, History, highest

State = Literal["armed", "tripped", "cooling", "resumed"]


@dataclass(slots=True)
class BreakerState:
    state: State = "armed"
    since: datetime | None = None
    """The opening of the round that tripped it, then of the one that resumed it; None: never tripped."""
    until: datetime | None = None
    serial: int = 0
    """How much operators had ordered when it tripped: only what came later resumes it."""
    value: Decimal = ZERO
    """The measure that tripped it."""
    base: Decimal | None = None
    """USD that the measure is held against where no portfolio tells it: a peak, a day's opening."""
    day: date | None = None
    """The UTC day whose opening `base` is."""
    streak: int = 0
    """Lost trades before the resumption: they count no more."""

    @property
    def halts(self) -> bool:
        return self.state in ("tripped", "cooling")


class Account(NamedTuple):
    """One competitor, or all of them together, as of a round's opening; USD."""

    at: datetime
    equity: Decimal
    capital: Decimal
    peak: Decimal | None
    """None: not told, it is followed here."""
    day_opening: Decimal | None
    losing_streak: int | None


class Move(NamedTuple):
    """What a breaker did: the states that were new, in order."""

    breaker: Breaker
    state: BreakerState
    tripped: bool
    resumed: bool


def step(
    breaker: Breaker, state: BreakerState, account: Account | None, history: History, opening: datetime,
    *, serial: int, operator_resumed: bool, flat: bool,
) -> Move:  # fmt: skip
    """One round's decision. Without an account nothing is measured, but time goes on."""
    tripped = resumed = False
    if state.state == "resumed":
        state.state = "armed"
    if state.state == "tripped" and state.until is not None and (flat or not breaker.closes):
        state.state = "cooling"
    if state.halts:
        is_over = state.state == "cooling" and state.until is not None and opening >= state.until
        if resumed := operator_resumed or is_over:
            _resume(state, account, opening)
    elif account is not None:
        value = MEASURES[breaker.kind](breaker, state, account, history)
        if tripped := value > breaker.limit:
            ends = None if breaker.cooling_s is None else opening + timedelta(seconds=breaker.cooling_s)
            state.state, state.since, state.until, state.serial = "tripped", opening, ends, serial
            state.value = value
    return Move(breaker, state, tripped, resumed)


def _resume(state: BreakerState, account: Account | None, opening: datetime) -> None:
    state.state, state.since, state.until = "resumed", opening, None
    state.day, state.base = opening.date(), None
    if account is not None:
        state.base, state.streak = account.equity, account.losing_streak or 0


# Measures: above the breaker's limit they trip it. Shares are of the higher value, zero where that is not above zero.


def equity_drop(breaker: Breaker, state: BreakerState, account: Account, history: History) -> Decimal:
    """(highest equity at a round's opening within the window - equity now) / highest."""
    buckets = _window(breaker, state, account, history)
    if breaker.scope == "arena":
        return _fall(highest(each.arena_high for each in buckets), account.equity)
    return _fall(highest(each.high for each in buckets), account.equity)


def drawdown(breaker: Breaker, state: BreakerState, account: Account, history: History) -> Decimal:  # noqa: ARG001
    """(peak - equity) / peak; the peak is the portfolio's own until a resumption, then the highest opening since."""
    if state.base is None and account.peak is not None:
        return _fall(account.peak, account.equity)
    known = account.capital if state.base is None else state.base
    state.base = max(known, account.equity)
    return _fall(state.base, account.equity)


def daily_loss(breaker: Breaker, state: BreakerState, account: Account, history: History) -> Decimal:  # noqa: ARG001
    """(equity at 00:00 UTC - equity) / equity at 00:00; where it is not told, the day's first round stands for it."""
    today = account.at.date()
    if state.day != today:
        state.day, state.base = today, None
    if state.base is None:
        state.base = account.equity if account.day_opening is None else account.day_opening
    return _fall(state.base, account.equity)


def losing_streak(breaker: Breaker, state: BreakerState, account: Account, history: History) -> Decimal:  # noqa: ARG001
    """Closed trades lost in a row, since the last resumption."""
    streak = account.losing_streak or 0
    if streak < state.streak:
        state.streak = 0
    return Decimal(streak - state.streak)


def reject_storm(breaker: Breaker, state: BreakerState, account: Account, history: History) -> Decimal:
    """Signals rejected in the window before this round, those for want of a price apart."""
    return Decimal(sum(each.rejected for each in _window(breaker, state, account, history)))


def stale_storm(breaker: Breaker, state: BreakerState, account: Account, history: History) -> Decimal:
    """Signals rejected in the window before this round for want of a fresh price."""
    return Decimal(sum(each.stale for each in _window(breaker, state, account, history)))


MEASURES: dict[str, Callable[[Breaker, BreakerState, Account, History], Decimal]] = {
    "equity_drop": equity_drop, "drawdown": drawdown, "daily_loss": daily_loss, "losing_streak": losing_streak,
    "reject_storm": reject_storm, "stale_storm": stale_storm,
}  # fmt: skip


def _window(breaker: Breaker, state: BreakerState, account: Account, history: History) -> list[Bucket]:
    return history.since(account.at - timedelta(seconds=breaker.window_s), state.since)


def _fall(high: Decimal | None, now: Decimal) -> Decimal:
    return ratio(high - now, high) if high is not None and high > now and high > ZERO else ZERO
