"""From a signal to a verdict; from a decision's last part to DecisionJudged."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from contracts.base import Event
from contracts.orders import Check, DecisionJudged, OrderApproved, SignalRejected
from contracts.signals import DecisionMissed, SignalEvent, SignalProposed

from risk_gate.core.admission import ADMISSION
from risk_gate.core.facts import Case, Facts
from risk_gate.core.limits import LIMITS
from risk_gate.core.proposal import Proposal, propose
from risk_gate.core.standing import Standing
from risk_gate.core.verdicts import Rejection, apply


class RiskGate:
    def decide(self, standing: Standing, event: SignalEvent, facts: Facts) -> Sequence[Event]:
        """Change the standing; return the verdict, and after a decision's last part that it is judged."""
        if event.round > standing.round:
            standing.begin(event.round)
        if isinstance(event, DecisionMissed):
            return self._judged(standing, event, answered=False)
        verdicts = self._judge(Case(event, facts, standing))
        is_last = event.part == event.parts
        return [*verdicts, *(self._judged(standing, event, answered=True) if is_last else ())]

    def _judge(self, case: Case) -> Sequence[Event]:
        signal, standing = case.signal, case.standing
        if signal.action == "hold":
            if signal.round == standing.round and signal.part not in standing.parts:
                standing.held += 1
                standing.parts.append(signal.part)
            return ()
        checks: list[Check] = []
        result = judge(case, checks)
        if isinstance(result, Rejection):
            standing.rejected += 1
            self._remember(case)
            return [rejected(signal, result, checks)]
        standing.approved += 1
        self._remember(case)
        standing.commit(result.name, result.signed, _margin_used(result))
        return [approved(result, checks)]

    @staticmethod
    def _remember(case: Case) -> None:
        if case.signal.round == case.standing.round and case.signal.part not in case.standing.parts:
            case.standing.parts.append(case.signal.part)

    @staticmethod
    def _judged(standing: Standing, event: SignalEvent, *, answered: bool) -> Sequence[Event]:
        """Once a round."""
        if standing.judged or event.round < standing.round:
            return ()
        standing.judged = True
        return [
            DecisionJudged(
                **_about(event, 1),
                answered=answered,
                approved=standing.approved,
                rejected=standing.rejected,
                held=standing.held,
            )
        ]


def judge(case: Case, checks: list[Check]) -> Proposal | Rejection:
    """`checks` is filled with every rule that was applied, the deciding one last."""
    if rejection := apply(ADMISSION, case, checks):
        return rejection
    proposal = propose(case)
    if isinstance(proposal, Rejection):
        checks.append(proposal.check)
        return proposal
    if proposal.reduce_only:
        return proposal
    return apply(LIMITS, proposal, checks) or proposal


def approved(order: Proposal, checks: Sequence[Check]) -> OrderApproved:
    signal = order.case.signal
    return OrderApproved(
        **_about(signal, 0),
        signal_id=signal.event_id,
        client_order_id=signal.client_order_id,
        part=signal.part,
        effective_at=signal.effective_at,
        instrument=order.name,
        side=order.side,
        quantity=order.quantity,
        order_type="market" if order.reduce_only else signal.order_type,
        limit_price=order.limit_price,
        time_in_force="IOC" if order.reduce_only else signal.time_in_force,
        reduce_only=order.reduce_only,
        leverage=order.leverage,
        price_min=order.price_min,
        price_max=order.price_max,
        exit_plan=None if order.reduce_only else signal.exit_plan,
        checks=tuple(checks),
    )


def rejected(signal: SignalProposed, rejection: Rejection, checks: Sequence[Check]) -> SignalRejected:
    check = rejection.check
    return SignalRejected(
        **_about(signal, 0),
        signal_id=signal.event_id,
        instrument=signal.instrument,
        code=rejection.code,
        value=check.value,
        limit=check.limit,
        unit=check.unit,
        detail=rejection.detail,
        checks=tuple(checks),
    )


def _margin_used(order: Proposal) -> Decimal:
    return order.margin_needed - order.margin_released


def _about(event: SignalEvent, child: int) -> dict[str, Any]:
    return {
        "event_id": event.child_id(child),
        "at": event.at,
        "traceparent": event.traceparent,
        "season_id": event.season_id,
        "competitor_id": event.competitor_id,
        "round": event.round,
    }
