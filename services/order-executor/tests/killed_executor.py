"""The executor of an outside venue as a process that dies at a named point, once for each line it reads.

The parent has imported everything and forks a child a life: `exchange.after_place:2`, or `none` for one that ends when
it is told to. It answers with the child's exit status.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from chassis.crash_points import arm
from chassis.publish import Out
from chassis.service import serve, timed_app
from chassis.testing import contract
from contracts.base import Event
from order_executor.core import Terms
from order_executor.exchange.side import ExchangeSide
from order_executor.exchange.testing import quick
from order_executor.executors import Executors
from order_executor.handlers import PaperVenue
from starlette.applications import Starlette


class Elsewhere(Executors):
    """Says what it says into the topic of this test."""

    def __init__(self, out: str, side: ExchangeSide) -> None:
        super().__init__(PaperVenue(Terms()), side.venue, ["s1"])
        self._out, self.watermark_topic = out, None

    def own(self, partition: int, event: Any) -> Sequence[Event | Out]:
        return self._told(super().own(partition, event))

    def heard(self, partition: int) -> Any:
        told = super().heard(partition)
        return None if told is None else self._told(told)

    def _told(self, events: Sequence[Event | Out]) -> Sequence[Out]:
        return [Out(event, self._out) for event in events if isinstance(event, Event)]


def create_app(told: dict[str, Any]) -> Starlette:
    for name, like in told["contracts"].items():
        contract(name, like)
    settings = quick(
        told["exchange"], kafka=told["kafka"], postgres=told["postgres"], exchange_window_s=2, exchange_answer_s=2,
        exchange_visible_s=0.5, exchange_silent_s=3, exchange_valid_s=120,
    )  # fmt: skip
    side = ExchangeSide(settings)
    return timed_app(
        told["service"], settings, own_topic=told["reads"], market_topics=[told["market"]],
        stage=Elsewhere(told["says"], side), clock=lambda: "live", background=[side.open],
    )  # fmt: skip


def main() -> None:
    told = json.loads(sys.argv[1])
    child = 0
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            arm(line.strip().removeprefix("none"))
            serve(lambda: create_app(told))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
