"""Sample signals of every registered model, for one small market made by hand.

`python scripts/signal_demo.py [--json] [--within SECONDS] [--model PROVIDER=ID …]`. Keys and addresses are read from
the environment as the service reads them (SIGNAL_RUNTIME_DEEPSEEK_API_KEY, or …_FILE): a provider with one is asked
for real, and costs what it costs; without one its competitor is answered offline, as the output says. Exits with 0
whatever the models answer: no answer is a DecisionMissed with its reason.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis.objects import ObjectStore
from contracts.competition import CompetitorRegistered
from contracts.signals import Attempt, DecisionMissed, SignalProposed
from signal_runtime.adapters.enrol import Live
from signal_runtime.adapters.providers import providers_of
from signal_runtime.adapters.spending import Spending
from signal_runtime.models import bootstrap
from signal_runtime.rationales import Rationales
from signal_runtime.records import Records
from signal_runtime.registry import Registry
from signal_runtime.runtime import SignalRuntime, wall_clock
from signal_runtime.settings import Settings
from signal_runtime.testing import BTC, ETH, competitor, market, request
from signal_runtime.testing_inputs import Given

PINNED = {
    "deepseek": "deepseek-v4-flash",
    "qwen": "qwen3-max",
    "openai": "gpt-6-luna",
    "anthropic": "claude-haiku-5-5",
    "openai-compatible": "local",
}
MARKETS = (
    market(
        BTC, close=[str(990 + n) for n in range(10)], ema20=["995"], ema50=["985"], macd=["1"], rsi7=["64"],
        rsi14=["58", "61"], atr14=["4"],
    ),
    market(
        ETH, close=[str(1010 - n) for n in range(10)], ema20=["1003"], ema50=["1004"], macd=["-0.4"], rsi7=["24"],
        rsi14=["31", "29"], atr14=["4"],
    ),
)  # fmt: skip


def entrants(registry: Registry, pinned: dict[str, str]) -> Sequence[CompetitorRegistered]:
    def entrant(name: str) -> CompetitorRegistered:
        parameters = {"model": pinned[name]} if name in pinned else {}
        return competitor(name.replace("_", "-"), name).model_copy(update={"parameters": parameters})

    return [entrant(name) for name in registry.names()]


async def run(pinned: dict[str, str], within_s: float) -> dict[str, Any]:
    settings, objects = Settings(), ObjectStore("memory://signal-demo")
    live = Live(providers_of(settings), Spending(objects, settings.quota), Rationales(Records(objects)), wall_clock)
    registry = bootstrap(live=live)
    entered = entrants(registry, pinned)
    runtime = SignalRuntime(Given(*entered, markets=MARKETS), registry, Records(objects))
    requests = [
        request(entry.competitor_id).model_copy(
            update={"deadline": request().at + timedelta(seconds=within_s), "event_id": UUID(int=1_000 + number)}
        )
        for number, entry in enumerate(entered)
    ]
    names = {entry.competitor_id: entry.model for entry in entered}
    answers = {each["name"]: each["answers"] for each in registry.described()}
    said = {names[parts[0].competitor_id]: parts async for parts in runtime.batch_generate(requests)}
    await registry.close()
    return {"models": [{"model": name, "answers": answers[name], **told(said[name])} for name in registry.names()]}


def told(events: Sequence[SignalProposed] | Sequence[DecisionMissed]) -> dict[str, Any]:
    attempt = events[0].attempt
    figures = _figures(attempt) if attempt else {}
    first = events[0]
    if isinstance(first, DecisionMissed):
        return {"event": first.type, "reason": first.reason, "detail": first.detail, **figures}
    signals = [_signal(part) for part in events if isinstance(part, SignalProposed)]
    return {"event": first.type, "signals": signals, **figures}


def _figures(attempt: Attempt) -> dict[str, Any]:
    kept = {"model", "offline", "latency_ms", "attempts", "input_tokens", "output_tokens", "cost_usd"}
    return {"attempt": attempt.model_dump(mode="json", include=kept)}


def _signal(part: SignalProposed) -> dict[str, Any]:
    kept = {"action", "instrument", "quantity", "leverage", "exit_plan", "confidence", "justification"}
    return part.model_dump(mode="json", include=kept, exclude_none=True)


def show(found: dict[str, Any]) -> None:
    for each in found["models"]:
        attempt = each["attempt"]
        how = {
            "computed": "computed",
            "offline": f"OFFLINE, {attempt['model']} stands in",
            "live": f"LIVE, {attempt['model']} in {attempt['latency_ms']} ms, {attempt['cost_usd'] or 'unknown'} USD",
        }
        print(f"{each['model']} [{how[each['answers']]}]")
        if each["event"] == "decision_missed":
            print(f"  missed: {each['reason']} ({each['detail']})")
        for part in each.get("signals", ()):
            size = f" {part['quantity']} at {part['leverage']}x" if "quantity" in part and "leverage" in part else ""
            print(f"  {part['action']} {part.get('instrument', 'everything')}{size}: {part['justification']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    parser.add_argument("--within", type=float, default=30.0, metavar="SECONDS", help="the deadline (default: 30)")
    parser.add_argument("--model", action="append", default=[], metavar="PROVIDER=ID", help="another pinned model")
    given = parser.parse_args()
    pinned = PINNED | dict(each.split("=", 1) for each in given.model)
    found = asyncio.run(run(pinned, given.within))
    if given.json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        show(found)


if __name__ == "__main__":
    main()
