"""Language models over HTTP, well and badly answered: every case ends in a signal or in a named miss, in time."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from chassis.objects import ObjectStore
from contracts.competition import CompetitorRegistered, DecisionRequested
from contracts.signals import DecisionMissed, SignalProposed
from pydantic import SecretStr
from signal_runtime.adapters.enrol import Live
from signal_runtime.adapters.prices import price_usd
from signal_runtime.adapters.providers import Provider, providers_of
from signal_runtime.adapters.spending import Spending
from signal_runtime.adapters.transport import retry_after_s
from signal_runtime.core import circuit, retries
from signal_runtime.core.quotas import Most, Quota
from signal_runtime.models import bootstrap
from signal_runtime.rationales import Rationales
from signal_runtime.records import Records
from signal_runtime.registry import Registry
from signal_runtime.runtime import SignalRuntime, wall_clock
from signal_runtime.settings import Settings
from signal_runtime.testing import competitor, position, request
from signal_runtime.testing_inputs import Given
from signal_runtime.testing_providers import CASES, GOOD, ProviderServer, provider_server

CANARY = "sk-canary-1234567890"
PROTOCOLS = ("openai-compatible", "anthropic")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[ProviderServer]:
    async with provider_server() as running:
        yield running


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(f"file://{tmp_path}")


def providers(server: ProviderServer) -> Sequence[Provider]:
    key = SecretStr(CANARY)
    settings = Settings(
        deepseek_api_key=key, deepseek_base_url=server.openai,
        qwen_api_key=key, qwen_base_url=server.openai,
        openai_api_key=key, openai_base_url=server.openai,
        anthropic_api_key=key, anthropic_base_url=server.anthropic,
        openai_compatible_api_key=key, openai_compatible_base_url=server.openai,
    )  # fmt: skip
    return providers_of(settings)


def registry(server: ProviderServer, objects: ObjectStore, quota: Quota | None = None, **live: Any) -> Registry:
    quick = retries.Policy(backoff_s=0.02, call_s_min=0.02)
    spending = Spending(objects, quota or Quota())
    return bootstrap(
        live=Live(providers(server), spending, Rationales(Records(objects)), wall_clock, **{"retrying": quick, **live})
    )


def entrant(name: str, provider: str, model: str, **parameters: str) -> CompetitorRegistered:
    sha256 = hashlib.sha256(f"{provider}{model}{parameters}".encode()).hexdigest()
    made = competitor(name, provider).model_copy(update={"parameters": {"model": model, **parameters}})
    return made.model_copy(update={"config_sha256": sha256})


def asked(name: str, *, number: int = 1, within_s: float = 20.0) -> DecisionRequested:
    made = request(name, number)
    id_ = UUID(int=int.from_bytes(hashlib.sha256(f"{name}{number}".encode()).digest()[:16]))
    return made.model_copy(update={"deadline": made.at + timedelta(seconds=within_s), "event_id": id_})


async def answer(
    made: Registry, objects: ObjectStore, entry: CompetitorRegistered, *, number: int = 1, within_s: float = 20.0
) -> SignalProposed | DecisionMissed:
    runtime = SignalRuntime(Given(entry), made, Records(objects))
    return (await runtime.generate_signal(asked(entry.competitor_id, number=number, within_s=within_s)))[0]


# case: what becomes of it, how its detail begins, how many calls it takes
OUTCOMES = {
    "good": ("signal_proposed", "", 1),
    "slow": ("signal_proposed", "", 1),
    "fenced": ("signal_proposed", "", 1),
    "unknown-coin": ("signal_proposed", "", 1),
    "never": ("timeout", "no answer by the deadline", 1),
    "limited": ("provider_error", "rate_limited, called 3 times", 3),
    "limited-long": ("provider_error", "rate_limited, and the deadline comes before", 1),
    "failing": ("provider_error", "server_error, called 3 times", 3),
    "forbidden": ("provider_error", "refused", 1),
    "moved": ("provider_error", "refused", 1),
    "dropping": ("provider_error", "unreachable, called 3 times", 3),
    "unreadable": ("provider_error", "unreadable, called 3 times", 3),
    "packed": ("malformed", "ReplyTooLong", 1),
    "huge": ("malformed", "ReplyTooLong", 1),
    "truncated": ("malformed", "TruncatedReply: its JSON does not end", 2),
    "prose": ("malformed", "NoDecision: no JSON object", 2),
    "empty": ("no_answer", "EmptyReply", 2),
    "types": ("malformed", "BadField: BTC.quantity: is list", 2),
    "out-of-range": ("malformed", "BadField: BTC.leverage: must be", 2),
    "not-a-number": ("malformed", "NoDecision: NaN", 2),
    "limited+good": ("signal_proposed", "", 2),
    "failing+good": ("signal_proposed", "", 2),
    "dropping+good": ("signal_proposed", "", 2),
    "prose+good": ("signal_proposed", "", 2),
    "prose+failing": ("malformed", "NoDecision", 4),
}


def test_every_case_of_the_server_has_an_outcome() -> None:
    assert set(CASES) <= set(OUTCOMES)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_every_case_ends_in_a_signal_or_a_named_miss_within_the_deadline(
    server: ProviderServer, objects: ObjectStore, protocol: str
) -> None:
    made = registry(server, objects, breaking=circuit.Policy(failures_max=1_000))
    await answer(made, objects, entrant("warm", protocol, "good"))  # the SDK loads the rest of itself

    for case, (outcome, detail, calls) in OUTCOMES.items():
        entry = entrant("c-" + case.replace("+", "-"), protocol, f"{case}#{protocol}")
        within_s = 0.5 if case == "never" else 20.0
        began = time.perf_counter()
        event = await answer(made, objects, entry, within_s=within_s)

        took = time.perf_counter() - began
        said = event.reason if isinstance(event, DecisionMissed) else event.type
        assert (case, said) == (case, outcome)
        assert isinstance(event, SignalProposed) or event.detail.startswith(detail), (case, event.detail)
        assert event.attempt is not None
        assert (case, event.attempt.attempts, server.asked[f"{case}#{protocol}"]) == (case, calls, calls)
        assert not event.attempt.offline
        assert event.attempt.model == f"{protocol}/{case}#{protocol}"
        assert took < within_s + 5
    await made.close()


async def test_what_went_over_the_wire_is_in_the_store_byte_by_byte(
    server: ProviderServer, objects: ObjectStore
) -> None:
    made = registry(server, objects)
    entry = entrant("wire", "qwen", "prose+good#wire", temperature="0.5", top_p="0.9", seed="7", max_tokens="500")

    event = await answer(made, objects, entry)

    assert event.attempt is not None
    folder = event.attempt.record
    kept = json.loads(await _object(objects, f"{folder}/reply.json"))
    first, second = kept["calls"]
    assert (first["purpose"], first["outcome"], second["purpose"]) == ("decision", "answered", "repair")
    assert (event.attempt.input_tokens, event.attempt.output_tokens) == (2_000, 400)
    for number, call in enumerate(kept["calls"], 1):
        for name in ("request", "reply"):
            data = await _object(objects, f"{folder}/call-{number}.{name}")
            assert hashlib.sha256(data).hexdigest() == call[f"{name}_sha256"]
    sent = json.loads(await _object(objects, f"{folder}/call-1.request"))
    assert sent["model"] == "prose+good#wire"
    assert (sent["temperature"], sent["top_p"], sent["seed"], sent["max_tokens"]) == (0.5, 0.9, 7, 500)
    assert sent["response_format"] == {"type": "json_object"}
    said, again = json.loads(await _object(objects, f"{folder}/call-2.request"))["messages"][-2:]
    assert said == {"role": "assistant", "content": "I would rather wait and see."}
    assert again["role"] == "user"
    assert "NoDecision: no JSON object in it holds a `signal`" in again["content"]
    assert json.loads(GOOD) == json.loads(kept["text"])
    await made.close()


async def test_a_competitor_is_shown_its_own_reason_for_what_it_holds(
    server: ProviderServer, objects: ObjectStore
) -> None:
    made, entry = registry(server, objects), entrant("mindful", "openai", "good#mindful")
    await answer(made, objects, entry)  # round 1 buys BTC: "The trend is up."

    # The position of `testing.position` was opened at the beginning of round 1.
    second = SignalRuntime(Given(entry, held=[position("0.1")]), made, Records(objects))
    (event,) = await second.generate_signal(asked("mindful", number=2))

    assert event.attempt is not None
    sent = json.loads(await _object(objects, f"{event.attempt.record}/call-1.request"))
    assert "The trend is up." in sent["messages"][-1]["content"]
    await made.close()


async def _object(objects: ObjectStore, path: str) -> bytes:
    data = await objects.get(path)
    assert data is not None, path
    return data


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_key_is_in_no_event_and_in_no_object_even_where_the_provider_says_it_back(
    server: ProviderServer, objects: ObjectStore, tmp_path: Path, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = registry(server, objects)

    event = await answer(made, objects, entrant("canary", protocol, "forbidden#canary"))

    _, headers, _ = server.requests[-1]
    assert CANARY in headers.get("authorization", headers.get("x-api-key", ""))
    written = await asyncio.to_thread(_all_files, tmp_path)
    assert any(b"your key is" in data and b"[key]" in data for data in written)
    everything = b"".join(written) + event.model_dump_json().encode() + caplog.text.encode()
    assert CANARY.encode() not in everything
    assert CANARY not in repr(providers(server)) + repr(Settings(openai_api_key=SecretStr(CANARY)))
    await made.close()


def _all_files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def test_a_round_of_200_competitors_with_a_dozen_that_misbehave(
    server: ProviderServer, objects: ObjectStore
) -> None:
    bad = [case for case, (outcome, _, _) in OUTCOMES.items() if outcome != "signal_proposed" and "+" not in case]
    models = bad + ["good"] * (200 - len(bad))
    entries = [entrant(f"r{n}", PROTOCOLS[n % 2], f"{model}#r{n}") for n, model in enumerate(models)]
    made = registry(server, objects, breaking=circuit.Policy(failures_max=1_000))
    runtime = SignalRuntime(Given(*entries), made, Records(objects))

    requests = [
        asked(entry.competitor_id, within_s=5.0 if model == "never" else 60.0)
        for entry, model in zip(entries, models, strict=True)
    ]
    events = [parts[0] async for parts in runtime.batch_generate(requests)]

    said = {event.competitor_id: event for event in events}
    for entry, model in zip(entries, models, strict=True):
        event = said[entry.competitor_id]
        assert (model, getattr(event, "reason", event.type)) == (model, OUTCOMES[model][0])
    await made.close()


async def test_nobody_waits_for_a_model_that_never_answers_nor_for_one_that_is_told_to_wait(
    server: ProviderServer, objects: ObjectStore
) -> None:
    entries = [entrant(model, "openai", f"{model}#wait") for model in ("never", "limited", "good")]
    made = registry(server, objects, retrying=retries.Policy(backoff_s=0.5, call_s_min=0.1))
    runtime = SignalRuntime(Given(*entries), made, Records(objects))

    requests = [asked("never", within_s=6.0), asked("limited", within_s=6.0), asked("good", within_s=60.0)]
    order = [parts[0].competitor_id async for parts in runtime.batch_generate(requests)]

    assert order == ["good", "limited", "never"]
    await made.close()


async def test_a_repair_that_does_not_come_in_time_leaves_the_first_reply_with_its_own_error(
    server: ProviderServer, objects: ObjectStore
) -> None:
    made = registry(server, objects)

    event = await answer(made, objects, entrant("late", "openai", "prose+never#late"), within_s=1.0)

    assert isinstance(event, DecisionMissed)
    assert (event.reason, event.detail.partition(":")[0]) == ("malformed", "NoDecision")
    assert event.attempt is not None
    # The second call may be billed, and nobody knows by how much: the sums are unknown, not too small.
    assert (event.attempt.attempts, event.attempt.input_tokens, event.attempt.cost_usd) == (2, None, None)
    await made.close()


async def test_a_quota_outlives_the_process_and_an_exhausted_one_asks_nobody(
    server: ProviderServer, objects: ObjectStore
) -> None:
    quota, entry = Quota(day=Most(calls=2)), entrant("thrifty", "deepseek", "good#thrifty")

    for number in (1, 2):
        made = registry(server, objects, quota)
        assert isinstance(await answer(made, objects, entry, number=number), SignalProposed)
        await made.close()
    made = registry(server, objects, quota)
    event = await answer(made, objects, entry, number=3)

    assert isinstance(event, DecisionMissed)
    assert event.reason == "quota_exceeded"
    assert event.detail == "calls a day: 2 used, up to 1 more for a call, 2 allowed"
    assert server.asked["good#thrifty"] == 2
    await made.close()


@pytest.mark.parametrize(
    ("case", "tokens"),
    [
        ("good", 1_200),  # as the provider counts: 1,000 and 200
        ("failing", 0),  # it says that it did nothing
        ("unreadable", None),  # whoever knows: what was reserved stays spent, each time
    ],
)
async def test_what_is_counted_is_what_was_used_or_all_that_may_have_been(
    server: ProviderServer, objects: ObjectStore, case: str, tokens: int | None
) -> None:
    made = registry(server, objects)
    await answer(made, objects, entrant("spender", "openai", f"{case}#spender", max_tokens="1000"))

    spent = json.loads(await _object(objects, "usage/s1/spender.json"))["season"]["tokens"]

    if tokens is None:
        assert spent > 3 * 1_000
    else:
        assert spent == tokens
    await made.close()


async def test_a_provider_that_fails_is_left_alone_for_a_while_and_others_are_asked(
    server: ProviderServer, objects: ObjectStore
) -> None:
    made = registry(server, objects, breaking=circuit.Policy(failures_max=2, open_s=60))
    # Two calls open it, the third is not made.
    first = await answer(made, objects, entrant("one", "openai", "failing#one"))

    second = await answer(made, objects, entrant("two", "openai", "good#two"))
    other = await answer(made, objects, entrant("three", "anthropic", "good#three"))

    for event in (first, second):
        assert isinstance(event, DecisionMissed)
        assert (event.reason, event.detail.partition(":")[0]) == ("provider_down", "openai")
    assert (server.asked["failing#one"], server.asked["good#two"]) == (2, 0)
    assert isinstance(other, SignalProposed)
    await made.close()


async def test_a_known_price_becomes_a_cost_and_an_unknown_one_stays_unknown(
    server: ProviderServer, objects: ObjectStore
) -> None:
    made = registry(server, objects)

    known = await answer(made, objects, entrant("priced", "anthropic", "claude-haiku-4-5"))
    unknown = await answer(made, objects, entrant("unpriced", "qwen", "qwen3-max"))

    # Anthropic's list: 1 USD a million in, 5 USD a million out; 1,000 in and 200 out are 0.001 + 0.001.
    assert known.attempt is not None
    assert unknown.attempt is not None
    assert (known.attempt.cost_usd, unknown.attempt.cost_usd) == (Decimal("0.002"), None)
    assert (unknown.attempt.input_tokens, unknown.attempt.output_tokens) == (1_000, 200)
    await made.close()


def test_prices_have_the_hours_of_their_list() -> None:
    def million(hour: int) -> Decimal | None:
        at = datetime(2026, 11, 25, hour, 30, tzinfo=UTC)
        return price_usd("deepseek", "deepseek-v4-pro", at=at, input_tokens=1_000_000, output_tokens=0)

    # DeepSeek charges double from 01:00 to 04:00 and from 06:00 to 10:00 UTC.
    assert (million(0), million(2), million(5), million(7)) == (
        Decimal("0.66"), Decimal("1.32"), Decimal("0.66"), Decimal("1.32"),
    )  # fmt: skip


async def test_without_a_key_the_same_competitor_is_served_offline_and_says_so(objects: ObjectStore) -> None:
    offline = bootstrap(
        live=Live(providers_of(Settings()), Spending(objects, Quota()), Rationales(Records(objects)), wall_clock)
    )

    event = await answer(offline, objects, entrant("keyless", "deepseek", "deepseek-chat", offline_persona="reckless"))
    wrong = await answer(offline, objects, entrant("wrong", "deepseek", "deepseek-chat", temperature="9"))

    assert event.attempt is not None
    assert (event.attempt.model, event.attempt.offline, event.attempt.latency_ms) == ("offline-llm", True, 0)
    assert isinstance(wrong, DecisionMissed)
    assert wrong.detail.startswith("BadParameter: temperature: must be")
    assert [each["name"] for each in offline.described() if each["answers"] == "offline"] == [
        "anthropic", "deepseek", "openai", "openai-compatible", "qwen",
    ]  # fmt: skip


async def test_a_key_without_a_network_is_a_named_miss(objects: ObjectStore) -> None:
    settings = Settings(deepseek_api_key=SecretStr(CANARY), deepseek_base_url="http://127.0.0.1:9/v1")
    quick = retries.Policy(backoff_s=0.01, call_s_min=0.01)
    made = bootstrap(
        live=Live(
            providers_of(settings), Spending(objects, Quota()), Rationales(Records(objects)), wall_clock, retrying=quick
        )
    )

    event = await answer(made, objects, entrant("alone", "deepseek", "deepseek-chat"))

    assert isinstance(event, DecisionMissed)
    assert (event.reason, event.detail) == ("provider_error", "unreachable, called 3 times: deepseek")
    assert {each["name"]: each["answers"] for each in made.described()}["deepseek"] == "live"
    await made.close()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("2.5", 2.5),
        ("-1", 0.0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("soon", None),
        ("Thu, 01 Jan 2026 00:00:30", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, datetime(2026, 1, 1, tzinfo=UTC)) == seconds
