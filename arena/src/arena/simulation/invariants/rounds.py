"""Of the rounds: everybody is asked once, answers or misses once, and every round closes."""

from collections import defaultdict
from typing import Any

from contracts.competition import DecisionRequested, RoundClosed, RoundOpened
from contracts.orders import DecisionJudged
from contracts.signals import DecisionMissed, SignalProposed

from arena.simulation.invariants.base import Invariant
from arena.simulation.log import Record


class EveryRoundCloses(Invariant):
    name = "every_round_closes"
    says = "rounds open in order and close once; each competitor is asked once, and answered or missed, not both"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._opened: list[int] = []
        self._closed: set[int] = set()
        self._asked: defaultdict[int, set[str]] = defaultdict(set)
        self._said: dict[tuple[str, int], str] = {}
        self._judged: defaultdict[int, set[str]] = defaultdict(set)
        self._everyone = {entry.competitor_id for entry in self.plan.file.competitors}

    def sees(self, record: Record, event: Any) -> None:  # noqa: ARG002  # one form for all
        match event:
            case RoundOpened():
                if event.round <= (self._opened or [0])[-1]:
                    self.fail(f"round {event.round} opened after {self._opened[-1]}")
                self._opened.append(event.round)
            case DecisionRequested():
                if event.competitor_id in self._asked[event.round]:
                    self.fail(f"{event.competitor_id} was asked twice in round {event.round}")
                self._asked[event.round].add(event.competitor_id)
            case SignalProposed() | DecisionMissed():
                known = self._said.setdefault((event.competitor_id, event.round), event.type)
                if known != event.type:
                    self.fail(f"{event.competitor_id} answered and missed round {event.round}")
            case DecisionJudged():
                self._judged[event.round].add(event.competitor_id)
            case RoundClosed():
                self._close(event)

    def _close(self, event: RoundClosed) -> None:
        if event.round in self._closed:
            self.fail(f"round {event.round} closed twice")
        self._closed.add(event.round)
        absent = set(event.unanswered)
        if event.answered + event.missed != event.judged or event.judged + len(absent) != len(self._everyone):
            self.fail(f"round {event.round}: {event.judged} judged, {len(absent)} unanswered of {len(self._everyone)}")
        if self.plan.clock == "lockstep" and (absent or self._judged[event.round] != self._everyone):
            self.fail(f"round {event.round} closed without {sorted(self._everyone - self._judged[event.round])}")

    def ends(self) -> None:
        if left := set(self._opened) - self._closed:
            last = max(self._opened)
            if self.plan.clock == "lockstep" or left - {last}:
                self.fail(f"round {min(left)} never closed")
        for number in self._opened:
            if self._asked[number] != self._everyone:
                self.fail(f"round {number}: {sorted(self._everyone - self._asked[number])[:3]} were not asked")
        if silent := [
            (who, number) for number in self._opened for who in self._everyone if (who, number) not in self._said
        ]:
            self.fail(f"{min(silent)} neither answered nor missed")
