"""The whole service on Apache Kafka and PostgreSQL, behind a real server."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import websockets
from contracts.base import Event
from dashboard_bench import WITHIN_S, Bench, drained, until
from dashboard_events import (
    BTC,
    ETH,
    TRACE,
    approved,
    at,
    closed,
    competitor,
    fill,
    judged,
    leaderboard,
    mark,
    missed,
    opened,
    portfolio,
    rejected,
    season,
    signal,
)


class Reader:
    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self.frames: list[dict[str, Any]] = []

    async def frame(self) -> dict[str, Any]:
        text = await asyncio.wait_for(self._socket.recv(), WITHIN_S)
        self.frames.append(json.loads(text))
        return self.frames[-1]

    async def change(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The data of the next change like this."""
        while True:
            frame = await self.frame()
            for change in frame.get("changes", ()):
                data = change["data"]
                if change["kind"] == kind and all(data.get(name) == value for name, value in fields.items()):
                    return dict(data)


@asynccontextmanager
async def reading(bench: Bench, query: str = "") -> Any:
    async with websockets.connect(bench.ws + query, compression=None) as socket:
        yield Reader(socket)


def round_one() -> list[Event]:
    bought, refused = signal(1, 2), signal(2, 2, instrument=ETH)
    return [
        season(),
        competitor("ann"),
        competitor("bob", hue=2),
        opened(1),
        bought,
        refused,
        missed("bob"),
        approved(bought),
        rejected(refused),
        judged("ann", approved=1, rejected=1),
        judged("bob", answered=False),
        closed(1),
        fill(60, "buy", "1", "100", "0.05", after="1"),
        portfolio(60, "10000", cause="fill", traceparent=TRACE),
        portfolio(61, "10000", who="bob"),
        mark(61, "101"),
        fill(70, "sell", "1", "110", "0.05"),
        portfolio(70, "10009.90", cause="fill", realised_pnl="10", fees="0.10", unrealised_pnl="0", trades=1, wins=1),
        leaderboard(70, "ann", "bob"),
    ]


async def stored(bench: Bench, **counts: int) -> None:
    """Until the read model has it all."""

    async def there() -> bool:
        known = await bench.site.queries.counts("s1")
        return all(known.get(name, 0) >= count for name, count in counts.items())

    await until(there)


async def test_a_page_is_given_a_snapshot_and_then_what_happens(bench: Bench) -> None:
    await bench.publish(season(), competitor(), mark(1, "100"))
    async with bench.running(), reading(bench) as page:
        first = await page.frame()
        await bench.publish(fill(60, "buy", "1", "100"), portfolio(61, "10005", cause="fill", traceparent=TRACE))
        filled = await page.change("fill")
        valued = await page.change("portfolio") if page.frames[-1]["changes"][-1]["kind"] != "portfolio" else None
        valued = valued or page.frames[-1]["changes"][-1]["data"]

    assert (first["type"], first["seq"]) == ("snapshot", 0)
    assert first["data"]["season"]["name"] == "Season 1"
    assert first["data"]["marks"][BTC]["mark_price"] == "100"
    assert (filled["price"], filled["competitor_id"]) == ("100", "ann")
    assert valued["equity"] == "10005"
    sequence = [frame["seq"] for frame in page.frames]
    assert sequence == list(range(len(sequence)))


async def test_one_trace_ends_in_the_frame(bench: Bench) -> None:
    await bench.publish(season(), competitor())
    async with bench.running(), reading(bench) as page:
        await page.frame()
        await bench.publish(fill(60, "buy", "1", "100"))
        data = await page.change("fill")

    spans = [json.loads(line) for line in (bench.settings().traces_file or bench._tmp).read_text().splitlines()]
    (span,) = [span for span in spans if span["name"] == "dashboard-api frame"]
    _, trace_id, span_id, _ = data["traceparent"].split("-")
    assert trace_id == TRACE.split("-")[1]
    assert (span["trace_id"], span["span_id"]) == (trace_id, span_id)


