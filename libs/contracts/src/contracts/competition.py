"""Seasons, their frozen rules, their competitors and their rounds."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from contracts.base import DecisionEvent, Event, Model, SeasonEvent
from contracts.types import (
    CompetitorId,
    Count,
    InstrumentId,
    Label,
    Leverage,
    Name,
    Number,
    Rate,
    Round,
    SeasonId,
    Sha256,
    Text,
    Time,
    UsdSize,
)

Phase = Literal["registration", "warm_up", "official", "review", "finished"]
Execution = Literal["deadline", "as_decided"]
Clock = Literal["lockstep", "live"]
Kind = Literal["llm", "quant", "baseline", "external"]


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Scope = Literal["competitor", "arena"]
BreakerKind = Literal["equity_drop", "drawdown", "daily_loss", "losing_streak", "reject_storm", "stale_storm"]


class TradingWindow(Model):
    """When new risk may reach the venue, in UTC: from `start` until just before `end` of each of the days."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = WEEKDAYS
    start: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "00:00"
    end: Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")] = "24:00"

    @model_validator(mode="after")
    def _ends_after_start(self) -> "TradingWindow":
        if self.end <= self.start:
            raise ValueError("end: must be after start; a window over midnight is written as two")
        return self

    def holds(self, at: datetime) -> bool:
        """`at` is in UTC."""
        return WEEKDAYS[at.weekday()] in self.days and self.start <= f"{at:%H:%M}" < self.end


class ExposureCap(Model):
    """What the positions in some instruments, at the mark, may add up to; null: no such cap."""

    name: Label
    scope: Scope = "competitor"
    """`arena`: the positions of all competitors together."""
    instruments: Annotated[tuple[InstrumentId, ...], Field(max_length=50)] = ()
    """A correlated group, or one asset; empty: all."""
    gross_max: UsdSize | None = None
    net_max: UsdSize | None = None
    """Of longs less shorts, either way."""


class Breaker(Model):
    """Halts new risk once its measure is above `limit`."""

    kind: BreakerKind
    scope: Scope = "competitor"
    limit: Number
    """A share for the three of equity (0.05 is five per cent), else a count."""
    window_s: Annotated[int, Field(ge=60, le=86_400)] = 3_600
    """How far `equity_drop` and the storms look back."""
    cooling_s: Annotated[int, Field(ge=1, le=2_592_000)] | None = 3_600
    """From the trip to the resumption; null: an operator resumes."""
    closes: bool = False
    """The trip also orders the close of all positions."""

    @model_validator(mode="after")
    def _makes_sense(self) -> "Breaker":
        if self.limit <= 0:
            raise ValueError("limit: must be above zero")
        if self.scope == "arena" and self.kind not in ("equity_drop", "drawdown", "daily_loss"):
            raise ValueError("scope: arena is for equity_drop, drawdown and daily_loss")
        return self

    @property
    def name(self) -> str:
        return self.kind if self.scope == "competitor" else f"arena_{self.kind}"


BREAKERS = (
    Breaker(kind="equity_drop", limit=Decimal("0.05"), window_s=3_600, cooling_s=1_800),
    Breaker(kind="drawdown", limit=Decimal("0.3"), cooling_s=86_400, closes=True),
    Breaker(kind="daily_loss", limit=Decimal("0.1"), cooling_s=14_400),
    Breaker(kind="losing_streak", limit=Decimal(8), cooling_s=3_600),
    Breaker(kind="reject_storm", limit=Decimal(60), window_s=3_600, cooling_s=1_800),
    Breaker(kind="stale_storm", limit=Decimal(20), window_s=900, cooling_s=300),
)
"""What a season has that says nothing of breakers."""


PRICE_LIMIT_MAX = Decimal("0.08")
"""How far the price limit rule lets a price be from the index at most."""


class SeasonRules(Model):
    """The same for every competitor, frozen before the season starts."""

    instruments: Annotated[tuple[InstrumentId, ...], Field(min_length=1, max_length=50)]
    capital: UsdSize
    cadence_s: Annotated[int, Field(ge=1, le=86_400)]
    """Seconds from one round's opening to the next."""
    deadline_s: Annotated[int, Field(ge=1, le=86_400)]
    """Seconds from a round's opening until answers no longer count."""
    execution: Execution = "deadline"
    latency_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    """`as_decided`: what passes between a decision and its order's arrival at the venue."""
    leverage_max: Leverage
    order_notional_max: UsdSize
    position_notional_max: UsdSize
    positions_max: Annotated[int, Field(ge=1, le=100)] = 10
    price_band: Rate | None = None
    """How far from the mark price an order may trade: 0.02 is two per cent either way; null: OKX's price limit rule."""
    price_stale_s: Annotated[int, Field(ge=1, le=3_600)] = 10
    maker_fee_rate: Rate | None = None
    taker_fee_rate: Rate | None = None
    """Null: the instrument's own."""
    windows: Annotated[tuple[TradingWindow, ...], Field(max_length=50)] = ()
    """Empty: always."""
    orders_per_round_max: Annotated[int, Field(ge=1, le=200)] | None = None
    orders_per_hour_max: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Orders that may take on risk, a competitor's."""
    open_orders_max: Annotated[int, Field(ge=1, le=1_000)] = 100
    """How many orders of a competitor may rest or wait at once."""
    order_age_max_s: Annotated[int, Field(ge=1, le=86_400)] = 30
    """An order that the venue can only take up longer after its moment expires, unless it is reduce-only."""
    adds_max: Annotated[int, Field(ge=0, le=1_000)] | None = None
    """Pyramiding: how often an open position may be added to; null: without limit."""
    hold_min_s: Annotated[int, Field(ge=0, le=2_592_000)] = 0
    """How long a position is open before its competitor may close it; its exit plan may at any time."""
    reentry_cooldown_s: Annotated[int, Field(ge=0, le=2_592_000)] = 0
    """How long an instrument stays closed to a competitor after its position there was closed."""
    exposure: Annotated[tuple[ExposureCap, ...], Field(max_length=50)] = ()
    breakers: Annotated[tuple[Breaker, ...], Field(max_length=20)] = BREAKERS

    @property
    def price_band_max(self) -> Decimal:
        """The widest that the band can be."""
        return PRICE_LIMIT_MAX if self.price_band is None else self.price_band

    @model_validator(mode="after")
    def _deadline_before_next_round(self) -> "SeasonRules":
        if self.deadline_s >= self.cadence_s:
            raise ValueError("deadline_s: must be shorter than cadence_s, rounds do not overlap")
        return self

    @model_validator(mode="after")
    def _each_once(self) -> "SeasonRules":
        for field, names in (
            ("breakers", [each.name for each in self.breakers]), ("exposure", [each.name for each in self.exposure]),
        ):  # fmt: skip
            if len(set(names)) < len(names):
                raise ValueError(f"{field}: each may stand there once")
        for cap in self.exposure:
            if strange := set(cap.instruments) - set(self.instruments):
                raise ValueError(f"exposure: {min(strange)} of {cap.name} is not among the instruments")
        return self


