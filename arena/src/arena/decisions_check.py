"""`arena decisions check`: recorded replies through the parser, the risk gate and the paper venue, all pure cores."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from contracts.base import Event
from contracts.executions import OrderFilled
from contracts.market import BookUpdated, MarkUpdated
from contracts.money import times
from contracts.orders import ExitChangeApproved, OrderApproved, OrderCancelApproved, SignalRejected
from contracts.signals import Attempt, SignalProposed
from order_executor.core import Account, Position, Venue
from risk_gate.core import Facts, RiskGate, Standing
from signal_runtime.core.errors import BadReply
from signal_runtime.core.reply import parse_reply
from signal_runtime.core.signals import Asked, signals

from arena.decisions_check_file import Malformed, conversation
from arena.decisions_check_prompt import shown
from arena.decisions_check_world import COMPETITOR, SEASON, World, demo_rules

DETAIL_MAX = 300
APPROVALS = (OrderApproved, OrderCancelApproved, ExitChangeApproved)
ATTEMPT = Attempt(model="recorded", offline=True, latency_ms=0)


@dataclass
class Checked:
    conversations: int = 0
    parsed: int = 0
    would_trade: int = 0
    """Decisions that ask for anything but to hold."""
    parts: Counter[str] = field(default_factory=Counter)
    approved: int = 0
    filled: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)
    rejections: list[dict[str, Any]] = field(default_factory=list)
    without_market: int = 0
    """Decisions whose prompt shows no price."""

    def figures(self) -> dict[str, Any]:
        errors = Counter(each["error"] for each in self.failures)
        return {
            "conversations": self.conversations,
            "parsed": self.parsed,
            "failed": len(self.failures),
            "errors": dict(sorted(errors.items())),
            "malformed": errors["MalformedEntry"],
            "would_trade": self.would_trade,
            "parts": dict(sorted(self.parts.items())),
            "approved": self.approved,
            "filled": self.filled,
            "rejected": self.rejected.total(),
            "rejected_codes": dict(sorted(self.rejected.items())),
            "without_market": self.without_market,
            "judged_by": "prices, account and positions of each prompt; limits of the demo season",
            "failures": self.failures,
            "rejections": self.rejections,
        }


def check(entries: Iterable[Any]) -> Checked:
    checked, rules = Checked(), demo_rules()
    for index, entry in enumerate(entries):
        checked.conversations += 1
        found = conversation(entry)
        if isinstance(found, Malformed):
            _failed(checked, index, found.name, "MalformedEntry", found.reason)
            continue
        try:
            decision = parse_reply(found.reply)
        except BadReply as error:
            _failed(checked, index, found.name, type(error).__name__, str(error))
            continue
        checked.parsed += 1
        world = World(index, shown(found.prompt), rules)
        asked = Asked(world.request, world.season, world.deadline)
        _judge(checked, world, found.name, signals(asked, decision, world.specs, ATTEMPT))
    return checked


def _failed(checked: Checked, index: int, name: str, error: str, detail: str) -> None:
    checked.failures.append({"index": index, "id": name, "error": error, "detail": detail[:DETAIL_MAX]})


def _judge(checked: Checked, world: World, name: str, parts: Sequence[SignalProposed]) -> None:
    checked.parts.update(part.action for part in parts)
    checked.would_trade += any(part.action != "hold" for part in parts)
    checked.without_market += not world.shown.prices
    verdicts = _verdicts(world, parts)
    for event in verdicts:
        if isinstance(event, SignalRejected):
            checked.rejected[event.code] += 1
            checked.rejections.append(
                {"index": world.index, "id": name, "instrument": event.instrument, "code": event.code,
                 "detail": event.detail[:DETAIL_MAX]}
            )  # fmt: skip
    checked.approved += sum(isinstance(event, APPROVALS) for event in verdicts)
    checked.filled += _filled(world, verdicts)


def _verdicts(world: World, parts: Sequence[SignalProposed]) -> list[Event]:
    gate, standing = RiskGate(), Standing()
    return [event for part in parts for event in gate.decide(standing, part, _facts(world, part))]


def _facts(world: World, part: SignalProposed) -> Facts:
    name = part.instrument or ""
    return Facts(
        season=world.season,
        instrument=world.specs.get(name),
        book=world.books.get(name),
        mark=world.marks.get(name),
        portfolio=world.portfolio,
        as_of=world.deadline,
    )


def _filled(world: World, verdicts: Sequence[Event]) -> int:
    """Orders that the venue fills, in whole or in part, at the deadline."""
    venue = _venue(world)
    for name in world.books:
        venue.market(Record(world.marks[name]))
        venue.market(Record(world.books[name]))
    for event in verdicts:
        if isinstance(event, APPROVALS):
            venue.own(event)
    after = venue.passed(world.deadline + timedelta(seconds=1))
    return len({event.order_id for event in after if isinstance(event, OrderFilled) and event.purpose == "decision"})


def _venue(world: World) -> Venue:
    """It has the account as the prompt shows it: cash, and each position at its average entry."""
    venue = Venue()
    venue.info.terms.adopt(world.season)
    for spec in world.specs.values():
        venue.info.terms.list(spec)
    account = Account(SEASON, COMPETITOR, world.portfolio.cash)
    for view in world.portfolio.positions:
        account.positions[view.instrument] = Position(
            view.instrument, view.quantity, times(view.quantity, view.entry_price), view.leverage, opened_at=world.at
        )
    venue.restore(world.at, {}, [account], [])
    return venue


@dataclass(frozen=True, slots=True)
class Record:
    """A market event as the venue takes it."""

    event: BookUpdated | MarkUpdated

    @property
    def at(self) -> datetime:
        return self.event.at

    @property
    def instrument(self) -> str:
        return self.event.instrument

    @property
    def kind(self) -> str:
        return self.event.type