async def test_who_reconnects_goes_on_where_it_stopped(bench: Bench) -> None:
    await bench.publish(season(), competitor())
    async with bench.running():
        async with reading(bench) as page:
            epoch = (await page.frame())["epoch"]
            await bench.publish(fill(1, "buy", "1", "100"))
            await page.change("fill")
            seen = page.frames[-1]["seq"]
        await bench.publish(fill(2, "buy", "1", "102"), fill(3, "buy", "1", "103"))
        await until(lambda: len(bench.site.board.fills) == 3)
        async with reading(bench, f"?since={seen}&epoch={epoch}") as again:
            resumed = await again.frame()
            prices: list[str] = []
            while len(prices) < 2:
                prices += [change["data"]["price"] for change in (await again.frame())["changes"]]
        async with reading(bench, f"?since={seen}&epoch=other") as stranger:
            fresh = await stranger.frame()

    assert (resumed["type"], resumed["seq"], resumed["resumed"]) == ("resumed", seen, True)
    assert again.frames[1]["seq"] == seen + 1
    assert prices == ["102", "103"]
    assert fresh["type"] == "snapshot"


async def test_a_restarted_site_shows_the_same_history(bench: Bench) -> None:
    await bench.publish(*round_one())
    async with bench.running(), reading(bench) as page:
        before = (await page.frame())["data"]
        await stored(bench, order_filled=2, trade_closed=1, round_closed=1, decision_judged=2)
        await until(lambda: not bench.site.live.intake.points)
    async with bench.running(), reading(bench) as page:
        after = (await page.frame())["data"]

    assert before["trades"][0]["price"] == "100"
    assert [trade["net"] for trade in before["closed_trades"]] == ["9.90"]
    order = lambda event: event["event_id"]  # noqa: E731  # a key, once
    assert sorted(after.pop("decisions"), key=order) == sorted(before.pop("decisions"), key=order)
    assert {name: after[name] for name in after if name != "health"} == {
        name: before[name] for name in before if name != "health"
    }


async def test_an_open_trade_is_closed_after_a_restart(bench: Bench) -> None:
    await bench.publish(season(), competitor(), fill(1, "buy", "2", "100", "0.10", after="2"))
    async with bench.running():
        await stored(bench, order_filled=1)
    async with bench.running(), reading(bench) as page:
        await page.frame()
        await bench.publish(fill(2, "sell", "2", "105", "0.10"))
        trade = await page.change("trade")
        await stored(bench, trade_closed=1)
        listed = (await bench.get("/api/trades")).json()["items"]

    assert (trade["gross"], trade["fees"], trade["net"]) == ("10", "0.20", "9.80")
    assert [entry["trade_id"] for entry in listed] == [trade["trade_id"]]


async def test_a_fill_reaches_the_page_well_within_a_second(bench: Bench) -> None:
    await bench.publish(season(), competitor())
    async with bench.running(frame_interval_ms=100), reading(bench) as page:
        await page.frame()
        for n in range(1, 21):
            await bench.publish(fill(n, "buy", "1", "100"))
            await page.change("fill")
        await until(lambda: bench.site.latency.count == 20)
        figures = (await bench.get("/metrics/system")).json()["fill_to_frame_ms"]

    assert figures["count"] == 20
    assert 0 <= figures["p50"] <= figures["p99"] < 1_000


async def test_marks_are_conflated_for_the_page(bench: Bench) -> None:
    await bench.publish(season(), competitor())
    async with bench.running(frame_interval_ms=500), reading(bench) as page:
        await page.frame()
        await bench.publish(*(mark(n, str(1000 + n)) for n in range(1, 201)), fill(300, "buy", "1", "7"))
        await page.change("fill")
        await until(lambda: bench.site.board.marks[BTC].mark_price == 1200)

    told = [change for frame in page.frames for change in frame.get("changes", ()) if change["kind"] == "mark"]
    assert len(told) < 20


async def test_a_quiet_stream_says_that_it_lives(bench: Bench) -> None:
    async with bench.running(heartbeat_s=0.2), reading(bench) as page:
        assert (await page.frame())["type"] == "snapshot"
        beat = await page.frame()

    assert (beat["type"], beat["seq"]) == ("heartbeat", 0)


