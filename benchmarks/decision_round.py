"""A round of decisions: 200 offline competitors at once, and what the runtime adds to a call to a provider.

`python -m benchmarks.decision_round [--competitors N] [--calls N]`. No broker: from the request to the events, with the
records in a folder. The calls go to a server of canned replies in another process; the floor is a like request sent by
the bare HTTP client in the same run, one at a time. Indicators are in the snapshot, computed once by market-data.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import httpx2
from chassis.objects import ObjectStore
from contracts.competition import CompetitorRegistered, DecisionRequested
from pydantic import SecretStr
from signal_runtime.adapters.enrol import Live
from signal_runtime.adapters.providers import Provider
from signal_runtime.adapters.spending import Spending
from signal_runtime.core.quotas import Quota
from signal_runtime.models import Registry, bootstrap
from signal_runtime.rationales import Rationales
from signal_runtime.records import Records
from signal_runtime.runtime import SignalRuntime, wall_clock
from signal_runtime.testing import competitor, request
from signal_runtime.testing_inputs import Given
from signal_runtime.testing_providers import provider_server

WARM = 20


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.decision_round", "--serve", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def serve() -> None:
    async with provider_server() as running:
        print(running.openai, flush=True)
        await asyncio.Event().wait()


def asked(name: str, number: int) -> DecisionRequested:
    made = request(name)
    return made.model_copy(update={"event_id": UUID(int=number), "deadline": made.at + timedelta(seconds=60)})


def entrant(name: str, answers: str, **parameters: str) -> CompetitorRegistered:
    return competitor(name, answers).model_copy(update={"parameters": parameters})


async def offline_round(objects: ObjectStore, competitors: int) -> dict[str, float]:
    entries = [entrant(f"c{n}", "offline-llm") for n in range(competitors)]
    runtime = SignalRuntime(Given(*entries), bootstrap(), Records(objects))
    requests = [asked(entry.competitor_id, number) for number, entry in enumerate(entries)]
    began, cpu = time.perf_counter(), time.process_time()
    answers = [parts async for parts in runtime.batch_generate(requests)]
    assert len(answers) == competitors
    return {"signals_out_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}


async def timed(calls: int, one: Callable[[int], Awaitable[None]]) -> dict[str, float]:
    for number in range(WARM):
        await one(number)
    walls, cpu = [], time.process_time()
    for number in range(WARM, WARM + calls):
        began = time.perf_counter()
        await one(number)
        walls.append(time.perf_counter() - began)
    return {"p50_ms": statistics.median(walls) * 1_000, "cpu_ms": (time.process_time() - cpu) / calls * 1_000}


async def live_calls(objects: ObjectStore, registry: Registry, calls: int) -> dict[str, float]:
    entries = [entrant(f"l{n}", "openai-compatible", model="good") for n in range(WARM + calls)]
    runtime = SignalRuntime(Given(*entries), registry, Records(objects))

    async def one(number: int) -> None:
        (event,) = await runtime.generate_signal(asked(f"l{number}", 10_000 + number))
        assert event.type == "signal_proposed", event

    return await timed(calls, one)


async def bare_calls(url: str, calls: int) -> dict[str, float]:
    body = {"model": "good", "messages": [{"role": "user", "content": "Round 1"}], "max_tokens": 4_096}
    async with httpx2.AsyncClient() as client:

        async def one(_: int) -> None:
            (await client.post(f"{url}/chat/completions", json=body)).raise_for_status().json()

        return await timed(calls, one)


async def measure(competitors: int, calls: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        objects = ObjectStore(f"file://{folder}")
        async with server() as url:
            provider = Provider("openai-compatible", "openai", url, SecretStr("sk-benchmark-0001"))
            registry = bootstrap(
                live=Live([provider], Spending(objects, Quota()), Rationales(Records(objects)), wall_clock)
            )
            floor = await bare_calls(url, calls)
            live = await live_calls(objects, registry, calls)
            await registry.close()
        offline = await offline_round(objects, competitors)
        return {"competitors": competitors, "offline": offline, "call": live, "floor": floor}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--competitors", type=int, default=200)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
    found = asyncio.run(measure(given.competitors, given.calls))
    print(json.dumps(found))
    call, floor, offline = found["call"], found["floor"], found["offline"]
    assert isinstance(call, dict)
    assert isinstance(floor, dict)
    assert isinstance(offline, dict)
    print(
        f"{given.competitors} offline competitors: signals out in {offline['signals_out_s']:.2f} s; a call costs "
        f"{call['p50_ms'] - floor['p50_ms']:.1f} ms more than the bare one ({call['cpu_ms']:.1f} ms of CPU)"
    )


if __name__ == "__main__":
    main()
