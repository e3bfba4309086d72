"""How good a competitor's signals were, whatever they earned; docs/reference/evaluation.md defines each figure."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.base import CompetitorEvent, Model
from contracts.types import Confidence, Count, Number, Rate, Round, UsdSize


class HorizonScore(Model):
    """Entries against the mark price some time later; an entry whose time has not come is not scored."""

    horizon_s: Annotated[int, Field(ge=1, le=31_536_000)]
    scored: Count
    hit_rate: Rate | None = None
    mean_return: Number | None = None
    """In the entry's direction, before costs."""
    information_coefficient: Number | None = None
    """Rank correlation of signed confidence and return."""


class CalibrationBin(Model):
    """Entries whose confidence was from `above` (not included, but for zero) up to `through`."""

    above: Confidence
    through: Confidence
    scored: Count
    mean_confidence: Confidence | None = None
    hit_rate: Rate | None = None


class PlanOutcomes(Model):
    """What ended the positions, in closing trades, beside what their exit plans had said."""

    take_profit: Count = 0
    stop_loss: Count = 0
    invalidation: Count = 0
    decision: Count = 0
    liquidation: Count = 0
    flatten: Count = 0
    stop_slippage: Number | None = None
    """Mean share by which stops were filled beyond the stated price; above zero is worse."""
    stated_reward_risk: Number | None = None
    """Mean of (target - price) / (price - stop) as the entries stated them."""
    realised_r: Number | None = None
    """Mean of realised P&L / stated risk, closing trade by closing trade."""


class SignalsEvaluated(CompetitorEvent):
    """Through the opening of `round`, over at most the last 2,000 rounds. A figure that is not defined yet is null."""

    topic: ClassVar[str] = "statements.v1"

    type: Literal["signals_evaluated"] = "signals_evaluated"
    round: Round
    rounds: Count
    """How many it looks back on."""
    decisions: Count
    """Answered or missed."""
    missed: Count
    offline: Count
    """Answered by the offline stand-in."""
    entries: Count
    horizons: Annotated[tuple[HorizonScore, ...], Field(max_length=16)]
    brier: Number | None = None
    """Mean of (confidence - hit)^2 at the middle horizon: 0 is perfect, 0.25 is what a coin's 0.5 gets."""
    calibration_error: Number | None = None
    """Mean distance of confidence and hit rate, bin by bin, weighted by entries."""
    calibration: Annotated[tuple[CalibrationBin, ...], Field(max_length=20)] = ()
    plans: PlanOutcomes = PlanOutcomes()
    latency_ms_mean: Number | None = None
    latency_ms_p95: Number | None = None
    cost_usd: UsdSize | None = None
    """Null where no attempt's price is known."""
    cost_per_decision_usd: UsdSize | None = None
    disagreement: Rate | None = None
    """Of the competitors that entered the same instrument in the same round, the share that went the other way."""
    compared: Count = 0
    """Pairs behind `disagreement`."""
