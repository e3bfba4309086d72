"""One competitor's turn to answer: how long there is, and each call to its provider, kept before it is made use of."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from contracts.base import Model
from contracts.types import Count, Sha256, UsdSize
from pydantic import Field

from signal_runtime.core.retries import Outcome

Purpose = Literal["decision", "repair"]
Keep = Callable[[str, bytes], Awaitable[None]]
"""A file of the decision's folder."""
Figure = TypeVar("Figure", int, Decimal)


class Call(Model):
    """One call, as `reply.json` lists it. Its bytes are beside it: `call-<n>.request`, `call-<n>.reply`."""

    purpose: Purpose
    outcome: Outcome
    status: Annotated[int, Field(ge=100, le=999)] | None = None
    latency_ms: Count
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cost_usd: UsdSize | None = None
    """Null where price or tokens are unknown."""
    request_sha256: Sha256
    reply_sha256: Sha256 | None = None
    """Null: not a byte came."""

    @property
    def free(self) -> bool:
        """The provider said that it did nothing, or was never reached."""
        refused = self.outcome in ("rate_limited", "refused", "server_error")
        return refused or (self.outcome == "unreachable" and self.status is None)


@dataclass(slots=True)
class Turn:
    left_s: Callable[[], float]
    """Until the deadline."""
    keep: Keep
    calls: list[Call] = field(default_factory=list)
    text: str | None = None
    """The last text that came: it stands where a repair does not come in time."""
    _unkept: list[tuple[str, bytes]] = field(default_factory=list)

    def note(self, call: Call, request: bytes, reply: bytes) -> None:
        """A call is over; `flush` before anything is derived from it."""
        self.calls.append(call)
        number = len(self.calls)
        self._unkept.append((f"call-{number}.request", request))
        if reply:
            self._unkept.append((f"call-{number}.reply", reply))

    async def flush(self) -> None:
        unkept, self._unkept = self._unkept, []
        await asyncio.gather(*(self.keep(name, data) for name, data in unkept))

    def figures(self) -> dict[str, Any]:
        """Of all calls. A sum is null as soon as one of its figures is unknown, and where nothing was asked."""
        paid = [call for call in self.calls if not call.free]
        return {
            "calls": tuple(self.calls),
            "input_tokens": _sum([call.input_tokens for call in paid]),
            "output_tokens": _sum([call.output_tokens for call in paid]),
            "cost_usd": _sum([call.cost_usd for call in paid]),
        }


def _sum(figures: Sequence[Figure | None]) -> Figure | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known[1:], known[0]) if known and len(known) == len(figures) else None


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
