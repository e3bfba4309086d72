"""From a signal to a verdict; from a decision's last part to DecisionJudged."""

from collections.abc import Sequence

from contracts.base import Event
from contracts.orders import DecisionJudged, RejectionCode
from contracts.signals import DecisionMissed, SignalEvent

from risk_gate.core.answers import about, approved, rejected
from risk_gate.core.checks import CHECKS
from risk_gate.core.engine import Engine
from risk_gate.core.facts import Case, Facts
from risk_gate.core.halts import open_round
from risk_gate.core.proposal import Proposal
from risk_gate.core.season_rules import adds
from risk_gate.core.standing import RestingOrder, Standing

STALE: frozenset[RejectionCode] = frozenset({
    "PRICE_MISSING", "PRICE_STALE", "BOOK_CROSSED", "INSTRUMENT_SUSPENDED",
})  # fmt: skip
"""The market's doing: counted by the breaker `stale_storm`."""
HALTED: frozenset[RejectionCode] = frozenset({"TRADING_HALTED", "BREAKER_TRIPPED"})
"""A halt does not feed the next one."""


class RiskGate:
    def __init__(self, engine: Engine = CHECKS) -> None:
        self._engine = engine

    def decide(self, standing: Standing, event: SignalEvent, facts: Facts) -> Sequence[Event]:
        """Change the standing; return the verdict, before it what a round's first event tells of halts.

        After a decision's last part it is judged.
        """
        said: list[Event] = []
        if event.round > standing.round:
            standing.begin(event.round)
            said += open_round(standing, event, facts)
        if isinstance(event, DecisionMissed):
            return [*said, *self._judged(standing, event, answered=False)]
        said += self._judge(Case(event, facts, standing))
        if event.part == event.parts:
            said += self._judged(standing, event, answered=True)
        return said

    def _judge(self, case: Case) -> Sequence[Event]:
        signal, standing = case.signal, case.standing
        is_new = signal.round == standing.round and signal.part not in standing.parts
        if signal.action == "hold":
            standing.held += is_new
            self._remember(case)
            return ()
        verdict = self._engine.judge(case)
        self._remember(case)
        if verdict.rejection is not None:
            standing.rejected += 1
            _count(case, verdict.rejection.code)
            return [rejected(signal, verdict.rejection, verdict.checks)]
        answer = approved(case, verdict.checks)
        standing.approved += 1
        _commit(case)
        return [answer]

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
                **about(event, 1),
                answered=answered,
                approved=standing.approved,
                rejected=standing.rejected,
                held=standing.held,
            )
        ]


def _count(case: Case, code: RejectionCode) -> None:
    buckets = case.standing.history.buckets
    if not buckets or code in HALTED:
        return
    if code in STALE:
        buckets[-1].stale += 1
    else:
        buckets[-1].rejected += 1


def _commit(case: Case) -> None:
    """What the approval leaves for the parts and rounds that follow."""
    if case.kind in ("cancel", "exits"):
        return
    signal, standing, order = case.signal, case.standing, case.order
    if case.kind == "enter":
        standing.approved_margin += order.margin_needed - order.margin_released
        standing.commit(order.name, order.signed, order.basis, reduces=False, adds=adds(case))
        if standing.history.buckets:
            standing.history.buckets[-1].orders += 1
    elif case.kind == "reduce" and not order.rests:
        standing.approved_margin += order.margin_needed - order.margin_released
        standing.commit(order.name, order.signed, order.basis, reduces=True)
    amends = signal.action == "amend_order"
    name = signal.target_client_order_id if amends else signal.client_order_id
    if name and (amends or order.rests):
        standing.rest(name, _resting(order), amends=amends)


def _resting(order: Proposal) -> RestingOrder:
    return RestingOrder(
        order.name, order.side, order.quantity, order.leverage, order.reduce_only, order.limit_price, order.trigger
    )
