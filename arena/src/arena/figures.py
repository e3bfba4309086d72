"""The figures a run ends with: read from the topics, never from what a service says about itself."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from contracts.executions import OrderFilled
from contracts.portfolios import LeaderboardUpdated, PortfolioUpdated

from arena.accounts import Marks, equity_errors
from arena.reading import read_latest, read_topics

COUNTED = ("rounds.v1", "signals.v1", "orders.v1", "executions.v1")
LATEST = ("competition.v1", "portfolios.v1", "leaderboard.v1")
MARKS_READ = 5_000
"""The last so many records of each partition of the marks: the final valuations lie among them."""


@dataclass
class Tally:
    """Everything the topics say, added up."""

    counts: Counter[str] = field(default_factory=Counter)
    competitors: set[str] = field(default_factory=set)
    executions: list[Any] = field(default_factory=list)
    portfolios: dict[str, PortfolioUpdated] = field(default_factory=dict)
    leaderboard: LeaderboardUpdated | None = None
    filled_ms: dict[str, int] = field(default_factory=dict)
    """When a trade's fill was published, by trade id."""

    def add(self, event: Any, published_ms: int) -> None:
        self.counts[event.type] += 1
        match event.type:
            case "competitor_registered" if event.active:
                self.competitors.add(event.competitor_id)
            case "portfolio_updated":
                self.portfolios[event.competitor_id] = event
            case "leaderboard_updated":
                self.leaderboard = event
        if event.topic == "executions.v1":
            self.executions.append(event)
        if isinstance(event, OrderFilled):
            self.filled_ms.setdefault(str(event.trade_id), published_ms)

    @property
    def books_balanced(self) -> bool:
        """Said of every competitor by the ledger, and of all of them together."""
        last = self.portfolios.values()
        return (
            set(self.portfolios) >= self.competitors
            and bool(last)
            and all(portfolio.books_balanced for portfolio in last)
            and (self.leaderboard is None or self.leaderboard.books_balanced)
        )


async def read_tally(kafka: str) -> tuple[Tally, Marks]:
    tally, marks = Tally(), Marks()
    for event in await read_latest(kafka, LATEST):
        tally.add(event, 0)
    async for event, published_ms in read_topics(kafka, COUNTED):
        tally.add(event, published_ms)
    async for event, _ in read_topics(kafka, ["market.marks.v1"], last=MARKS_READ):
        marks.add(event)
    return tally, marks


def summary(tally: Tally, marks: Marks, seen_ms: Mapping[str, float], rss_bytes: int) -> dict[str, Any]:
    """The one JSON object. `seen_ms`: when a WebSocket client got each fill, by trade id."""
    errors = equity_errors(tally.portfolios, tally.executions, marks)
    delays = [seen_ms[trade] - sent for trade, sent in tally.filled_ms.items() if trade in seen_ms]
    return {
        "competitors": len(tally.competitors),
        "rounds": tally.counts["round_closed"],
        "signals": tally.counts["signal_proposed"],
        "missed": tally.counts["decision_missed"],
        "rejected": tally.counts["signal_rejected"],
        "fills": len(tally.filled_ms),
        "books_balanced": tally.books_balanced,
        "max_equity_error_usd": float(max(errors.values(), default=Decimal(0))),
        "fill_to_frame_ms_p99": percentile(delays, 0.99),
        "fills_seen_on_page": len(delays),
        "rss_mb": round(rss_bytes / 1e6),
    }


def percentile(values: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile; None of nothing."""
    return round(sorted(values)[math.ceil(share * len(values)) - 1], 1) if values else None
