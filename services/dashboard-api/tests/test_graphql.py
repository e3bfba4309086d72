"""GraphQL over the whole service, and its limits: refused before any resolver runs."""

import asyncio
import json
from typing import Any

import httpx
import pytest
import websockets
from dashboard_api import limits
from dashboard_api.schema import schema
from dashboard_bench import WITHIN_S, Bench, until
from dashboard_events import BTC, approved, competitor, fill, judged, leaderboard, mark, portfolio, season, signal
from strawberry.types.execution import ExecutionResult

EVERYTHING = """
query Everything($id: ID!) {
  season { seasonId name startsAt rules { capital leverageMax } }
  leaderboard { rank competitorId equity winRate }
  competitors { competitorId name mark kind }
  competitor(id: $id) {
    name
    portfolio { equity maxDrawdown }
    positions { instrument quantity exitPlan { stopLoss } }
    trades(first: 1) { items { net direction closedAt } next }
    decisions(first: 1) { items { state parts { action verdict } attempt { latencyMs } } }
    equity(points: 10) { at equity }
  }
  nobody: competitor(id: "nobody") { name }
}
"""


class Asked:
    """A context that counts the resolvers that want something of it, and gives them nothing."""

    def __init__(self) -> None:
        self.times = 0

    def __getitem__(self, name: str) -> Any:
        self.times += 1
        raise LookupError(name)


async def run(query: str, asked: Asked | None = None) -> ExecutionResult:
    result = await schema.execute(query, context_value=asked or Asked())
    assert isinstance(result, ExecutionResult)
    return result


def messages(result: ExecutionResult) -> str:
    return "; ".join(error.message for error in result.errors or ())


async def test_a_query_gets_everything_at_once(bench: Bench) -> None:
    position = {
        "instrument": BTC, "quantity": "-0.00000001", "entry_price": "100", "mark_price": "101", "notional": "1",
        "unrealised_pnl": "0", "leverage": "5", "margin": "1", "opened_at": "2026-11-22T14:00:00Z",
        "exit_plan": {"stop_loss": "120.5"},
    }  # fmt: skip
    bought = signal()
    await bench.publish(
        season(), competitor("ann"), competitor("bob"), bought, approved(bought), judged(approved=1),
        fill(1, "buy", "1", "100"), fill(2, "sell", "1", "110"), portfolio(3, "10010", positions=[position]),
        leaderboard(4, "ann", "bob"),
    )  # fmt: skip
    async with bench.running():
        await until(lambda: _has(bench, trade_closed=1, decision_judged=1))
        answer = await until(lambda: _with_equity(bench))

    assert "errors" not in answer
    data = answer["data"]
    assert data["season"] == {
        "seasonId": "s1", "name": "Season 1", "startsAt": "2026-11-22T14:00:00+00:00",
        "rules": {"capital": "10000", "leverageMax": "10"},
    }  # fmt: skip
    assert data["leaderboard"][0] == {"rank": 1, "competitorId": "ann", "equity": "10000", "winRate": None}
    assert [entry["mark"] for entry in data["competitors"]] == ["AN", "BO"]
    ann = data["competitor"]
    assert ann["positions"] == [{"instrument": BTC, "quantity": "-0.00000001", "exitPlan": {"stopLoss": "120.5"}}]
    assert (ann["trades"]["items"][0]["net"], ann["trades"]["next"]) == ("10", None)
    assert ann["decisions"]["items"] == [
        {"state": "judged", "parts": [{"action": "buy_to_enter", "verdict": "approved"}], "attempt": {"latencyMs": 40}}
    ]
    assert [point["equity"] for point in ann["equity"]] == ["10010"]
    assert data["nobody"] is None


async def _with_equity(bench: Bench) -> dict[str, Any] | None:
    """Everything, once the equity points are written too."""
    answer = await bench.graphql(EVERYTHING, id="ann")
    return answer if "errors" in answer or answer["data"]["competitor"]["equity"] else None


async def _has(bench: Bench, **counts: int) -> bool:
    known = await bench.site.queries.counts("s1")
    return all(known.get(name, 0) >= count for name, count in counts.items())


async def test_subscriptions_are_fed_by_the_stream(bench: Bench) -> None:
    await bench.publish(season(), competitor("ann"), leaderboard(1, "ann"))
    async with bench.running(), _subscribed(bench) as socket:
        await _subscribe(socket, "1", "subscription { leaderboard { rank competitorId } }")
        first = await _next(socket, "1")
        await _subscribe(socket, "2", "subscription { events(kinds: [FILL]) { kind traceparent data } }")
        await until(lambda: len(bench.site.hub._listeners) == 2)
        await bench.publish(mark(2, "1"), fill(3, "buy", "1", "100"), leaderboard(4, "bob", "ann"))
        told = await _next(socket, "2")
        second = await _next(socket, "1")
    await until(lambda: not bench.site.hub._listeners)

    assert first["leaderboard"] == [{"rank": 1, "competitorId": "ann"}]
    assert (told["events"]["kind"], told["events"]["data"]["price"]) == ("fill", "100")
    assert [row["competitorId"] for row in second["leaderboard"]] == ["bob", "ann"]


