"""The risk gate at work, on its own core: a price rejected, a breaker tripped, trading halted and resumed.

`python scripts/risk_demo.py [--json]`: exits with 0 when every step ended as it should.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.base import Event, named_id
from contracts.competition import Breaker
from contracts.control import HaltRequested, ResumeRequested
from contracts.orders import LiquidationOrdered, OrderApproved, SignalRejected, TradingHalted, TradingResumed
from risk_gate.core import ControlState, RiskGate, Standing, arena, matrix
from risk_gate.core.control import decide
from risk_gate.testing import D, at, facts_of, mark, of_round, portfolio, position, season

WHO = "ann"
RULES = season(
    price_band=None,
    breakers=[Breaker(kind="equity_drop", limit=D("0.05"), window_s=600, cooling_s=120, closes=True)],
)


@dataclass
class Demo:
    """One competitor of a season whose rounds open every minute; BTC trades at 1000."""

    standing: Standing = field(default_factory=Standing)
    control: ControlState = field(default_factory=ControlState)
    steps: list[dict[str, Any]] = field(default_factory=list)

    def round(
        self,
        step: str,
        number: int,
        *,
        expects: Sequence[type[Event]],
        equity: str = "10000",
        held: str = "",
        **said: Any,
    ) -> None:
        mine = portfolio(*([position(held)] if held else []), round=number, equity=D(equity))
        prices = mark(60 * (number - 1) + 29).model_copy(update={"index_price": D(1000)})
        given = facts_of(
            number, season=RULES, portfolio=mine, mark=prices, control=self.control, arena=arena([mine], 0)
        )
        events = RiskGate().decide(self.standing, of_round(number, competitor_id=WHO, **said), given)
        self.keep(step, events[:-1], expects)

    def operator(self, step: str, kind: Any, number: int, *, expects: Sequence[type[Event]]) -> None:
        order = kind(
            event_id=named_id("demo", number), at=at(60 * (number - 1)), season_id="s1", operator="operator",
            reason="a demonstration",
        )  # fmt: skip
        self.keep(step, decide(self.control, order, {WHO: []}), expects)

    def keep(self, step: str, events: Sequence[Any], expects: Sequence[type[Event]]) -> None:
        wanted = [kind.model_fields["type"].default for kind in expects]
        told = [event.model_dump(mode="json", exclude={"checks"}) for event in events]
        self.steps.append({"step": step, "as_expected": [each["type"] for each in told] == wanted, "events": told})


def play() -> list[dict[str, Any]]:
    demo = Demo()
    demo.round("an order within all limits", 1, expects=[OrderApproved], quantity="2")
    demo.round("a limit price outside the band", 2, expects=[SignalRejected], limit="1020.1", held="2")
    demo.round(
        "equity 6 % lower: the breaker trips and closes", 3, equity="9400", held="2",
        expects=[TradingHalted, LiquidationOrdered, SignalRejected],
    )  # fmt: skip
    demo.round("cooling", 4, equity="9400", expects=[SignalRejected])
    demo.round("cooled down: an order passes", 5, equity="9400", expects=[TradingResumed, OrderApproved])
    demo.operator("an operator halts the arena", HaltRequested, 6, expects=[TradingHalted])
    demo.round("halted: no new risk", 6, equity="9400", held="2", expects=[SignalRejected])
    demo.round(
        "halted: whoever wants out gets out", 7, equity="9400", held="2", action="close_position", quantity=None,
        expects=[OrderApproved],
    )  # fmt: skip
    demo.operator("the operator resumes it", ResumeRequested, 8, expects=[TradingResumed])
    demo.round("resumed: an order passes", 8, equity="9400", expects=[OrderApproved])
    return demo.steps


def said(event: dict[str, Any]) -> str:
    match event["type"]:
        case "order_approved":
            only = " (reduces only)" if event["reduce_only"] else ""
            band = f"band {event['price_min']} to {event['price_max']}"
            return f"APPROVED  {event['side']} {event['quantity']} {event['instrument']}{only}, {band}"
        case "signal_rejected":
            return f"REJECTED  {event['code']}: {event['detail']}"
        case "trading_halted":
            until = f", until {event['until']}" if event["until"] else ""
            return f"HALTED    {event['competitor_id']} by {event['reason']}: {event['detail']}{until}"
        case "trading_resumed":
            return f"RESUMED   {event['competitor_id']} ({event['reason']})"
        case _:
            return f"CLOSE     {event['side']} {event['quantity']} {event['instrument']} ({event['reason']})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="every step with its events, as one JSON document")
    as_json = parser.parse_args().json
    steps = play()
    passed = all(step["as_expected"] for step in steps)
    if as_json:
        print(json.dumps({"passed": passed, "steps": steps}, indent=2))
        return 0 if passed else 1
    for number, step in enumerate(steps, 1):
        print(f"{number}. {step['step']}" + ("" if step["as_expected"] else "   NOT AS EXPECTED"))
        print(*(f"   {said(event)}" for event in step["events"]), sep="\n")
    print("\nThe exposure of two competitors:")
    print(matrix([portfolio(position("2")), portfolio(position("-1.5"), competitor="bob")]))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
