"""What a page shows at one moment: the latest of everything, and the last of what happened, oldest first."""

import json
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from contracts.competition import CompetitorRegistered, PhaseChanged, SeasonChanged
from contracts.executions import OrderFilled
from contracts.market import InstrumentListed, MarkUpdated
from contracts.orders import TradingHalted, TradingResumed
from contracts.portfolios import LeaderboardUpdated, PortfolioUpdated

from dashboard_api.core.changes import Change, json_of
from dashboard_api.core.decisions import DecisionFact
from dashboard_api.core.equity import EquityPoint, point, thinned
from dashboard_api.core.rounds import RoundView
from dashboard_api.core.trades import Trade


@dataclass(frozen=True, slots=True)
class Shows:
    """How much a page is given when it comes."""

    trades: int = 200
    """Closed ones."""
    fills: int = 200
    decisions: int = 100
    equity_points: int = 1_500
    equity_step: timedelta = timedelta(seconds=60)


@dataclass
class Board:
    shows: Shows = field(default_factory=Shows)
    season: SeasonChanged | None = None
    phase: PhaseChanged | None = None
    round: RoundView | None = None
    leaderboard: LeaderboardUpdated | None = None
    competitors: dict[str, CompetitorRegistered] = field(default_factory=dict)
    portfolios: dict[str, PortfolioUpdated] = field(default_factory=dict)
    marks: dict[str, MarkUpdated] = field(default_factory=dict)
    equity: dict[str, dict[object, EquityPoint]] = field(default_factory=dict)
    decisions: OrderedDict[tuple[str, int], dict[UUID, DecisionFact]] = field(default_factory=OrderedDict)
    halted: dict[str, TradingHalted] = field(default_factory=dict)
    instruments: dict[str, InstrumentListed] = field(default_factory=dict)
    trades: deque[Trade] = field(init=False)
    fills: deque[OrderFilled] = field(init=False)
    at: datetime | None = None
    """The newest arena time told."""

    def __post_init__(self) -> None:
        self.trades, self.fills = deque(maxlen=self.shows.trades), deque(maxlen=self.shows.fills)

    def next(self, season: SeasonChanged) -> "Board":
        """The board of another season: only what the markets are goes on."""
        return Board(self.shows, season=season, marks=self.marks, instruments=self.instruments)

    def put(self, change: Change) -> None:
        self.at = max(self.at or change.at, change.at)
        match change.data:
            case SeasonChanged() as season:
                self.season = season
            case PhaseChanged() as phase:
                self.phase = phase
            case CompetitorRegistered() as competitor:
                self.competitors[competitor.competitor_id] = competitor
            case InstrumentListed() as listed:
                self.instruments[listed.instrument] = listed
            case MarkUpdated() as mark:
                self.marks[mark.instrument] = mark
            case LeaderboardUpdated() as leaderboard:
                self.leaderboard = leaderboard
            case PortfolioUpdated() as portfolio:
                self.portfolios[portfolio.competitor_id] = portfolio
                self.draw(point(portfolio, self.shows.equity_step))
            case RoundView() as current:
                self.round = current
            case TradingHalted() as halted:
                self.halted[halted.competitor_id] = halted
            case TradingResumed() as resumed:
                self.halted.pop(resumed.competitor_id, None)
            case Trade() as trade:
                self.trades.append(trade)
            case OrderFilled() as fill:
                self.fills.append(fill)
            case decision:
                self._decide(decision)

    def draw(self, new: EquityPoint) -> None:
        line = self.equity.setdefault(new.competitor_id, {})
        known = line.get(new.slot)
        if known is None or known.seq <= new.seq:
            line[new.slot] = new

    def belongs(self, season_id: str | None) -> bool:
        return season_id is None or self.season is None or season_id == self.season.season_id

    def succeeds(self, season: SeasonChanged) -> bool:
        """Whether this is the season to show from now on: the one that starts last."""
        now = self.season
        return now is None or (season.starts_at, season.season_id) >= (now.starts_at, now.season_id)

    def snapshot(self) -> str:
        """The members of the snapshot's `data`, without its braces."""
        season, rules = self.season, self.season.rules if self.season else None
        members = {
            "season": json_of(season) if season else "null",
            "rules": json_of(rules) if rules else "null",
            "phase": json_of(self.phase) if self.phase else "null",
            "round": json_of(self.round) if self.round else "null",
            "competitors": _list(json_of(competitor) for competitor in self.competitors.values()),
            "leaderboard": _list(json_of(row) for row in self.leaderboard.rows) if self.leaderboard else "[]",
            "portfolios": _object((key, json_of(value)) for key, value in self.portfolios.items()),
            "equity": _object((key, self._line(key)) for key in self.equity),
            "trades": _list(json_of(fill) for fill in self.fills),
            "closed_trades": _list(json_of(trade) for trade in self.trades),
            "marks": _object((key, json_of(value)) for key, value in self.marks.items()),
            "instruments": _object((key, json_of(value)) for key, value in self.instruments.items()),
            "decisions": _list(json_of(fact) for facts in self.decisions.values() for fact in facts.values()),
            "halted": _object((key, json_of(value)) for key, value in self.halted.items()),
        }
        return ",".join(f'"{name}":{value}' for name, value in members.items())

    def points(self, competitor_id: str) -> list[EquityPoint]:
        return sorted(self.equity.get(competitor_id, {}).values(), key=lambda entry: (entry.at, entry.seq))

    def _line(self, competitor_id: str) -> str:
        points = thinned(self.points(competitor_id), self.shows.equity_points)
        return _list(f'[{round(entry.at.timestamp() * 1000)},"{entry.equity:f}"]' for entry in points)

    def _decide(self, fact: DecisionFact) -> None:
        self.decisions.setdefault((fact.competitor_id, fact.round), {})[fact.event_id] = fact
        if len(self.decisions) > self.shows.decisions:
            self.decisions.popitem(last=False)


def _list(entries: Iterable[str]) -> str:
    return f"[{','.join(entries)}]"


def _object(entries: Iterable[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in entries) + "}"
