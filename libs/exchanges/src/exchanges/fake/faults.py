"""What goes wrong, and when: scripted one by one, or drawn from a seed."""

import random
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

Op = Literal["place", "cancel", "order", "open", "closed", "trades", "holdings", "time"]
Kind = Literal[
    "lose_answer",  # carried out; the connection is cut instead of an answer
    "drop",  # not carried out; the connection is cut
    "error_after",  # carried out; 503
    "error_before",  # not carried out; 503
    "garbage",  # carried out; an answer that cannot be read
    "late_answer",  # carried out; the answer comes after `seconds`
    "late_arrival",  # the request comes in after `seconds`
    "throttle",  # 429 with Retry-After: `seconds`
    "ban",  # 418 and silence for `seconds`; it also comes by itself when a 429 is not heeded
    "hide",  # carried out, the answer is lost, and the venue's own lists do not show the order for `seconds`
    "reject",  # a structured no
    "stale_view",  # for `seconds` the order's views are as they were before its next trades
    "race",  # a cancel: what rests is filled in the same moment, and the answer says cancelled
    "silent_stream",  # nothing is sent for `seconds`, the connection stays
    "gap",  # what the streams should have said within `seconds` is never said
    "cut_streams",  # all streams are closed
    "double_trades",  # each trade is told twice from now on, for `seconds`
]
OF_ORDERS: Sequence[Kind] = (
    "lose_answer", "drop", "error_after", "error_before", "garbage", "late_answer", "late_arrival", "hide", "stale_view"
)  # fmt: skip
OF_STREAMS: Sequence[Kind] = ("silent_stream", "gap", "cut_streams", "double_trades")


class Fault(BaseModel):
    op: Op = "place"
    kind: Kind
    seconds: float = 0.0
    times: int = 1


class Faults:
    """The first fault of an operation that is not used up is the one that happens."""

    def __init__(self, seed: int | None = None, share: float = 0.3, seconds: float = 0.5) -> None:
        self._script: list[Fault] = []
        self._chance = random.Random(seed) if seed is not None else None
        self._share, self._seconds = share, seconds

    def add(self, fault: Fault) -> None:
        self._script.append(fault)

    def clear(self) -> None:
        """From now on it behaves."""
        self._script.clear()
        self._chance = None

    def next(self, op: Op) -> Fault | None:
        for fault in self._script:
            if fault.op == op and fault.times > 0:
                fault.times -= 1
                return fault
        return self._drawn(op)

    def _drawn(self, op: Op) -> Fault | None:
        if self._chance is None or self._chance.random() >= self._share:
            return None
        if op == "place":
            kind = self._chance.choice([*OF_ORDERS, *OF_STREAMS, "throttle"])
        elif op == "cancel":
            kind = self._chance.choice(["lose_answer", "drop", "error_after", "race", "late_answer"])
        else:
            kind = self._chance.choice(["drop", "error_before", "late_answer"])
        return Fault(op=op, kind=kind, seconds=self._chance.uniform(0.05, self._seconds))
