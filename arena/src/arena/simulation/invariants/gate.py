"""Of the gate: each signal is judged once, and what it lets through it may."""

from bisect import bisect_right
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.control import HaltRequested, ResumeRequested
from contracts.market import BookUpdated, MarkUpdated
from contracts.orders import (
    DecisionJudged,
    OrderApproved,
    TradingHalted,
    TradingResumed,
)
from contracts.signals import SignalProposed
from contracts.types import EPOCH

from arena.simulation.invariants.base import Invariant
from arena.simulation.log import Record

CLOCKS_APART = timedelta(seconds=10)
"""Live, with clocks that are wrong and time told every 20 s."""
SLACK = Decimal("1.1")
"""The mark moves between the judgement and what is seen here."""


class JudgedOnce(Invariant):
    name = "judged_once"
    says = "each part of a decision gets one verdict, each decision one DecisionJudged that counts them"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._parts: defaultdict[tuple[str, int], dict[Any, str]] = defaultdict(dict)
        self._verdicts: defaultdict[tuple[str, int], dict[Any, str]] = defaultdict(dict)
        self._judged: set[tuple[str, int]] = set()

    def sees(self, record: Record, event: Any) -> None:
        if isinstance(event, SignalProposed):
            self._parts[event.competitor_id, event.round][event.event_id] = event.action
        elif record.topic == "orders.v1" and hasattr(event, "signal_id"):
            verdicts = self._verdicts[event.competitor_id, event.round]
            if event.signal_id in verdicts:
                self.fail(f"{event.signal_id}: {verdicts[event.signal_id]}, and then {event.type}")
            if event.signal_id not in self._parts[event.competitor_id, event.round]:
                self.fail(f"{event.type} of {event.signal_id}, which nobody proposed")
            verdicts[event.signal_id] = event.type
        elif isinstance(event, DecisionJudged):
            self._judge(event)

    def _judge(self, event: DecisionJudged) -> None:
        whose = event.competitor_id, event.round
        if whose in self._judged:
            self.fail(f"{whose} was judged twice")
        self._judged.add(whose)
        actions = self._parts[whose]
        wanted = [each for each, action in actions.items() if action != "hold"]
        missing = [each for each in wanted if each not in self._verdicts[whose]]
        if event.answered and missing:
            self.fail(f"{whose} was judged without a verdict on {missing[0]}")
        told = event.approved + event.rejected, event.held
        if event.answered and told != (len(wanted), len(actions) - len(wanted)):
            self.fail(f"{whose}: {told} judged and held, {len(wanted)} and {len(actions) - len(wanted)} proposed")


class WithinLimits(Invariant):
    name = "within_limits"
    says = "no approved order that takes on risk is beyond the rules' leverage or notional"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._marks: dict[str, Decimal] = {}

    def sees(self, record: Record, event: Any) -> None:  # noqa: ARG002  # one form for all
        if isinstance(event, MarkUpdated):
            self._marks[event.instrument] = event.mark_price
        elif isinstance(event, OrderApproved) and not event.reduce_only:
            rules = self.plan.file.rules
            if event.leverage > rules.leverage_max:
                self.fail(f"{event.event_id}: leverage {event.leverage}, at most {rules.leverage_max}")
            price = event.limit_price or (event.trigger.price if event.trigger else None)
            notional = event.quantity * (price or self._marks[event.instrument] / SLACK)
            if notional > rules.order_notional_max:
                self.fail(f"{event.event_id}: {notional} USD, at most {rules.order_notional_max}")


class Halted(Invariant):
    name = "no_risk_while_halted"
    says = "no order that takes on risk is approved while a breaker or an operator's halt is in force"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._breakers: defaultdict[str, set[str]] = defaultdict(set)
        self._halts: dict[tuple[str | None, str | None], int] = {}
        self._control = 0
        self._forbidden: dict[Any, tuple[str | None, str | None]] = {}

    def sees(self, record: Record, event: Any) -> None:  # noqa: ARG002  # one form for all
        match event:
            case TradingHalted() if event.reason != "operator":
                self._breakers[event.competitor_id].add(event.reason)
            case TradingResumed() if event.reason != "operator":
                self._breakers[event.competitor_id].discard(event.reason)
            case HaltRequested():
                self._halts.setdefault((event.competitor_id, event.instrument), 0)
            case ResumeRequested():
                self._halts.pop((event.competitor_id, event.instrument), None)
            case SignalProposed():
                scopes = [(who, what) for who in (event.competitor_id, None) for what in (event.instrument, None)]
                if halted := [scope for scope in scopes if scope in self._halts]:
                    self._forbidden[event.event_id] = halted[0]
            case OrderApproved() if not event.reduce_only:
                self._approved(event)

    def _approved(self, event: OrderApproved) -> None:
        if tripped := self._breakers[event.competitor_id]:
            self.fail(f"{event.event_id} of {event.competitor_id} was approved while {sorted(tripped)[0]} had tripped")
        scope = self._forbidden.get(event.signal_id)
        if scope is not None and scope in self._halts:
            self.fail(f"{event.event_id} of {event.competitor_id} was approved while {scope} was halted")


class WithStalePrices(Invariant):
    name = "no_risk_at_stale_prices"
    says = "no order that takes on risk is approved where book or mark are older than the rules allow"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._times: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
        self._said: dict[Any, datetime] = {}

    def sees(self, record: Record, event: Any) -> None:  # noqa: ARG002  # one form for all
        if isinstance(event, BookUpdated | MarkUpdated):
            self._times[event.type, event.instrument].append(event.at)
        elif isinstance(event, SignalProposed):
            self._said[event.event_id] = event.at
        elif isinstance(event, OrderApproved) and not event.reduce_only:
            self._approved(event)

    def _approved(self, event: OrderApproved) -> None:
        season = self.world.season
        allowed = timedelta(seconds=season.rules.price_stale_s)
        if season.clock == "lockstep":
            moment = min(event.effective_at, season.held_at(event.round))
        else:
            moment, allowed = min(event.effective_at, self._said[event.signal_id]), allowed + CLOCKS_APART
        for kind in ("book_updated", "mark_updated"):
            times = self._times[kind, event.instrument]
            place = bisect_right(times, moment) if season.clock == "lockstep" else len(times)
            latest = times[place - 1] if place else EPOCH
            if moment - latest > allowed:
                self.fail(
                    f"{event.event_id}: {kind} of {event.instrument} was {moment - latest} old, {allowed} is allowed"
                )
