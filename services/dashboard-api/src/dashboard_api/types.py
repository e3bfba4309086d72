"""The GraphQL types. Their fields are those of the contracts, which answer for them."""
# strawberry.field with a description is typed as Any
# mypy: disable-error-code="untyped-decorator"

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, cast

import strawberry
from strawberry.scalars import JSON
from strawberry.types import Info

from dashboard_api.core.equity import thinned
from dashboard_api.site import Site

First = Annotated[int, strawberry.argument(description="How many at most, 1 to 200")]
After = Annotated[str | None, strawberry.argument(description="The `next` of the page before")]


class OutOfBounds(ValueError):
    """The message names the argument and its bounds."""


def bounded(name: str, value: int, most: int) -> int:
    if not 1 <= value <= most:
        raise OutOfBounds(f"{name}: from 1 to {most}")
    return value


def site_of(info: Info) -> Site:
    return cast(Site, info.context["site"])


@strawberry.type(description="The same for every competitor, frozen before the season starts.")
class Rules:
    instruments: list[str]
    capital: Decimal
    cadence_s: int
    deadline_s: int
    execution: str
    latency_ms: int
    leverage_max: Decimal
    order_notional_max: Decimal
    position_notional_max: Decimal
    positions_max: int
    price_band: Decimal | None
    price_stale_s: int
    maker_fee_rate: Decimal | None
    taker_fee_rate: Decimal | None


@strawberry.type
class Season:
    season_id: strawberry.ID
    name: str
    venue: str
    clock: str
    starts_at: datetime
    ends_at: datetime | None
    rules: Rules
    rules_sha256: str


@strawberry.type(description="When the venue closes the position without asking the competitor again.")
class ExitPlan:
    take_profit: Decimal | None
    stop_loss: Decimal | None
    trigger: str
    invalidation: str


@strawberry.type(description="An open position at the mark price; `quantity` above zero is long.")
class Position:
    instrument: str
    quantity: Decimal
    entry_price: Decimal
    mark_price: Decimal
    notional: Decimal
    unrealised_pnl: Decimal
    leverage: Decimal
    margin: Decimal
    liquidation_price: Decimal | None
    opened_at: datetime
    exit_plan: ExitPlan | None


@strawberry.type(description="equity = capital + realised_pnl + unrealised_pnl - fees - funding, in USD.")
class Portfolio:
    at: datetime
    seq: int
    round: int | None
    cause: str
    capital: Decimal
    equity: Decimal
    cash: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    fees: Decimal
    funding: Decimal
    margin_used: Decimal
    margin_available: Decimal
    exposure_gross: Decimal
    exposure_net: Decimal
    positions: list[Position]
    trades: int
    wins: int
    fills: int
    peak_equity: Decimal
    max_drawdown: Decimal
    turnover: Decimal
    books_balanced: bool


@strawberry.type(description="Rates are ratios: 0.01 is one per cent.")
class LeaderboardRow:
    rank: int
    competitor_id: strawberry.ID
    equity: Decimal
    return_rate: Decimal
    pnl: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    fees: Decimal
    funding: Decimal
    max_drawdown: Decimal
    win_rate: Decimal | None
    trades: int
    fills: int
    exposure_gross: Decimal
    exposure_net: Decimal


@strawberry.type(description="One position from its first fill to flat. net = gross - fees - funding, in USD.")
class Trade:
    trade_id: strawberry.ID
    competitor_id: strawberry.ID
    instrument: str
    direction: str
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    opened_at: datetime
    closed_at: datetime
    held_s: int
    leverage: Decimal
    gross: Decimal
    fees: Decimal
    funding: Decimal
    net: Decimal
    fills: int
    opened_round: int | None
    closed_round: int | None
    closed_by: str


@strawberry.type
class TradePage:
    items: list[Trade]
    next: str | None


@strawberry.type(description="One rule of the risk gate as it was applied.")
class Check:
    rule: str
    passed: bool
    value: Decimal | None
    limit: Decimal | None
    unit: str


