import asyncio
import errno
import hashlib
import json
import os
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from chassis.objects import ObjectStore
from contracts.canonical import snapshot_bytes
from contracts.competition import DecisionRequested
from contracts.signals import DecisionMissed, SignalProposed
from signal_runtime.core.view import View
from signal_runtime.inputs import Gone
from signal_runtime.models import Misbehaving, Registry, Reply, SignalModel, bootstrap
from signal_runtime.records import Records
from signal_runtime.runtime import Limits, SignalRuntime, Signals
from signal_runtime.testing import BTC, competitor, market, request, view
from signal_runtime.testing_inputs import RISING, Given
from signal_runtime.turn import Turn


def hurried(seconds: float = 0.2, **of: Any) -> DecisionRequested:
    """A request whose deadline is so far from its opening."""
    asked = request(**of)
    return asked.model_copy(update={"deadline": asked.at + timedelta(seconds=seconds)})


def runtime(inputs: Given, objects: ObjectStore, registry: Registry | None = None, **limits: Any) -> SignalRuntime:
    return SignalRuntime(inputs, registry or bootstrap(test_models=True), Records(objects), Limits(**limits))


@pytest.fixture
def objects(tmp_path: Any) -> ObjectStore:
    return ObjectStore(f"file://{tmp_path}")


def miss(events: Signals) -> DecisionMissed:
    (event,) = events
    assert isinstance(event, DecisionMissed)
    return event


async def test_a_quant_model_answers_at_the_opening_and_its_parts_follow_the_request(objects: ObjectStore) -> None:
    (part,) = await runtime(Given(competitor()), objects).generate_signal(request())

    assert isinstance(part, SignalProposed)
    assert (part.action, part.instrument, part.quantity) == ("buy_to_enter", BTC, part.quantity)
    assert (part.at, part.effective_at) == (request().at, request().effective_at)
    assert part.traceparent == request().traceparent
    assert (part.attempt.model, part.attempt.offline, part.attempt.latency_ms) == ("momentum", True, 0)


async def test_request_reply_and_snapshot_are_in_the_store_under_the_hashes_the_event_names(
    objects: ObjectStore,
) -> None:
    (part,) = await runtime(Given(competitor()), objects).generate_signal(request())

    assert part.attempt is not None
    folder = part.attempt.record
    assert folder == "decisions/s1/ann/00000001"
    asked = await objects.get(f"{folder}/request.json")
    said = await objects.get(f"{folder}/reply.json")
    assert asked is not None
    assert said is not None
    assert hashlib.sha256(asked).hexdigest() == part.attempt.prompt_sha256
    assert hashlib.sha256(said).hexdigest() == part.attempt.reply_sha256
    shown = json.loads(asked)["snapshot"]
    bars = await objects.get(shown["path"])
    assert bars == snapshot_bytes(view(market(**RISING)).snapshot)
    assert hashlib.sha256(bars).hexdigest() == shown["sha256"]
    assert json.loads(said)["text"].startswith('{"BTC": ')


