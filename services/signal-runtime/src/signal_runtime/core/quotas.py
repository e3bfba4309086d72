"""What a competitor may spend on its provider: calls, tokens and USD, a day and a season.

A call is paid for before it is made: the most it can take is reserved, and settled when it is over. What is reserved
is written down first, so a process that is killed in between has counted too much, never too little.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Spent:
    calls: int = 0
    tokens: int = 0
    """Of prompts and replies together."""
    usd: Decimal = Decimal(0)
    """What has no known price counts nothing here; its calls and tokens count."""

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.calls + other.calls, self.tokens + other.tokens, self.usd + other.usd)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.calls - other.calls, self.tokens - other.tokens, self.usd - other.usd)


@dataclass(frozen=True, slots=True)
class Most:
    """Null: without limit."""

    calls: int | None = None
    tokens: int | None = None
    usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    day: Most = field(default_factory=Most)
    season: Most = field(default_factory=Most)


@dataclass(frozen=True, slots=True)
class Usage:
    day: date | None = None
    """The UTC day that `today` is of."""
    today: Spent = field(default_factory=Spent)
    season: Spent = field(default_factory=Spent)


@dataclass(frozen=True, slots=True)
class Exceeded:
    """Which quota a call does not fit into, in words."""

    detail: str


def reserved(usage: Usage, quota: Quota, most: Spent, on: date) -> Usage | Exceeded:
    """`most` is what the call may take at most; a call that just fits is made."""
    today = usage.today if usage.day == on else Spent()
    wanted = Usage(on, today + most, usage.season + most)
    for period, spent, limit in (("day", wanted.today, quota.day), ("season", wanted.season, quota.season)):
        for name in ("calls", "tokens", "usd"):
            allowed = getattr(limit, name)
            if allowed is not None and getattr(spent, name) > allowed:
                more = getattr(most, name)
                used = getattr(spent, name) - more
                return Exceeded(f"{name} a {period}: {used} used, up to {more} more for a call, {allowed} allowed")
    return wanted


def settled(usage: Usage, most: Spent, took: Spent, on: date) -> Usage:
    """After a call that was reserved on the day `on`; a day that has ended meanwhile is closed as it was reserved."""
    difference = took - most
    today = usage.today + difference if usage.day == on else usage.today
    return replace(usage, today=today, season=usage.season + difference)
