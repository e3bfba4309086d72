"""REST, read only: what is now comes from the stream's board, what was from the read model."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from contracts.base import Model
from contracts.competition import CompetitorRegistered, PhaseChanged, SeasonChanged
from contracts.portfolios import LeaderboardUpdated, PortfolioUpdated
from contracts.types import CompetitorId, InstrumentId, Time, Usd, UsdSize
from fastapi import FastAPI, Path, Query
from starlette.exceptions import HTTPException

from dashboard_api import figures, problems
from dashboard_api.core.decisions import DecisionView
from dashboard_api.core.equity import thinned
from dashboard_api.core.rounds import RoundView
from dashboard_api.core.trades import Trade
from dashboard_api.figures import ModelMetrics, PortfolioMetrics
from dashboard_api.queries import LIST_MAX, Page
from dashboard_api.site import Site

T = TypeVar("T")
ABOUT = """Everything the arena shows in public, read only. Money, prices and quantities are decimal strings, times RFC 3339 in UTC,
rates are ratios (0.01 is one per cent). Lists go on with `after`, the `next` of the page before. The live stream is the WebSocket `/ws`,
GraphQL is at `/graphql`."""  # noqa: E501  # prose

First = Annotated[int, Query(ge=1, le=LIST_MAX, description="How many at most")]
After = Annotated[str | None, Query(max_length=200, description="The `next` of the page before")]
WhichCompetitor = Annotated[CompetitorId | None, Query(description="Only this competitor's")]
WhichInstrument = Annotated[InstrumentId | None, Query(description="Only in this instrument")]
OfCompetitor = Annotated[CompetitorId, Path(description="The competitor's id")]


class Listed(Model, Generic[T]):
    items: tuple[T, ...]
    next: str | None
    """Null at the end."""


class SeasonNow(Model):
    season: SeasonChanged | None
    phase: PhaseChanged | None
    round: RoundView | None


class PortfolioNow(Model):
    portfolio: PortfolioUpdated
    metrics: PortfolioMetrics


class Portfolios(Model):
    season_id: str | None
    books_balanced: bool | None
    portfolios: tuple[PortfolioNow, ...]


class CompetitorNow(Model):
    competitor: CompetitorRegistered
    portfolio: PortfolioUpdated | None
    metrics: PortfolioMetrics | None


class EquityAt(Model):
    at: Time
    equity: Usd


class FillToFrame(Model):
    """Milliseconds from Kafka's record time of a fill to its frame in a socket, over the last `count` fills."""

    p50: float | None
    p99: float | None
    count: int


class StreamNow(Model):
    epoch: str
    seq: int
    frames: int
    clients: int
    clients_slow_closed: int
    clients_refused: int
    lag: int
    """Records behind the broker."""
    bad_records: int


class SystemMetrics(Model):
    uptime_s: int
    season_id: str | None
    round: int | None
    at: datetime | None
    """The newest arena time told."""
    competitors: int
    books_balanced: bool | None
    max_equity_error_usd: UsdSize
    counts: dict[str, int]
    """Events in the read model by type: signal_proposed, decision_missed, signal_rejected, order_filled …"""
    lag: dict[str, dict[str, int]]
    """Records each service is behind, by service and topic."""
    stream: StreamNow
    fill_to_frame_ms: FillToFrame


def create_rest(site: Site) -> FastAPI:
    app = FastAPI(
        title="Open Nof1", version="1", description=ABOUT, docs_url=None, redoc_url=None, responses=problems.RESPONSES
    )
    problems.install(app)
    _now(app, site)
    _past(app, site)
    _system(app, site)

    @app.get("/api/{path:path}", include_in_schema=False)
    async def nothing(path: str) -> None:
        raise HTTPException(404, f"there is nothing at /api/{path}")

    return app


def _now(app: FastAPI, site: Site) -> None:
    @app.get("/portfolios", operation_id="portfolios", tags=["now"])
    async def portfolios() -> Portfolios:
        """Every competitor's latest portfolio as it was published, and what follows from it."""
        entries = [_portfolio(portfolio) for _, portfolio in sorted(site.board.portfolios.items())]
        return Portfolios(
            season_id=site.season_id or None, books_balanced=site.books_balanced, portfolios=tuple(entries)
        )

    @app.get("/api/season", operation_id="season", tags=["now"])
    async def season() -> SeasonNow:
        """The season that is shown, its rules, its phase and its latest round."""
        return SeasonNow(season=site.board.season, phase=site.board.phase, round=site.board.round)

    @app.get("/api/leaderboard", operation_id="leaderboard", tags=["now"])
    async def leaderboard() -> LeaderboardUpdated | None:
        return site.board.leaderboard

    @app.get("/api/competitors", operation_id="competitors", tags=["now"])
    async def competitors() -> tuple[CompetitorRegistered, ...]:
        return tuple(site.board.competitors.values())

    @app.get("/api/competitors/{competitor_id}", operation_id="competitor", tags=["now"], responses=problems.NOT_FOUND)
    async def competitor(competitor_id: OfCompetitor) -> CompetitorNow:
        registered, portfolio = _registered(site, competitor_id), site.board.portfolios.get(competitor_id)
        metrics = figures.of_portfolio(portfolio) if portfolio else None
        return CompetitorNow(competitor=registered, portfolio=portfolio, metrics=metrics)


