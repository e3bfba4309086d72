"""What rendering one prompt costs: six instruments with full series, six open positions, ten news items.

The market's tables are written for a round's first competitor and kept for the others. The floor beside it: `str` of
as many decimals as stand in the tables. CPU time, the best of five turns.
"""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from contracts.market import NewsItem
from contracts.signals import ExitPlan
from signal_runtime.core.prompt import PromptTerms, Rationale, render
from signal_runtime.core.view import View
from signal_runtime.testing import START, market, position, series, spec, view

COINS = ("BTC", "ETH", "SOL", "BNB", "XRP", "DOGE")
NAMES = tuple(f"{coin}-USDT-PERP" for coin in COINS)
TURNS, RENDERED, POINTS = 5, 100, 10
COLUMNS = ("close", "volume", "ema20", "ema50", "macd", "rsi7", "rsi14", "atr3", "atr14")
LIMIT_MS = 3.0


def full_view() -> View:
    """Every field of a snapshot is there; indicators have the seventeen digits of a float."""
    values = {name: [f"1000.{index}2345678901234" for index in range(POINTS)] for name in COLUMNS}
    markets = [
        market(name, **values).model_copy(update={"context": series("4h", **values)})  # type: ignore[arg-type]
        for name in NAMES
    ]
    plan = ExitPlan(take_profit=Decimal(1100), stop_loss=Decimal(950), invalidation="a 3-minute bar closes below 960")
    held = [position("1.5", name).model_copy(update={"exit_plan": plan}) for name in NAMES]
    made = view(*markets, held=held, instruments=NAMES)
    news = tuple(
        NewsItem(at=START + timedelta(minutes=index), source="synthetic", headline="Something happened. " * 7)
        for index in range(10)
    )
    snapshot = made.snapshot.model_copy(update={"news": news})
    return View(
        made.request, made.season, made.competitor, snapshot, made.portfolio, {name: spec(name) for name in NAMES}
    )


def terms() -> PromptTerms:
    return PromptTerms(rationales={name: Rationale(1, "The trend is up. " * 20, Decimal("0.6")) for name in NAMES})


def measured() -> dict[str, float]:
    shown, asked = full_view(), terms()
    numbers = [Decimal(f"1000.{index}") for index in range(len(COINS) * 2 * POINTS * len(COLUMNS))]
    render(shown, asked)
    next_ms = min(_cpu_ms(lambda: render(shown, asked)) for _ in range(TURNS))
    fresh = iter([full_view() for _ in range(TURNS * RENDERED)])
    first_ms = min(_cpu_ms(lambda: render(next(fresh), asked)) for _ in range(TURNS))
    floor = min(_cpu_ms(lambda: [str(number) for number in numbers]) for _ in range(TURNS))
    prompt = render(shown, asked)
    return {
        "first_of_a_round_ms": first_ms, "each_further_ms": next_ms, "floor_ms": floor, "limit_ms": LIMIT_MS,
        "characters": len(prompt.system) + len(prompt.user), "estimated_tokens": prompt.estimated_tokens,
    }  # fmt: skip


def _cpu_ms(do: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(RENDERED):
        do()
    return (time.process_time() - began) / RENDERED * 1_000


if __name__ == "__main__":
    figures = measured()
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
    print(f"a round's first prompt takes {figures['first_of_a_round_ms'] / LIMIT_MS:.2f} of its {LIMIT_MS:.0f} ms")
