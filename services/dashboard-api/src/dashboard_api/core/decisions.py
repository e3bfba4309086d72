"""A decision as everybody may see it: what the competitor said, part by part, and what the risk gate answered."""

from collections.abc import Iterable
from typing import Literal
from uuid import UUID

from contracts.base import Model
from contracts.orders import Checks, DecisionJudged, OrderApproved, RejectionCode, SignalRejected
from contracts.signals import Action, Attempt, DecisionMissed, ExitPlan, MissReason, OrderType, SignalProposed
from contracts.types import (
    CompetitorId,
    Confidence,
    Count,
    InstrumentId,
    Leverage,
    Number,
    Price,
    Quantity,
    Round,
    SeasonId,
    Text,
    Time,
    UsdSize,
)

DecisionFact = SignalProposed | DecisionMissed | OrderApproved | SignalRejected | DecisionJudged


class PartView(Model):
    """One instrument's part with its verdict; `value` and `limit` are the numbers that decided a rejection."""

    signal_id: UUID
    part: Count
    action: Action
    instrument: InstrumentId | None = None
    quantity: Quantity | None = None
    order_type: OrderType
    limit_price: Price | None = None
    leverage: Leverage | None = None
    exit_plan: ExitPlan | None = None
    confidence: Confidence | None = None
    risk_usd: UsdSize | None = None
    justification: Text = ""
    verdict: Literal["pending", "held", "approved", "rejected"]
    order_id: UUID | None = None
    code: RejectionCode | None = None
    value: Number | None = None
    limit: Number | None = None
    unit: str = ""
    detail: str = ""
    checks: Checks = ()


class DecisionView(Model):
    """`state` is `proposed` until the risk gate has judged every part."""

    season_id: SeasonId
    competitor_id: CompetitorId
    round: Round
    at: Time
    state: Literal["proposed", "judged", "missed"]
    decision_id: UUID | None = None
    parts_expected: Count = 0
    parts: tuple[PartView, ...] = ()
    attempt: Attempt | None = None
    reason: MissReason | None = None
    """Why the round was missed."""
    detail: str = ""
    approved: Count = 0
    rejected: Count = 0
    held: Count = 0
    judged_at: Time | None = None


def view(events: Iterable[DecisionFact]) -> DecisionView:
    """The decision that these events of one competitor and round make, in whatever order they came."""
    facts = sorted(events, key=lambda event: event.at)
    signals = sorted((fact for fact in facts if isinstance(fact, SignalProposed)), key=lambda signal: signal.part)
    verdicts = {fact.signal_id: fact for fact in facts if isinstance(fact, OrderApproved | SignalRejected)}
    missed = next((fact for fact in facts if isinstance(fact, DecisionMissed)), None)
    judged = next((fact for fact in facts if isinstance(fact, DecisionJudged)), None)
    said = missed or (signals[0] if signals else facts[0])
    return DecisionView(
        season_id=said.season_id,
        competitor_id=said.competitor_id,
        round=said.round,
        at=said.at,
        state="missed" if missed or (judged and not judged.answered) else "judged" if judged else "proposed",
        decision_id=signals[0].decision_id if signals else None,
        parts_expected=signals[0].parts if signals else 0,
        parts=tuple(_part(signal, verdicts.get(signal.event_id)) for signal in signals),
        attempt=missed.attempt if missed else signals[0].attempt if signals else None,
        reason=missed.reason if missed else None,
        detail=missed.detail if missed else "",
        approved=judged.approved if judged else 0,
        rejected=judged.rejected if judged else 0,
        held=judged.held if judged else 0,
        judged_at=judged.at if judged else None,
    )


def _part(signal: SignalProposed, verdict: OrderApproved | SignalRejected | None) -> PartView:
    rejected = verdict if isinstance(verdict, SignalRejected) else None
    return PartView(
        signal_id=signal.event_id,
        part=signal.part,
        action=signal.action,
        instrument=signal.instrument,
        quantity=signal.quantity,
        order_type=signal.order_type,
        limit_price=signal.limit_price,
        leverage=signal.leverage,
        exit_plan=signal.exit_plan,
        confidence=signal.confidence,
        risk_usd=signal.risk_usd,
        justification=signal.justification,
        verdict=_verdict(signal, verdict),
        order_id=verdict.event_id if isinstance(verdict, OrderApproved) else None,
        code=rejected.code if rejected else None,
        value=rejected.value if rejected else None,
        limit=rejected.limit if rejected else None,
        unit=rejected.unit if rejected else "",
        detail=rejected.detail if rejected else "",
        checks=verdict.checks if verdict else (),
    )


def _verdict(
    signal: SignalProposed, verdict: OrderApproved | SignalRejected | None
) -> Literal["pending", "held", "approved", "rejected"]:
    if verdict is None:
        return "held" if signal.action == "hold" else "pending"
    return "approved" if isinstance(verdict, OrderApproved) else "rejected"
