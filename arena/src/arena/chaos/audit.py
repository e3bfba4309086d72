"""Was anything lost or doubled? Topics, the venue's account, the ledger and the read model are held together."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

STEPS = ("competition", "risk-gate", "order-executor", "pnl-tracker")
"""Count their outputs without a gap, below `service/topic/partition` of the input."""
WATERMARK = "arena.time_advanced"
JUDGED = ("order_approved", "order_cancel_approved", "order_amend_approved", "exit_change_approved", "signal_rejected")

Decision = tuple[str, int]
"""(competitor, round)"""


@dataclass(frozen=True)
class Finding:
    kind: Literal["lost", "doubled", "unbalanced"]
    what: str


@dataclass(frozen=True)
class Held:
    """What the databases hold; competitors and instruments by name."""

    venue_fills: Sequence[UUID]
    ledger_trades: Sequence[UUID]
    ledger_postings: Sequence[tuple[UUID, int]]
    """(trade id, how many different events posted it)."""
    unbalanced: Sequence[UUID]
    """Events whose ledger entries do not add up to zero."""
    shown_fills: Sequence[UUID]
    venue_accounts: Mapping[str, tuple[Decimal, ...]]
    """(realised P&L, fees, funding, fills) by competitor; so the ledger's."""
    ledger_accounts: Mapping[str, tuple[Decimal, ...]]
    venue_positions: Mapping[tuple[str, str], Decimal]
    ledger_positions: Mapping[tuple[str, str], Decimal]


@dataclass
class Told:
    """What the topics say, each record once."""

    _contents: dict[tuple[str, int], bytes] = field(default_factory=dict)
    _numbers: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _told_by: dict[tuple[str, UUID], tuple[str, int]] = field(default_factory=dict)
    doubled: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    requested: set[Decision] = field(default_factory=set)
    parts: Counter[Decision] = field(default_factory=Counter)
    answered: set[Decision] = field(default_factory=set)
    signals: set[UUID] = field(default_factory=set)
    holds: set[UUID] = field(default_factory=set)
    verdicts: Counter[UUID] = field(default_factory=Counter)
    judged: Counter[Decision] = field(default_factory=Counter)
    opened: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    approved: set[UUID] = field(default_factory=set)
    with_outcome: set[UUID] = field(default_factory=set)
    trades: Counter[UUID] = field(default_factory=Counter)

    def is_new(self, kind: str, source: str, sequence: int, value: bytes) -> bool:
        """False for a repeat, and for a watermark that has no number of its own; notes what has another content."""
        if kind == WATERMARK and source.startswith("market-data/"):
            return False
        digest = sha256(value).digest()
        before = self._contents.setdefault((source, sequence), digest)
        if before != digest:
            self.doubled.append(Finding("doubled", f"{source} number {sequence} has two contents"))
        is_new = sequence not in self._numbers[source]
        self._numbers[source].add(sequence)
        return is_new

    def add(self, event: Any, source: str, sequence: int) -> None:
        """A new event; `is_new` has been asked."""
        self.counts[event.type] += 1
        told_by = self._told_by.setdefault((event.topic, event.event_id), (source, sequence))
        if told_by != (source, sequence) and event.type != "time_advanced":
            numbers = f"{told_by[0]} {told_by[1]} and {source} {sequence}"
            self.doubled.append(Finding("doubled", f"{event.type} {event.event_id} was told as {numbers}"))
        if (take := getattr(self, f"_on_{event.type}", None)) is not None:
            take(event)
        if event.type in JUDGED:
            self.verdicts[event.signal_id] += 1
        if event.topic == "executions.v1" and (order := getattr(event, "order_id", None)) is not None:
            self.with_outcome.add(order)

    def _on_decision_requested(self, event: Any) -> None:
        self.requested.add(_decision(event))

    def _on_decision_missed(self, event: Any) -> None:
        self.answered.add(_decision(event))

    def _on_signal_proposed(self, event: Any) -> None:
        self.signals.add(event.event_id)
        if event.action == "hold":
            self.holds.add(event.event_id)
        self.parts[_decision(event)] += 1
        if self.parts[_decision(event)] >= event.parts:
            self.answered.add(_decision(event))

    def _on_decision_judged(self, event: Any) -> None:
        self.judged[_decision(event)] += 1

    def _on_order_approved(self, event: Any) -> None:
        self.approved.add(event.event_id)

    def _on_order_filled(self, event: Any) -> None:
        self.trades[event.trade_id] += 1

    def _on_round_opened(self, event: Any) -> None:
        self.opened.add(event.round)

    def _on_round_closed(self, event: Any) -> None:
        self.closed.add(event.round)

    def gaps(self) -> Iterator[Finding]:
        for source, numbers in self._numbers.items():
            service, _, rest = source.partition("/")
            whole = service == "market-data" or (service in STEPS and rest.count("/") == 1 and ".v1/" in rest)
            missing = max(numbers) - len(numbers)
            if whole and missing:
                yield Finding("lost", f"{source} has {missing} gaps up to {max(numbers)}")


