"""GraphQL: the same board and read model as REST, and subscriptions fed by the stream."""
# strawberry.field with a description is typed as Any
# mypy: disable-error-code="untyped-decorator"

import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, cast

import strawberry
from contracts.types import plain
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketClose
from strawberry.asgi import GraphQL
from strawberry.extensions import AddValidationRules, MaskErrors, MaxTokensLimiter
from strawberry.schema.config import StrawberryConfig
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionContext, Info

from dashboard_api import limits, types
from dashboard_api.core.changes import Change, json_of
from dashboard_api.queries import BadCursor
from dashboard_api.site import Site
from dashboard_api.types import After, First, OutOfBounds, bounded, site_of

_SUBSCRIPTIONS_MAX = 20
_INIT_WITHIN = timedelta(seconds=10)


@strawberry.enum(description="What a change of the stream is about.")
class Kind(Enum):
    SEASON = "season"
    PHASE = "phase"
    COMPETITOR = "competitor"
    INSTRUMENT = "instrument"
    ROUND = "round"
    DECISION = "decision"
    HALT = "halt"
    FILL = "fill"
    TRADE = "trade"
    PORTFOLIO = "portfolio"
    LEADERBOARD = "leaderboard"
    MARK = "mark"


@strawberry.type
class Query:
    @strawberry.field(description="The season that is shown; null before there is one.")
    def season(self, info: Info) -> types.Season | None:
        return cast("types.Season | None", site_of(info).board.season)

    @strawberry.field
    def leaderboard(self, info: Info) -> list[types.LeaderboardRow]:
        return _rows(site_of(info))

    @strawberry.field
    def competitors(self, info: Info) -> list[types.Competitor]:
        return [_competitor(registered) for registered in site_of(info).board.competitors.values()]

    @strawberry.field
    def competitor(self, info: Info, id: strawberry.ID) -> types.Competitor | None:
        registered = site_of(info).board.competitors.get(id)
        return _competitor(registered) if registered else None

    @strawberry.field(description="Open positions, of one competitor or of all.")
    def positions(self, info: Info, competitor: strawberry.ID | None = None) -> list[types.Position]:
        portfolios = site_of(info).board.portfolios
        return cast(
            "list[types.Position]",
            [
                position
                for name in sorted(portfolios)
                if competitor in (None, name)
                for position in portfolios[name].positions
            ],
        )

    @strawberry.field(description="Closed trades, the latest first.")
    async def trades(
        self,
        info: Info,
        competitor: strawberry.ID | None = None,
        instrument: str | None = None,
        first: First = 50,
        after: After = None,
    ) -> types.TradePage:
        return await types.trades_page(info, competitor, instrument, first, after)

    @strawberry.field(description="What competitors decided and what the risk gate said, the latest round first.")
    async def decisions(
        self,
        info: Info,
        competitor: strawberry.ID | None = None,
        round: int | None = None,
        first: First = 50,
        after: After = None,
    ) -> types.DecisionPage:
        return await types.decisions_page(info, competitor, round, first, after)

    @strawberry.field(description="The latest first.")
    async def rounds(self, info: Info, first: First = 50, after: After = None) -> types.RoundPage:
        site = site_of(info)
        page: Any = await site.queries.rounds(site.season_id, first=bounded("first", first, 200), after=after)
        return cast(types.RoundPage, page)


@strawberry.type
class Subscription:
    @strawberry.subscription(description="The rows as they stand, and again whenever they change.")
    async def leaderboard(self, info: Info) -> AsyncGenerator[list[types.LeaderboardRow], None]:
        site = site_of(info)
        async with site.hub.changes() as frames:
            yield _rows(site)
            async for changes in frames:
                if any(change.kind == "leaderboard" for change in changes):
                    yield _rows(site)

    @strawberry.subscription(description="Every change of these kinds; of all where none is named.")
    async def events(self, info: Info, kinds: list[Kind] | None = None) -> AsyncGenerator[types.StreamEvent, None]:
        wanted = {kind.value for kind in kinds or Kind}
        async with site_of(info).hub.changes() as frames:
            async for changes in frames:
                for change in changes:
                    if change.kind in wanted:
                        yield _event(change)


def _rows(site: Site) -> list[types.LeaderboardRow]:
    leaderboard = site.board.leaderboard
    return cast("list[types.LeaderboardRow]", leaderboard.rows if leaderboard else ())


def _competitor(registered: Any) -> types.Competitor:
    names = (field for field in types.Competitor.__annotations__)
    return types.Competitor(**{name: getattr(registered, name) for name in names})


def _event(change: Change) -> types.StreamEvent:
    return types.StreamEvent(
        kind=change.kind, at=change.at, traceparent=change.traceparent, data=json.loads(json_of(change.data))
    )


def _decimal(text: object) -> Decimal:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        raise GraphQLError("a decimal is written as a string of digits") from None


def _is_bug(error: GraphQLError) -> bool:
    cause = error.original_error
    return cause is not None and not isinstance(cause, GraphQLError | OutOfBounds | BadCursor)


_DECIMAL = strawberry.scalar(
    name="Decimal", description="A decimal number as a string, never a float.", serialize=plain, parse_value=_decimal
)


class Schema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Bugs are logged; what a client asked wrongly is told to the client."""
        super().process_errors([error for error in errors if _is_bug(error)], execution_context)


schema = Schema(
    Query,
    subscription=Subscription,
    config=StrawberryConfig(scalar_map={Decimal: _DECIMAL}),
    extensions=[
        lambda: AddValidationRules([limits.WeightLimit]),
        lambda: MaxTokensLimiter(limits.TOKENS_MAX),
        lambda: MaskErrors(_is_bug),
    ],
)


class Endpoint(GraphQL[dict[str, Any], None]):
    """POST for queries, `graphql-transport-ws` for subscriptions; nothing else."""

    def __init__(self, site: Site) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=_INIT_WITHIN,
            max_subscriptions_per_connection=_SUBSCRIPTIONS_MAX,
            allowed_origins=("*",),
        )
        self._site, self._sockets = site, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await super().__call__(scope, receive, send)
        elif self._sockets >= self._site.settings.clients_max:
            await WebSocketClose(1013, "too many connections")(scope, receive, send)
        else:
            self._sockets += 1
            try:
                await super().__call__(scope, receive, send)
            finally:
                self._sockets -= 1

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> dict[str, Any]:
        return {"site": self._site, "request": request, "response": response}
