"""The demonstration says what it promises."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "scripts" / "risk_demo.py"


def demo(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_prints_a_price_rejection_a_breaker_trip_and_the_halt() -> None:
    printed = demo()

    assert "REJECTED  PRICE_OUT_OF_BAND: the limit price 1020.1 is above the highest price 1020" in printed
    assert (
        "HALTED    ann by equity_drop: equity fell by 6 % within 600 s; more than 5 % halts, until 2026-11-22T12:04:00Z"
    ) in printed
    assert "HALTED    ann by operator: a demonstration" in printed
    assert "REJECTED  TRADING_HALTED" in printed
    assert "RESUMED   ann (operator)" in printed
    assert "NOT AS EXPECTED" not in printed


def test_as_json_it_gives_every_step_with_its_numbers() -> None:
    told = json.loads(demo("--json"))
    events = [event for step in told["steps"] for event in step["events"]]

    assert told["passed"] is True
    assert [event["type"] for event in events] == [
        "order_approved", "signal_rejected", "trading_halted", "liquidation_ordered", "signal_rejected",
        "signal_rejected", "trading_resumed", "order_approved", "trading_halted", "signal_rejected", "order_approved",
        "trading_resumed", "order_approved",
    ]  # fmt: skip
    band, halt = events[1], events[2]
    # 1000 * 1.02; (10000 - 9400) / 10000
    assert (band["code"], band["value"], band["limit"]) == ("PRICE_OUT_OF_BAND", "1020.1", "1020")
    assert (halt["reason"], halt["value"], halt["limit"]) == ("equity_drop", "0.06", "0.05")
    assert [event["code"] for event in events if event["type"] == "signal_rejected"] == [
        "PRICE_OUT_OF_BAND", "BREAKER_TRIPPED", "BREAKER_TRIPPED", "TRADING_HALTED",
    ]  # fmt: skip