async def test_a_busy_stream_tells_its_health_between_the_changes(bench: Bench) -> None:
    await bench.publish(season(), competitor())

    async with bench.running(heartbeat_s=0.2), reading(bench) as page:
        for number in range(1, 200):
            await bench.publish(fill(number, "buy", "1", "100"))
            if (await page.frame())["type"] == "heartbeat":
                break

    kinds = [frame["type"] for frame in page.frames]
    assert "delta" in kinds[: kinds.index("heartbeat")]
    assert page.frames[-1]["health"].keys() >= {"books_balanced", "fill_to_frame_ms"}


async def test_a_client_that_does_not_read_is_closed_and_the_others_go_on(bench: Bench) -> None:
    await bench.publish(season(), competitor())
    text = "x" * 900
    async with bench.running(client_queue=5), reading(bench) as page:
        await page.frame()
        async with websockets.connect(bench.ws, compression=None, max_queue=1, ping_interval=None) as slow:
            await until(lambda: bench.site.hub.clients == 2)
            signals = (signal(number=n, justification=text * 4) for n in range(1, 100_000))
            while not bench.site.hub.slow_closed:
                await bench.publish(*(next(signals) for _ in range(200)))
            await page.change("decision")
            with pytest.raises(websockets.ConnectionClosed):
                await drained(slow)

    assert bench.site.hub.slow_closed >= 1


async def test_no_more_clients_than_allowed(bench: Bench) -> None:
    async with bench.running(clients_max=1), reading(bench) as page:
        await page.frame()
        async with websockets.connect(bench.ws) as second:
            with pytest.raises(websockets.ConnectionClosed) as refused:
                await asyncio.wait_for(second.recv(), WITHIN_S)

    assert refused.value.rcvd is not None
    assert refused.value.rcvd.code == 1013


async def test_a_client_that_talks_too_much_or_too_long_is_closed(bench: Bench) -> None:
    codes = []
    async with bench.running():
        for messages in (["x" * 2_000], ["hello"] * 150):
            async with websockets.connect(bench.ws) as socket:
                for message in messages:
                    await socket.send(message)
                with pytest.raises(websockets.ConnectionClosed) as closed_:
                    await drained(socket)
                codes.append(closed_.value.rcvd.code if closed_.value.rcvd else None)

    assert codes == [1009, 1008]


async def test_a_page_of_another_site_cannot_open_a_socket(bench: Bench) -> None:
    async with bench.running():
        for path in ("/ws", "/graphql"):
            with pytest.raises(websockets.InvalidStatus):
                await websockets.connect(
                    f"ws://127.0.0.1:{bench.port}{path}", origin=websockets.Origin("https://evil.example"),
                    subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
                )  # fmt: skip
        async with websockets.connect(bench.ws, origin=websockets.Origin("http://localhost:5173")) as socket:
            assert json.loads(await socket.recv())["type"] == "snapshot"


async def test_rest_answers_from_the_board_and_the_read_model(bench: Bench) -> None:
    await bench.publish(*round_one())
    async with bench.running():
        await stored(bench, order_filled=2, trade_closed=1, round_closed=1, decision_judged=2)
        portfolios = (await bench.get("/portfolios")).json()
        models = {entry["competitor_id"]: entry for entry in (await bench.get("/metrics/models")).json()}
        system = (await bench.get("/metrics/system")).json()
        trades = (await bench.get("/api/trades", competitor="ann", instrument=BTC)).json()
        decisions = (await bench.get("/api/decisions", round=1)).json()["items"]
        rounds = (await bench.get("/api/rounds")).json()
        equity = await until(lambda: _equity(bench))
        now = (await bench.get("/api/season")).json()

    assert portfolios["books_balanced"] is True
    ann = portfolios["portfolios"][0]
    assert (ann["portfolio"]["equity"], ann["metrics"]["return_rate"]) == ("10009.90", "0.000990000000")
    assert (ann["metrics"]["win_rate"], ann["metrics"]["error_usd"]) == ("1.000000000000", "0.00")
    assert (models["ann"]["decisions"], models["ann"]["missed"], models["ann"]["decision_latency_p50_ms"]) == (1, 0, 40)
    assert (models["bob"]["missed"], models["bob"]["decision_latency_p50_ms"]) == (1, None)
    assert (system["competitors"], system["round"], system["max_equity_error_usd"]) == (2, 1, "0.00")
    assert system["counts"]["signal_proposed"] == 2
    assert [system["counts"][name] for name in ("decision_missed", "signal_rejected", "order_filled")] == [1, 1, 2]
    assert [(trade["direction"], trade["net"], trade["held_s"]) for trade in trades["items"]] == [("long", "9.90", 10)]
    assert [(entry["competitor_id"], entry["state"]) for entry in decisions] == [("ann", "judged"), ("bob", "missed")]
    assert [(part["verdict"], part["code"], part["limit"]) for part in decisions[0]["parts"]] == [
        ("approved", None, None), ("rejected", "NOTIONAL_ABOVE_MAX", "50000"),
    ]  # fmt: skip
    assert (rounds["items"][0]["missed"], rounds["next"]) == (1, None)
    assert equity == [["2026-11-22T14:01:00Z", "10000"], ["2026-11-22T14:01:10Z", "10009.90"]]
    assert now["round"]["closed_at"] == at(61).isoformat().replace("+00:00", "Z")