def findings(told: Told, held: Held) -> list[Finding]:
    return [*told.doubled, *told.gaps(), *_decisions(told), *_orders(told), *_fills(told, held), *_books(held)]


def _decisions(told: Told) -> Iterator[Finding]:
    yield from _lost(f"round {number} never closed" for number in told.opened - told.closed)
    yield from _lost(f"the request of {_named(who)} has no answer" for who in told.requested - told.answered)
    yield from _lost(f"{_named(who)} was not judged" for who in told.answered - told.judged.keys())
    unjudged = told.signals - told.holds - told.verdicts.keys()
    yield from _lost(f"signal {signal} has no verdict" for signal in unjudged)
    yield from _twice("decision", (_named(who) for who, count in told.judged.items() if count > 1), "was judged twice")
    yield from _twice("signal", (str(one) for one, count in told.verdicts.items() if count > 1), "has two verdicts")


def _orders(told: Told) -> Iterator[Finding]:
    yield from _lost(f"order {order} has no outcome" for order in told.approved - told.with_outcome)


def _fills(told: Told, held: Held) -> Iterator[Finding]:
    yield from _twice("trade", (str(one) for one, count in told.trades.items() if count > 1), "was filled twice")
    twice = (str(trade) for trade, events in held.ledger_postings if events > 1)
    yield from _twice("trade", twice, "stands twice in the ledger")
    posted = {trade for trade, _ in held.ledger_postings}
    places = (
        ("the venue's account", held.venue_fills), ("the tracker's trades", held.ledger_trades), ("the ledger", posted),
        ("the read model", held.shown_fills),
    )  # fmt: skip
    for place, trades in places:
        counted = Counter(trades)
        yield from _lost(f"trade {trade} is not in {place}" for trade in told.trades.keys() - counted.keys())
        yield from _twice("trade", map(str, counted.keys() - told.trades.keys()), f"is in {place} and was never told")
        yield from _twice("trade", (str(one) for one, count in counted.items() if count > 1), f"is twice in {place}")


def _books(held: Held) -> Iterator[Finding]:
    for event in held.unbalanced:
        yield Finding("unbalanced", f"the ledger's entries of event {event} do not add up to zero")
    compared: tuple[tuple[str, Mapping[Any, Any], Mapping[Any, Any]], ...] = (
        ("account", held.venue_accounts, held.ledger_accounts),
        ("position", held.venue_positions, held.ledger_positions),
    )
    for what, venue, ledger in compared:
        for key in sorted(venue.keys() | ledger.keys()):
            if venue.get(key) != ledger.get(key):
                yield Finding("unbalanced", f"{what} {key}: venue {venue.get(key)}, ledger {ledger.get(key)}")


def _lost(whats: Iterable[str]) -> Iterator[Finding]:
    return (Finding("lost", what) for what in whats)


def _twice(noun: str, names: Iterable[str], what: str) -> Iterator[Finding]:
    return (Finding("doubled", f"{noun} {name} {what}") for name in names)


def _decision(event: Any) -> Decision:
    return event.competitor_id, event.round


def _named(decision: Decision) -> str:
    competitor, number = decision
    return f"{competitor} in round {number}"