@strawberry.type(description="One instrument's part of a decision, with the verdict and the numbers that decided it.")
class DecisionPart:
    signal_id: strawberry.ID
    part: int
    action: str
    instrument: str | None
    quantity: Decimal | None
    order_type: str
    limit_price: Decimal | None
    leverage: Decimal | None
    exit_plan: ExitPlan | None
    confidence: Decimal | None
    risk_usd: Decimal | None
    justification: str
    verdict: str
    order_id: strawberry.ID | None
    code: str | None
    value: Decimal | None
    limit: Decimal | None
    unit: str
    detail: str
    checks: list[Check]


@strawberry.type(description="How the answer was come by.")
class Attempt:
    model: str
    offline: bool
    latency_ms: int
    attempts: int
    cost_usd: Decimal | None


@strawberry.type(description="`state` is proposed, judged or missed; `reason` says why a round was missed.")
class Decision:
    competitor_id: strawberry.ID
    round: int
    at: datetime
    state: str
    decision_id: strawberry.ID | None
    parts: list[DecisionPart]
    attempt: Attempt | None
    reason: str | None
    detail: str
    approved: int
    rejected: int
    held: int
    judged_at: datetime | None


@strawberry.type
class DecisionPage:
    items: list[Decision]
    next: str | None


@strawberry.type
class Round:
    round: int
    opened_at: datetime | None
    deadline: datetime | None
    snapshot_sha256: str | None
    competitors: list[strawberry.ID]
    closed_at: datetime | None
    answered: int | None
    missed: int | None
    judged: int | None
    unanswered: list[strawberry.ID]


@strawberry.type
class RoundPage:
    items: list[Round]
    next: str | None


@strawberry.type
class EquityPoint:
    at: datetime
    equity: Decimal


@strawberry.type
class Competitor:
    competitor_id: strawberry.ID
    name: str
    mark: str
    hue: int
    kind: str
    model: str
    owner: str
    version: str
    config_sha256: str
    active: bool

    @strawberry.field
    def portfolio(self, info: Info) -> Portfolio | None:
        return cast("Portfolio | None", site_of(info).board.portfolios.get(self.competitor_id))

    @strawberry.field
    def positions(self, info: Info) -> list[Position]:
        portfolio = site_of(info).board.portfolios.get(self.competitor_id)
        return cast("list[Position]", portfolio.positions if portfolio else ())

    @strawberry.field(description="Closed trades, the latest first.")
    async def trades(
        self, info: Info, instrument: str | None = None, first: First = 50, after: After = None
    ) -> TradePage:
        return await trades_page(info, self.competitor_id, instrument, first, after)

    @strawberry.field(description="The latest round first.")
    async def decisions(self, info: Info, first: First = 50, after: After = None) -> DecisionPage:
        return await decisions_page(info, self.competitor_id, None, first, after)

    @strawberry.field(description="Oldest first, thinned evenly to `points`, 1 to 1000.")
    async def equity(self, info: Info, points: int = 200) -> list[EquityPoint]:
        site = site_of(info)
        line = await site.queries.equity(site.season_id, self.competitor_id)
        return cast("list[EquityPoint]", thinned(line, bounded("points", points, 1_000)))


@strawberry.type(description="One change of the stream; `data` is the event as it was published.")
class StreamEvent:
    kind: str
    at: datetime
    traceparent: str
    data: JSON


async def trades_page(
    info: Info, competitor_id: str | None, instrument: str | None, first: int, after: str | None
) -> TradePage:
    site = site_of(info)
    page: Any = await site.queries.trades(
        site.season_id,
        competitor_id=competitor_id,
        instrument=instrument,
        first=bounded("first", first, 200),
        after=after,
    )
    return cast(TradePage, page)


async def decisions_page(
    info: Info, competitor_id: str | None, round_number: int | None, first: int, after: str | None
) -> DecisionPage:
    site = site_of(info)
    page: Any = await site.queries.decisions(
        site.season_id,
        competitor_id=competitor_id,
        round_number=round_number,
        first=bounded("first", first, 200),
        after=after,
    )
    return cast(DecisionPage, page)
