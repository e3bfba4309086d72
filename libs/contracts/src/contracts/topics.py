"""Every topic: its events, its key, how it is spread and how long it is kept. Provisioning, schemas and AsyncAPI come from this table."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal, get_args

from pydantic import TypeAdapter

from contracts.base import Event
from contracts.competition import CompetitionEvent, DecisionRequested, RoundEvent
from contracts.control import AuditCheckpoint, ControlEvent
from contracts.executions import ExecutionEvent
from contracts.market import (
    BarEvent,
    InstrumentListed,
    MarketSnapshot,
    MarkEvent,
    NewsPublished,
    QuoteEvent,
    TradeEvent,
)
from contracts.orders import OrderEvent
from contracts.portfolios import LeaderboardUpdated, PortfolioUpdated, StatementEvent
from contracts.signals import SignalEvent

Spread = Literal["single", "market", "competitor"]
"""How many partitions a topic has at birth: one, as many as the market topics, as many as the per-competitor topics."""

SERVICES = (
    "market-data", "competition", "signal-runtime", "risk-gate", "order-executor", "pnl-tracker", "dashboard-api",
)  # fmt: skip


@dataclass(frozen=True)
class Topic:
    name: str
    key: str
    """What the key is, in words."""
    events: Any
    """The event type, or the discriminated union of them."""
    spread: Spread
    producer: str
    kept: timedelta | None
    """None: compacted, the latest value of each key is kept for ever."""
    public: bool

    @property
    def compacted(self) -> bool:
        return self.kept is None

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.events)

    @cached_property
    def event_types(self) -> tuple[type[Event], ...]:
        arguments = get_args(self.events)
        if not arguments:
            return (self.events,)
        return get_args(arguments[0]) or (arguments[0],)


def _topic(
    name: str, key: str, events: Any, spread: Spread, producer: str, kept: timedelta | None, *, public: bool
) -> tuple[str, Topic]:
    return name, Topic(name, key, events, spread, producer, kept, public)


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

TOPICS: dict[str, Topic] = dict([
    _topic("market.instruments.v1", "instrument", InstrumentListed, "single", "market-data", None, public=True),
    _topic("market.quotes.v1", "instrument", QuoteEvent, "market", "market-data", _HOUR, public=True),
    _topic("market.trades.v1", "instrument", TradeEvent, "market", "market-data", _HOUR, public=True),
    _topic("market.bars.v1", "instrument", BarEvent, "market", "market-data", 7 * _DAY, public=True),
    _topic("market.marks.v1", "instrument", MarkEvent, "market", "market-data", _DAY, public=True),
    _topic("market.news.v1", "source", NewsPublished, "single", "market-data", 7 * _DAY, public=False),
    _topic("market.snapshots.v1", "season", MarketSnapshot, "single", "market-data", 30 * _DAY, public=True),
    _topic("competition.v1", "entity", CompetitionEvent, "single", "competition", None, public=True),
    _topic("rounds.v1", "season", RoundEvent, "single", "competition", 30 * _DAY, public=True),
    _topic("decisions.requested.v1", "competitor", DecisionRequested, "competitor", "competition", 30 * _DAY, public=False),
    _topic("signals.v1", "competitor", SignalEvent, "competitor", "signal-runtime", 30 * _DAY, public=True),
    _topic("orders.v1", "competitor", OrderEvent, "competitor", "risk-gate", 30 * _DAY, public=True),
    _topic("executions.v1", "competitor", ExecutionEvent, "competitor", "order-executor", 30 * _DAY, public=True),
    _topic("portfolios.v1", "competitor", PortfolioUpdated, "competitor", "pnl-tracker", None, public=True),
    _topic("leaderboard.v1", "season", LeaderboardUpdated, "single", "pnl-tracker", None, public=True),
    _topic("statements.v1", "competitor", StatementEvent, "competitor", "pnl-tracker", 90 * _DAY, public=True),
    _topic("control.v1", "scope", ControlEvent, "single", "dashboard-api", 90 * _DAY, public=False),
    _topic("audit.v1", "log", AuditCheckpoint, "single", "competition", None, public=True),
])  # fmt: skip

DEAD_LETTERS_KEPT = 30 * _DAY


def dead_letter_topic(service: str) -> str:
    """Records that broke their contract, as they came; the reason and origin stand in the headers."""
    return f"{service}.dead-letter.v1"
