"""What the stream tells: one change of one thing."""

import json
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from contracts.base import Event, Model
from contracts.competition import CompetitorRegistered, PhaseChanged, SeasonChanged
from contracts.executions import OrderFilled
from contracts.market import InstrumentListed, MarkUpdated
from contracts.orders import TradingHalted, TradingResumed
from contracts.portfolios import LeaderboardUpdated, PortfolioUpdated

from dashboard_api.core.decisions import DecisionFact
from dashboard_api.core.rounds import RoundView
from dashboard_api.core.trades import Trade

Kind = Literal[
    "season", "phase", "competitor", "instrument", "round", "decision", "halt", "fill", "trade", "portfolio",
    "leaderboard", "mark",
]  # fmt: skip
Shown = (
    SeasonChanged | PhaseChanged | CompetitorRegistered | InstrumentListed | RoundView | DecisionFact | TradingHalted
    | TradingResumed | OrderFilled | Trade | PortfolioUpdated | LeaderboardUpdated | MarkUpdated
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    kind: Kind
    data: Shown
    traceparent: str = ""
    recorded_ms: int = 0
    """When the broker was given the record, Unix milliseconds; 0 where it does not matter."""

    @property
    def season_id(self) -> str | None:
        return None if isinstance(self.data, MarkUpdated | InstrumentListed) else self.data.season_id

    @property
    def at(self) -> datetime:
        return self.data.closed_at if isinstance(self.data, Trade) else self.data.at

    @property
    def replaces(self) -> Hashable | None:
        """Changes of one frame that agree in this are one: the last. None: never dropped."""
        match self.data:
            case MarkUpdated(instrument=instrument):
                return "mark", instrument
            case PortfolioUpdated(competitor_id=competitor, cause="mark"):
                return "portfolio", competitor
            case LeaderboardUpdated():
                return "leaderboard"
            case _:
                return None

    @property
    def caused(self) -> bool:
        """Whether it belongs to a decision, whose trace ends in the frame."""
        return bool(self.traceparent) and self.kind in ("fill", "trade", "portfolio", "decision")


def rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def json_of(data: Model) -> str:
    return data.__pydantic_serializer__.to_json(data).decode()


def written(change: Change) -> str:
    """The change as JSON, its trace context among the data."""
    data = json_of(change.data)
    if change.traceparent:
        data = f'{data[:-1]},"traceparent":{json.dumps(change.traceparent)}}}'
    return f'{{"kind":"{change.kind}","data":{data}}}'


def from_event(event: Event, recorded_ms: int = 0) -> Change | None:
    """Of events that are shown as they are; what is folded (trades, decisions, rounds) makes its own changes."""
    match event:
        case SeasonChanged():
            return Change("season", event)
        case PhaseChanged():
            return Change("phase", event)
        case CompetitorRegistered():
            return Change("competitor", event)
        case OrderFilled():
            return Change("fill", event, event.traceparent, recorded_ms)
        case PortfolioUpdated():
            return Change("portfolio", event, event.traceparent)
        case LeaderboardUpdated():
            return Change("leaderboard", event, event.traceparent)
        case MarkUpdated():
            return Change("mark", event)
        case InstrumentListed():
            return Change("instrument", event)
        case TradingHalted() | TradingResumed():
            return Change("halt", event, event.traceparent)
        case _:
            return None