class Full(ObjectStore):
    """Its disk has no room for a reply."""

    async def put_new(self, path: str, data: bytes) -> bool:
        if path.endswith("reply.json"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        return await super().put_new(path, data)


async def test_a_full_disk_ends_the_request_loudly_and_once_there_is_room_it_is_answered(tmp_path: Any) -> None:
    full, roomy = Full(f"file://{tmp_path}"), ObjectStore(f"file://{tmp_path}")

    with pytest.raises(OSError, match="No space left on device"):
        await runtime(Given(competitor()), full).generate_signal(request())
    assert await roomy.get("decisions/s1/ann/00000001/reply.json") is None
    (part,) = await runtime(Given(competitor()), roomy).generate_signal(request())
    assert isinstance(part, SignalProposed)


class Counting:
    name, offline, warm_up_bars = "counting", True, 0

    def __init__(self) -> None:
        self.asked = 0

    async def answer(self, view: View, turn: Turn) -> Reply:
        self.asked += 1
        return Reply(f'{{"BTC": {{"signal": "hold", "justification": "{self.asked}"}}}}')


def counting(model: SignalModel) -> Registry:
    registry = Registry()
    registry.register("momentum", lambda _: model)
    return registry


async def test_a_request_that_comes_again_is_answered_from_the_store_and_the_model_is_not_asked(
    objects: ObjectStore,
) -> None:
    model = Counting()
    before = await runtime(Given(competitor()), objects, counting(model)).generate_signal(request())

    given = Given(competitor())
    again = await runtime(given, objects, counting(model)).generate_signal(request())

    assert list(again) == list(before)
    assert (model.asked, given.views) == (1, 0)


async def test_a_miss_is_remembered_too(objects: ObjectStore) -> None:
    given = Given(competitor(model="broken"))
    first = await runtime(given, objects).generate_signal(request())
    mended = Given(competitor(model="momentum"))

    assert await runtime(mended, objects).generate_signal(request()) == first


async def test_a_reply_of_another_arena_under_the_same_name_is_not_this_ones(objects: ObjectStore) -> None:
    model = Counting()
    await runtime(Given(competitor()), objects, counting(model)).generate_signal(request())
    other = request().model_copy(update={"snapshot_sha256": "cd" * 32})

    await runtime(Given(competitor()), objects, counting(model)).generate_signal(other)

    assert model.asked == 2


@pytest.mark.parametrize(
    ("model", "parameters", "reason", "detail"),
    [
        ("broken", {}, "model_error", "RuntimeError: it never worked"),
        ("malformed", {}, "malformed", "NoDecision: no JSON object"),
        ("silent", {}, "no_answer", "EmptyReply: the reply has no text"),
        ("astrology", {}, "model_error", "UnknownModel: astrology: is none of anthropic, broken, buy_and_hold"),
        ("momentum", {"lookback": "0"}, "model_error", "BadParameter: lookback: must be from 1"),
        ("slow", {"seconds": "60"}, "timeout", "no answer by the deadline"),
    ],
)
async def test_what_is_no_answer_is_missed_by_name(
    objects: ObjectStore, model: str, parameters: dict[str, str], reason: str, detail: str
) -> None:
    given = Given(competitor(model=model, **parameters))

    event = miss(await runtime(given, objects).generate_signal(hurried()))

    assert event.reason == reason
    assert event.detail.startswith(detail)
    assert event.at == (hurried().deadline if reason == "timeout" else hurried().at)


async def test_a_slow_and_a_broken_model_delay_nobody(objects: ObjectStore) -> None:
    given = Given(
        competitor("slow", model="slow"), competitor("broken", model="broken"), competitor("quick", model="momentum")
    )
    asked = [hurried(1.5, name=name) for name in ("slow", "broken", "quick")]
    began = time.perf_counter()

    answers = runtime(given, objects).batch_generate(asked)
    came = [(events[0].competitor_id, time.perf_counter() - began) async for events in answers]

    assert {name for name, _ in came[:2]} == {"broken", "quick"}
    assert came[1][1] < 1.0
    assert came[2][0] == "slow"
    assert 1.5 <= came[2][1] < 4


async def test_models_of_one_name_take_turns_and_those_of_another_do_not_wait(objects: ObjectStore) -> None:
    crowd = [competitor(f"slow-{n}", model="slow", seconds="0.1") for n in range(4)]
    given = Given(*crowd, competitor("quick", model="momentum"))
    asked = [hurried(30, name=entry.competitor_id) for entry in crowd] + [request("quick")]
    began = time.perf_counter()

    answers = runtime(given, objects, concurrent_per_model=1).batch_generate(asked)
    order = [events[0].competitor_id async for events in answers]

    assert order[0] == "quick"
    assert time.perf_counter() - began >= 0.4


async def test_in_lockstep_inputs_that_never_come_are_a_broken_arena(objects: ObjectStore) -> None:
    with pytest.raises(TimeoutError):
        await runtime(Given(competitor(), failure=TimeoutError()), objects).generate_signal(request())


class At:
    """A wall clock that stands still."""

    def __init__(self, seconds: float) -> None:
        self._now = request().at + timedelta(seconds=seconds)

    def __call__(self) -> datetime:
        return self._now


def live(
    objects: ObjectStore, seconds: float, failure: Exception | None = None, model: str = "momentum"
) -> SignalRuntime:
    given = Given(competitor(model=model), clock="live", failure=failure)
    return SignalRuntime(given, bootstrap(test_models=True), Records(objects), now=At(seconds))


async def test_live_signals_bear_the_time_of_the_wall(objects: ObjectStore) -> None:
    (part,) = await live(objects, 2.5).generate_signal(request())

    assert (part.at, part.effective_at) == (request().at + timedelta(seconds=2.5), request().effective_at)


@pytest.mark.parametrize(
    ("seconds", "failure", "model", "reason"),
    [
        (30, None, "momentum", "late"),
        (1, TimeoutError(), "momentum", "no_answer"),
        (1, Gone("the portfolio of round 1"), "momentum", "late"),
        (29.9, None, "slow", "timeout"),
    ],
)
async def test_live_a_round_that_cannot_be_answered_any_more_is_missed(
    objects: ObjectStore, seconds: float, failure: Exception | None, model: str, reason: str
) -> None:
    event = miss(await live(objects, seconds, failure, model).generate_signal(request()))

    assert event.reason == reason


async def test_a_round_of_200_competitors_costs_less_than_two_seconds_of_one_core(objects: ObjectStore) -> None:
    names = [f"c{n}" for n in range(200)]
    given = Given(*[competitor(name, model="offline-llm") for name in names])
    began = time.process_time()

    answers = [events async for events in runtime(given, objects).batch_generate([request(name) for name in names])]

    assert len(answers) == 200
    assert time.process_time() - began < 2


def test_a_model_is_registered_once_and_made_once() -> None:
    registry = bootstrap()

    assert registry.names() == [
        "anthropic", "buy_and_hold", "deepseek", "hedge", "mean_reversion", "momentum", "offline-llm", "openai",
        "openai-compatible", "qwen", "random", "trend",
    ]  # fmt: skip
    assert registry.model_of(competitor()) is registry.model_of(competitor())
    with pytest.raises(ValueError, match="trend: is registered already"):
        registry.register("trend", lambda written: Misbehaving("trend"))


def test_misbehaving_models_are_for_tests_only() -> None:
    written: Mapping[str, str] = {"seconds": "soon"}

    assert "slow" not in bootstrap().names()
    with pytest.raises(ValueError, match="seconds: must be a number"):
        bootstrap(test_models=True).model_of(competitor(model="slow", **written))


async def test_nothing_is_left_running_when_a_batch_is_over(objects: ObjectStore) -> None:
    before = asyncio.all_tasks()
    given = Given(competitor(model="slow"))

    [_ async for _ in runtime(given, objects).batch_generate([hurried(0.05)])]

    assert asyncio.all_tasks() == before


async def test_of_two_workers_that_answer_one_request_the_first_answer_is_what_both_say(objects: ObjectStore) -> None:
    """Found by `arena simulate`: at a rebalance both answered, and readers were left with parts of either."""
    slow, quick = Registry(), Registry()
    slow.register("momentum", lambda _: Misbehaving("momentum", seconds=0.2, text="I am not sure."))
    quick.register("momentum", lambda _: Misbehaving("momentum", text='{"BTC": {"signal": "hold"}}'))
    one, other = runtime(Given(competitor()), objects, slow), runtime(Given(competitor()), objects, quick)

    said = await asyncio.gather(one.generate_signal(request()), other.generate_signal(request()))

    assert [event.type for event in said[0]] == ["signal_proposed"]
    assert list(said[0]) == list(said[1])