def _past(app: FastAPI, site: Site) -> None:
    @app.get("/api/trades", operation_id="trades", tags=["past"])
    async def trades(
        competitor: WhichCompetitor = None, instrument: WhichInstrument = None, first: First = 50, after: After = None
    ) -> Listed[Trade]:
        """Closed trades, from flat to flat, the latest first."""
        return _listed(
            await site.queries.trades(
                site.season_id, competitor_id=competitor, instrument=instrument, first=first, after=after
            )
        )

    @app.get("/api/decisions", operation_id="decisions", tags=["past"])
    async def decisions(
        competitor: WhichCompetitor = None,
        round: Annotated[int | None, Query(ge=1, le=100_000_000, description="Only of this round")] = None,
        first: First = 50,
        after: After = None,
    ) -> Listed[DecisionView]:
        """What competitors decided and what the risk gate said, the latest round first."""
        return _listed(
            await site.queries.decisions(
                site.season_id, competitor_id=competitor, round_number=round, first=first, after=after
            )
        )

    @app.get("/api/rounds", operation_id="rounds", tags=["past"])
    async def rounds(first: First = 50, after: After = None) -> Listed[RoundView]:
        return _listed(await site.queries.rounds(site.season_id, first=first, after=after))

    @app.get(
        "/api/competitors/{competitor_id}/equity", operation_id="equity", tags=["past"], responses=problems.NOT_FOUND
    )
    async def equity(
        competitor_id: OfCompetitor,
        points: Annotated[int, Query(ge=2, le=5_000, description="Thinned evenly to at most so many")] = 500,
    ) -> tuple[EquityAt, ...]:
        """Oldest first: the last of every minute of arena time (a setting) and one at every fill."""
        _registered(site, competitor_id)
        line = thinned(await site.queries.equity(site.season_id, competitor_id), points)
        return tuple(EquityAt(at=point.at, equity=point.equity) for point in line)


def _system(app: FastAPI, site: Site) -> None:
    @app.get("/metrics/models", operation_id="model_metrics", tags=["metrics"])
    async def models() -> tuple[ModelMetrics, ...]:
        """Per competitor: result, costs, risk, missed rounds, decision latency."""
        known = await site.models.get(site.season_id)
        board = site.board
        return tuple(
            figures.of_model(competitor, board.portfolios.get(name), known.get(name))
            for name, competitor in board.competitors.items()
        )

    @app.get("/metrics/system", operation_id="system_metrics", tags=["metrics"])
    async def system() -> SystemMetrics:
        """Whether everything moves: events by stage, lag, books, clients, and how fast fills reach the page."""
        board, hub, live = site.board, site.hub, site.live
        errors = [figures.of_portfolio(portfolio).error_usd for portfolio in board.portfolios.values()]
        return SystemMetrics(
            uptime_s=site.uptime_s,
            season_id=site.season_id or None,
            round=board.round.round if board.round else None,
            at=board.at,
            competitors=len(board.competitors),
            books_balanced=site.books_balanced,
            max_equity_error_usd=max(errors, default=Decimal(0)),
            counts=await site.counts.get(site.season_id),
            lag={service: dict(topics) for service, topics in (await site.stages.lag()).items()},
            stream=StreamNow(
                epoch=hub.feed.epoch, seq=hub.feed.seq, frames=hub.frames, clients=hub.clients,
                clients_slow_closed=hub.slow_closed, clients_refused=hub.refused, lag=live.lag,
                bad_records=live.intake.bad,
            ),
            fill_to_frame_ms=FillToFrame(
                p50=site.latency.percentile(0.5), p99=site.latency.percentile(0.99), count=site.latency.count
            ),
        )  # fmt: skip


def _portfolio(portfolio: PortfolioUpdated) -> PortfolioNow:
    return PortfolioNow(portfolio=portfolio, metrics=figures.of_portfolio(portfolio))


def _registered(site: Site, competitor_id: str) -> CompetitorRegistered:
    registered = site.board.competitors.get(competitor_id)
    if registered is None:
        raise HTTPException(404, f"competitor_id: no competitor {competitor_id!r} in this season")
    return registered


def _listed(page: Page[T]) -> Listed[T]:
    return Listed(items=tuple(page.items), next=page.next)
