"""A plain stage as a whole process would run it."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import httpx
from chassis.keyed_stage import KeyedStage
from chassis.publish import Out
from chassis.service import stage_app
from chassis.testing import World, halted, running
from contracts.base import Event
from contracts.topics import dead_letter_topic
from contracts.wire import decode, encode, numbered
from starlette.applications import Starlette

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def app_of(world: World, topic: str, out: str) -> Starlette:
    def decide(tally: dict[str, int], event: Any) -> Sequence[Event | Out]:
        tally["n"] = tally.get("n", 0) + 1
        said = halted(tally["n"], event.competitor_id, traceparent=event.traceparent)
        return [Out(said.model_copy(update={"event_id": event.child_id(0)}), out)]

    return stage_app(world.service, world.settings, topics=[topic], stage=KeyedStage(dict[str, int], decide))


APPROVED = {
    "type": "order_approved", "event_id": "6e6f6631-0000-5000-8000-6172656e6121", "at": "2026-01-01T00:00:00Z",
    "season_id": "s", "competitor_id": "a", "round": 1, "signal_id": "6e6f6631-0000-5000-8000-6172656e6121", "part": 1,
    "effective_at": "2026-01-01T00:00:00Z", "instrument": "BTC-USDT-PERP", "side": "buy", "quantity": "1",
    "order_type": "market", "time_in_force": "ioc", "leverage": "2", "price_min": "1", "price_max": "2",
}  # fmt: skip

BROKEN = {
    "not JSON": (b"{", "JSON"),
    "no value": (b"", "JSON"),
    "a missing field": (
        json.dumps({k: v for k, v in APPROVED.items() if k != "side"}).encode(),
        "side: Field required",
    ),
    "a wrong type": (json.dumps(APPROVED | {"round": "first"}).encode(), "round: "),
    "NaN as a string": (json.dumps(APPROVED | {"quantity": "NaN"}).encode(), "quantity: "),
    "NaN as a number": (json.dumps(APPROVED | {"quantity": float("nan")}).encode(), "quantity"),
    "a huge number": (json.dumps(APPROVED | {"quantity": "9" * 400}).encode(), "quantity: "),
    "a huge exponent": (json.dumps(APPROVED | {"price_max": "1e999999"}).encode(), "price_max: "),
    "a huge integer": (json.dumps(APPROVED | {"round": 10**30}).encode(), "round: "),
    "an unknown enum": (json.dumps(APPROVED | {"side": "hold"}).encode(), "side: "),
    "an unknown event": (json.dumps(APPROVED | {"type": "order_dreamt"}).encode(), "order_dreamt"),
    "more bytes than are read": (b'"' + b"x" * 1_000_100 + b'"', "1000102 bytes"),
}


async def test_broken_records_go_to_the_dead_letters_with_reason_and_origin_and_the_partition_moves_on(
    world: World,
) -> None:
    topic, out = await world.topic("orders.v1"), await world.topic("orders.v1", tag="-out")
    headers = encode(halted(1)).headers
    for n, (value, _) in enumerate(BROKEN.values(), 1):
        await world.raw(topic, value, numbered(headers, "third-party", n), b"key-%d" % n)
    await world.raw(topic, json.dumps(APPROVED).encode(), headers, b"no numbers")
    await world.raw(topic, encode(halted(1)).value, numbered(headers, "third-party", 99), b"a")
    async with running(app_of(world, topic, out)):
        good = await world.records(out, 1)
        dead = await world.records(dead_letter_topic(world.service), len(BROKEN) + 1)
    assert decode(out, good[0].value).reason == "1", "what follows the broken records is decided"
    for n, ((name, (value, reason)), record) in enumerate(zip(BROKEN.items(), dead, strict=False), 1):
        carried = dict(record.headers)
        assert (record.key, record.value) == (b"key-%d" % n, value), name
        assert reason in carried["dl_reason"].decode(), name
        assert (carried["dl_topic"], carried["dl_offset"]) == (topic.encode(), b"%d" % (n - 1)), name
        assert carried["dl_partition"] == b"0"
        assert (carried["dl_ce_source"], carried["dl_ce_sequence"]) == (b"third-party", b"%d" % n), "its own numbers"
        assert (carried["ce_source"], carried["ce_sequence"]) == (f"{world.service}/{topic}/0".encode(), b"%d" % n)
        assert carried["ce_id"] == dict(headers)["ce_id"], "headers of the origin are kept"
    assert b"ce_source" in dict(dead[-1].headers)["dl_reason"]


async def test_events_of_a_partition_are_decided_and_said_in_order(world: World) -> None:
    topic, out = await world.topic("orders.v1", 2), await world.topic("orders.v1", 2, tag="-out")
    competitors = ["a", "b", "c", "d", "e"]
    for n in range(60):
        await world.send(topic, *[halted(n, competitor) for competitor in competitors])
    async with running(app_of(world, topic, out)):
        said = [decode(out, record.value) for record in await world.records(out, 300)]
    for competitor in competitors:
        mine = [event for event in said if event.competitor_id == competitor]
        assert [event.reason for event in mine] == [str(n) for n in range(1, 61)]
        assert [event.event_id for event in mine] == [halted(n, competitor).child_id(0) for n in range(60)]


async def test_a_restart_goes_on_where_the_last_process_stopped(world: World) -> None:
    topic, out = await world.topic("orders.v1"), await world.topic("orders.v1", tag="-out")
    for n in range(3):
        await world.send(topic, halted(n))
        async with running(app_of(world, topic, out)):
            await world.records(out, n + 1)
    said = await world.records(out, 3)
    assert [decode(out, record.value).reason for record in said] == ["1", "2", "3"]


async def test_a_trace_goes_on_below_the_span_of_the_stage(world: World) -> None:
    topic, out = await world.topic("orders.v1"), await world.topic("orders.v1", tag="-out")
    await world.send(topic, halted(1, traceparent=SAMPLED), halted(2), halted(3, traceparent=SAMPLED[:-1] + "0"))
    async with running(app_of(world, topic, out)):
        said = [dict(record.headers) for record in await world.records(out, 3)]
    spans = [json.loads(line) for line in world.spans.read_text().splitlines()]
    assert len(spans) == 1, "only what is sampled is recorded"
    span = spans[0]
    assert (span["trace_id"], span["parent_id"]) == (SAMPLED[3:35], SAMPLED[36:52])
    assert said[0]["traceparent"] == f"00-{span['trace_id']}-{span['span_id']}-01".encode()
    assert "traceparent" not in said[1]
    assert said[2]["traceparent"] == SAMPLED[:-1].encode() + b"0", "an unsampled trace is handed on as it came"


async def eventually(client: httpx.AsyncClient, path: str, holds: Callable[[httpx.Response], object]) -> None:
    async with asyncio.timeout(30):
        while not holds(await client.get(path)):  # noqa: ASYNC110  # a page that is asked says nothing by itself
            await asyncio.sleep(0.05)


async def test_health_and_metrics_tell_of_the_loop(world: World) -> None:
    topic, out = await world.topic("orders.v1"), await world.topic("orders.v1", tag="-out")
    app = app_of(world, topic, out)
    await world.send(topic, halted(1))
    counted = re.compile(r"^arena_step_records_total [1-9]", re.MULTILINE)
    async with (
        running(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stage") as client,
    ):
        await world.records(out, 1)
        assert (await client.get("/healthz")).status_code == 200
        # what it said may be here before the turn that said it is over
        await eventually(client, "/metrics", lambda said: counted.search(said.text))
        await eventually(client, "/readyz", lambda said: said.status_code == 200)
        assert re.search(r"^arena_step_commit_seconds_count [1-9]", (await client.get("/metrics")).text, re.MULTILINE)
        app.state.resources.health.loops["loop"].turned_at -= 91
        assert (await client.get("/healthz")).status_code == 503


async def test_a_decision_that_raises_fails_the_loop_and_is_not_passed_over(world: World) -> None:
    topic = await world.topic("orders.v1")

    def decide(_tally: dict[str, int], _event: Any) -> Sequence[Event]:
        raise ZeroDivisionError("a bug")

    app = stage_app(world.service, world.settings, topics=[topic], stage=KeyedStage(dict[str, int], decide))
    await world.send(topic, halted(1))
    ended = asyncio.Event()
    async with running(app):
        app.state.resources.on_end = ended.set
        await asyncio.wait_for(ended.wait(), 20)
        assert not app.state.resources.health.alive()
    assert isinstance(app.state.resources.failure, ZeroDivisionError)
    assert (await world.fetch("select next_offset from step_position"))[0][0] == 0


async def test_replicas_share_the_partitions_and_say_everything_once(world: World) -> None:
    topic, out = await world.topic("orders.v1", 4), await world.topic("orders.v1", 4, tag="-out")
    competitors = [f"c{n}" for n in range(40)]

    def replica(instance: str) -> Starlette:
        settings = world.settings.model_copy(update={"instance": instance})
        stage = KeyedStage(dict[str, int], lambda _, event: [Out(halted(int(event.reason), event.competitor_id), out)])
        return stage_app(world.service, settings, topics=[topic], stage=stage)

    async with running(replica("0")) as first:
        await world.send(topic, *[halted(0, competitor) for competitor in competitors])
        await world.records(out, 40)
        async with running(replica("1")) as second:
            while not second.health.ready():  # noqa: ASYNC110  # the group is ready when it is
                await asyncio.sleep(0.05)
            await world.send(topic, *[halted(1, competitor) for competitor in competitors])
            said = [decode(out, record.value) for record in await world.records(out, 80)]
            shares = [replica.telemetry.records._value.get() for replica in (first, second)]
    assert sorted((event.competitor_id, event.reason) for event in said) == sorted(
        (competitor, reason) for competitor in competitors for reason in ("0", "1")
    )
    assert shares[0] >= 40
    assert shares[1] > 0, "the second replica has partitions"


async def test_a_process_that_is_to_end_while_it_joins_its_group_ends(world: World) -> None:
    topic = await world.topic("orders.v1", 4)
    for hundredths in range(0, 16, 2):
        app = stage_app(world.service, world.settings, topics=[topic], stage=KeyedStage(dict[str, int], lambda *_: []))
        async with asyncio.timeout(20), running(app) as resources:
            await asyncio.sleep(hundredths / 100)  # somewhere on the way from the start to the first poll
        assert resources.failure is None