class _subscribed:  # noqa: N801  # reads as a phrase in `async with`
    def __init__(self, bench: Bench) -> None:
        self._connecting = websockets.connect(
            f"ws://127.0.0.1:{bench.port}/graphql", subprotocols=[websockets.Subprotocol("graphql-transport-ws")]
        )

    async def __aenter__(self) -> Any:
        self._socket = await self._connecting
        await self._socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await self._socket.recv())["type"] == "connection_ack"
        self._socket.kept = {}  # type: ignore[attr-defined]  # answers of other subscriptions
        return self._socket

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()


async def _subscribe(socket: Any, name: str, query: str) -> None:
    await socket.send(json.dumps({"id": name, "type": "subscribe", "payload": {"query": query}}))


async def _next(socket: Any, name: str) -> dict[str, Any]:
    while not socket.kept.get(name):
        message = json.loads(await asyncio.wait_for(socket.recv(), WITHIN_S))
        if message["type"] == "ping":
            await socket.send(json.dumps({"type": "pong"}))
            continue
        assert message["type"] == "next", message
        socket.kept.setdefault(message["id"], []).append(message["payload"]["data"])
    return dict(socket.kept[name].pop(0))


async def test_only_the_current_protocol_and_only_post(bench: Bench) -> None:
    async with bench.running():
        async with websockets.connect(
            f"ws://127.0.0.1:{bench.port}/graphql", subprotocols=[websockets.Subprotocol("graphql-ws")]
        ) as legacy:
            with pytest.raises(websockets.ConnectionClosed) as refused:
                await asyncio.wait_for(legacy.recv(), WITHIN_S)
        async with httpx.AsyncClient(base_url=bench.url) as client:
            got = await client.get("/graphql", params={"query": "{ season { name } }"})
            batch = await client.post("/graphql", json=[{"query": "{ season { name } }"}] * 2)

    assert refused.value.rcvd is not None
    assert refused.value.rcvd.code == 4406
    assert got.status_code >= 400
    assert batch.status_code == 400


async def test_no_more_subscribers_than_allowed(bench: Bench) -> None:
    async with bench.running(clients_max=1), _subscribed(bench):
        with pytest.raises(websockets.InvalidStatus):
            await _subscribed(bench).__aenter__()


async def test_bounds_of_arguments_are_said_and_bugs_are_not(bench: Bench) -> None:
    await bench.publish(season(), competitor("ann"))
    async with bench.running():
        await until(lambda: bench.site.season_id)
        bounds = await bench.graphql("{ trades(first: 201) { next } }")
        cursor = await bench.graphql('{ trades(after: "nonsense") { next } }')
        bench.site.hub.feed.board.portfolios["ann"] = object()  # type: ignore[assignment]  # a bug
        bug = await bench.graphql("{ positions { instrument } }")

    assert bounds["errors"][0]["message"] == "first: from 1 to 200"
    assert cursor["errors"][0]["message"] == "after: not a cursor of this list"
    assert bug["errors"][0]["message"] == "Unexpected error."


async def test_a_query_just_under_the_limits_is_asked() -> None:
    asked = Asked()
    await run("{ " + " ".join(f"a{n}: season {{ name }}" for n in range(limits.ALIASES_MAX)) + " }", asked)

    assert asked.times == limits.ALIASES_MAX


REFUSED = {
    "aliases": "{ " + " ".join(f"a{n}: season {{ name }}" for n in range(limits.ALIASES_MAX + 1)) + " }",
    "tokens": "{ season { " + "name " * (limits.TOKENS_MAX + 1) + "} }",
    "cost: ": "{ decisions(first: 200) { items { parts { action verdict code } } } }",
    "depth: 9": "{ a { b { c { d { e { f { g { h { i } } } } } } } } }",
    "Cannot spread fragment": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
}


@pytest.mark.parametrize("why", REFUSED)
async def test_a_query_over_a_limit_is_refused_before_any_resolver_runs(why: str) -> None:
    asked = Asked()
    result = await run(REFUSED[why], asked)

    assert why.lower() in messages(result).lower()
    assert (result.data, asked.times) == (None, 0)


def _doubling(levels: int) -> str:
    fragments = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels))
    return f"{{ ...F0 }} {fragments} fragment F{levels} on Query {{ season {{ name }} }}"


async def test_fragments_that_double_are_counted_in_no_time_and_refused() -> None:
    result = await asyncio.wait_for(run(_doubling(40)), 5)

    assert "cost: " in messages(result)


async def test_a_variable_counts_as_the_longest_list() -> None:
    query = "query Q($n: Int!) { trades(first: $n) { items { net fees gross } } }"
    by_variable = "query Q($n: Int!) { competitors { trades(first: $n) { items { net fees gross } } } }"

    assert "cost" not in messages(await run(query))
    assert "cost: " in messages(await run(by_variable))


async def test_the_schema_describes_itself() -> None:
    result = await run("{ __schema { queryType { name fields { name args { name type { name } } } } } }")

    assert result.errors is None