async def _equity(bench: Bench) -> list[list[str]] | None:
    points = (await bench.get("/api/competitors/ann/equity")).json()
    return [[point["at"], point["equity"]] for point in points] if len(points) == 2 else None


async def test_lists_go_on_after_their_cursor_and_miss_nothing(bench: Bench) -> None:
    fills = [fill(n, "buy" if n % 2 else "sell", "1", str(100 + n)) for n in range(1, 11)]
    signals = [signal(who=who, number=n) for n in range(1, 4) for who in ("ann", "bob")]
    await bench.publish(season(), competitor(), *fills, *signals, *(opened(n) for n in range(1, 6)))
    async with bench.running():
        await stored(bench, trade_closed=5, signal_proposed=6, round_opened=5)
        trades = await _all(bench, "/api/trades", first=2)
        decisions = await _all(bench, "/api/decisions", first=4)
        rounds = await _all(bench, "/api/rounds", first=2)

    assert [entry["exit_price"] for entry in trades] == ["110", "108", "106", "104", "102"]
    assert [(entry["round"], entry["competitor_id"]) for entry in decisions] == [
        (3, "ann"), (3, "bob"), (2, "ann"), (2, "bob"), (1, "ann"), (1, "bob"),
    ]  # fmt: skip
    assert [entry["round"] for entry in rounds] == [5, 4, 3, 2, 1]


async def _all(bench: Bench, path: str, first: int) -> list[dict[str, Any]]:
    items, after = [], None
    while True:
        page = (await bench.get(path, first=first, **({"after": after} if after else {}))).json()
        assert len(page["items"]) <= first
        items += page["items"]
        after = page["next"]
        if after is None:
            return items


BROKEN = [
    ("/api/trades?first=201", 422, "query.first"),
    ("/api/trades?first=0", 422, "query.first"),
    ("/api/trades?competitor=../x", 422, "query.competitor"),
    ("/api/trades?after=nonsense", 422, "query.after"),
    ("/api/trades?after=YXxi", 422, "query.after"),
    ("/api/trades?after=" + "x" * 300, 422, "query.after"),
    ("/api/decisions?round=zero", 422, "query.round"),
    ("/api/rounds?after=4pyT", 422, "query.after"),
    ("/api/competitors/ann/equity?points=1", 422, "query.points"),
    ("/api/competitors/nobody", 404, None),
    ("/api/nothing", 404, None),
]


async def test_errors_are_problem_documents_that_name_the_field(bench: Bench) -> None:
    async with bench.running():
        answers = [await bench.get(path) for path, _, _ in BROKEN]

    assert [answer.status_code for answer in answers] == [status for _, status, _ in BROKEN]
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    named = [[entry["field"] for entry in answer.json()["errors"]] for answer in answers]
    assert named == [[field] if field else [] for _, _, field in BROKEN]


async def test_nothing_can_be_changed(bench: Bench) -> None:
    async with bench.running(), httpx.AsyncClient(base_url=bench.url) as client:
        answers = [
            await client.request(method, path)
            for method in ("POST", "PUT", "PATCH", "DELETE")
            for path in ("/portfolios", "/api/trades", "/metrics/system", "/")
        ]

    assert {answer.status_code for answer in answers} == {405}
