"""Of the read model: it is the fold of the public topics, no fact missing, none too many."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from contracts.competition import RoundClosed, RoundOpened
from contracts.executions import FundingSettled, OrderFilled, PositionLiquidated
from contracts.orders import DecisionJudged, OrderApproved, SignalRejected
from contracts.signals import DecisionMissed, SignalProposed
from dashboard_api.core.trades import Trade
from pnl_tracker.core.money import exact

from arena.simulation.invariants.base import Invariant
from arena.simulation.log import Record

ROUNDED = Decimal("0.000001")


class ReadModelIsFold(Invariant):
    name = "read_model_is_fold"
    says = "at rest the read model holds every fill, decision, round and closed trade of the topics, each once"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._fills: set[Any] = set()
        self._decisions: set[Any] = set()
        self._rounds: defaultdict[int, list[bool]] = defaultdict(lambda: [False, False])
        self._held: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self._closed = 0
        self._gross: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        """What each competitor made in each instrument, costs paid."""

    def sees(self, record: Record, event: Any) -> None:  # noqa: ARG002  # one form for all
        match event:
            case OrderFilled():
                self._fill(event)
            case FundingSettled():
                self._gross[event.competitor_id, event.instrument] -= event.payment
            case PositionLiquidated():
                self._gross[event.competitor_id, event.instrument] -= event.fee
            case SignalProposed() | DecisionMissed() | OrderApproved() | SignalRejected() | DecisionJudged():
                self._decisions.add(event.event_id)
            case RoundOpened():
                self._rounds[event.round][0] = True
            case RoundClosed():
                self._rounds[event.round][1] = True

    def _fill(self, event: OrderFilled) -> None:
        whose = event.competitor_id, event.instrument
        signed = event.quantity if event.side == "buy" else -event.quantity
        before, after = self._held[whose], self._held[whose] + signed
        self._closed += before != 0 and (after == 0 or before * after < 0)
        self._held[whose] = after
        with exact():
            self._gross[whose] -= signed * event.price + event.fee
        self._fills.add(event.trade_id)

    def ends(self) -> None:
        database = self.world.database("dashboard-api")
        self._same("fills", self._fills, {row["trade_id"] for row in database.rows("fills")})
        self._same("decision_events", self._decisions, {row["event_id"] for row in database.rows("decision_events")})
        rounds = {
            row["round"]: [row["opened"] is not None, row["closed"] is not None] for row in database.rows("rounds")
        }
        if rounds != dict(self._rounds):
            self.fail(f"rounds: the topic has {dict(self._rounds)}, the read model {rounds}")
        trades = [Trade.model_validate_json(row["body"]) for row in database.rows("trades")]
        if len(trades) != self._closed:
            self.fail(f"{self._closed} trades were closed, the read model has {len(trades)}")
        self._nets(trades)

    def _same(self, table: str, topic: set[Any], rows: set[Any]) -> None:
        if difference := topic ^ rows:
            where = "the topic" if next(iter(difference)) in topic else "the read model"
            self.fail(f"{table}: {next(iter(difference))} is only in {where}")

    def _nets(self, trades: list[Trade]) -> None:
        """Where an instrument is flat again, its closed trades came to what it made."""
        nets: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for trade in trades:
            nets[trade.competitor_id, trade.instrument] += trade.net
        for whose, held in self._held.items():
            if not held and abs(nets[whose] - self._gross[whose]) > ROUNDED:
                self.fail(f"{whose}: its trades come to {nets[whose]}, its fills to {self._gross[whose]}")
