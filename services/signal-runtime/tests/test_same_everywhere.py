"""The same snapshot and seed: the same prompt, the same answer of every model without a provider, in every process."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from signal_runtime.core.decision import write_reply
from signal_runtime.core.models import baselines, hedge, mean_reversion, momentum, offline_llm, trend
from signal_runtime.core.prompt import PromptTerms, Rationale, render
from signal_runtime.core.view import View
from signal_runtime.testing import BTC, ETH, market, position, view

WARM: dict[str, Any] = {
    "close": [str(990 + n * n % 7) for n in range(10)], "volume": ["1.5"] * 10, "ema20": ["1003"], "ema50": ["1000"],
    "macd": ["1"], "rsi7": ["72"], "rsi14": ["31", "29"], "atr3": ["3"], "atr14": ["2"],
}  # fmt: skip
QUANTS: tuple[tuple[Any, Any], ...] = (
    (momentum.decide, momentum.Parameters()),
    (mean_reversion.decide, mean_reversion.Parameters()),
    (trend.decide, trend.Parameters()),
    (hedge.decide, hedge.Parameters()),
    (baselines.buy_and_hold, baselines.BuyAndHold()),
    (baselines.random, baselines.Random()),
)


def views() -> list[View]:
    """Ten rounds, flat and with positions: dice fall differently in each."""
    held = [position("1"), position("-2", ETH)]
    return [view(market(**WARM), market(ETH, **WARM), held=held[: n % 3], number=n) for n in range(1, 11)]


def answers() -> list[str]:
    shown = views()
    said = [write_reply(decide(parameters, each)) for decide, parameters in QUANTS for each in shown]
    said += [offline_llm.reply(offline_llm.Parameters(name), each) for name in offline_llm.PERSONAS for each in shown]
    why = {BTC: Rationale(1, "Up."), ETH: Rationale(2, "Down.")}
    terms = [PromptTerms(language=language, rationales=why) for language in ("en", "zh")]
    return said + [render(each, of).system + render(each, of).user for of in terms for each in shown]


def digest() -> str:
    return hashlib.sha256("\0".join(answers()).encode()).hexdigest()


def test_answers_and_prompts_do_not_depend_on_the_process() -> None:
    folder, name = str(Path(__file__).parent), Path(__file__).stem
    program = f"import sys; sys.path.insert(0, {folder!r}); import {name} as t; print(t.digest())"

    for seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert ran.stdout.strip() == digest()


def test_it_is_the_round_that_the_dice_follow() -> None:
    assert len({baselines.random(baselines.Random(), each) for each in views()}) > 1