class SeasonChanged(Event):
    """The season as it stands now."""

    topic: ClassVar[str] = "competition.v1"

    type: Literal["season_changed"] = "season_changed"
    season_id: SeasonId
    name: Name
    venue: Label
    clock: Clock
    starts_at: Time
    """Round 1 opens then; round n opens (n - 1) * cadence_s later."""
    ends_at: Time | None = None
    """No round opens at or after it."""
    rules: SeasonRules
    rules_sha256: Sha256

    @property
    def key(self) -> str:
        return f"season/{self.season_id}"

    def opened_at(self, number: int) -> datetime:
        """When round `number` opens; the first is 1."""
        return self.starts_at + timedelta(seconds=(number - 1) * self.rules.cadence_s)

    def deadline(self, number: int) -> datetime:
        return self.opened_at(number) + timedelta(seconds=self.rules.deadline_s)

    def held_at(self, number: int) -> datetime:
        """Lockstep: market time stands here until the round is closed."""
        return self.deadline(number) if self.rules.execution == "deadline" else self.opened_at(number)

    def round_opening_after(self, at: datetime) -> int | None:
        """The first round that opens strictly after `at`; None where the season has ended by then."""
        elapsed = (at - self.starts_at) // timedelta(seconds=self.rules.cadence_s)
        number = max(1, elapsed + 2)
        return None if self.ends_at is not None and self.opened_at(number) >= self.ends_at else number


class RulesFrozen(Event):
    topic: ClassVar[str] = "competition.v1"

    type: Literal["rules_frozen"] = "rules_frozen"
    season_id: SeasonId
    rules_sha256: Sha256

    @property
    def key(self) -> str:
        return f"rules/{self.season_id}"


class CompetitorRegistered(Event):
    topic: ClassVar[str] = "competition.v1"

    type: Literal["competitor_registered"] = "competitor_registered"
    season_id: SeasonId
    competitor_id: CompetitorId
    name: Name
    mark: Annotated[str, Field(pattern=r"^[A-Z0-9]{2}$")]
    """Two letters that stand for the competitor on every screen."""
    hue: Annotated[int, Field(ge=0, le=11)]
    """Its colour of the twelve, assigned once."""
    kind: Kind
    model: Label
    """The registered model that answers: `momentum`, `trend`, `offline-llm` …"""
    parameters: Annotated[dict[Label, Annotated[str, Field(max_length=200)]], Field(max_length=50)] = Field(default={})
    owner: Name = "arena"
    version: Label = "1"
    config_sha256: Sha256
    active: bool = True

    @property
    def key(self) -> str:
        return f"competitor/{self.season_id}/{self.competitor_id}"


class PhaseChanged(Event):
    topic: ClassVar[str] = "competition.v1"

    type: Literal["phase_changed"] = "phase_changed"
    season_id: SeasonId
    phase: Phase

    @property
    def key(self) -> str:
        return f"phase/{self.season_id}"


class RoundOpened(SeasonEvent):
    topic: ClassVar[str] = "rounds.v1"

    type: Literal["round_opened"] = "round_opened"
    round: Round
    deadline: Time
    snapshot_sha256: Sha256
    competitors: Annotated[tuple[CompetitorId, ...], Field(max_length=10_000)]


class RoundClosed(SeasonEvent):
    """Every request was answered or missed, and judged."""

    topic: ClassVar[str] = "rounds.v1"

    type: Literal["round_closed"] = "round_closed"
    round: Round
    answered: Count
    missed: Count
    judged: Count
    unanswered: Annotated[tuple[CompetitorId, ...], Field(max_length=10_000)] = ()
    """Live only: who had no verdict when the grace period ended."""


class DecisionRequested(DecisionEvent):
    topic: ClassVar[str] = "decisions.requested.v1"

    type: Literal["decision_requested"] = "decision_requested"
    deadline: Time
    effective_at: Time
    """When the decision's orders reach the venue; with `as_decided`, before latency."""
    snapshot_id: Annotated[str, Field(max_length=36)]
    snapshot_sha256: Sha256
    note: Text = ""


CompetitionEvent = Annotated[
    SeasonChanged | RulesFrozen | CompetitorRegistered | PhaseChanged, Field(discriminator="type")
]
RoundEvent = Annotated[RoundOpened | RoundClosed, Field(discriminator="type")]
