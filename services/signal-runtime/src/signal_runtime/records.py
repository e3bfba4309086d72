"""Requests and replies as they were, kept before anything is derived from them. One folder a decision:

    decisions/<season>/<competitor>/<round, 8 digits>/request.json    what the model was asked
    decisions/<season>/<competitor>/<round, 8 digits>/call-1.request  the first call to its provider, as it was sent
    decisions/<season>/<competitor>/<round, 8 digits>/call-1.reply    what came back, byte by byte
    decisions/<season>/<competitor>/<round, 8 digits>/reply.json      what it said, or why it said nothing; its calls
    snapshots/<season>/<round, 8 digits>.json                         the snapshot's canonical bytes, once for all

The SHA-256 in the event is that of the object's bytes.
"""

from typing import Annotated
from uuid import UUID

from chassis.objects import ObjectStore
from contracts.base import Model
from contracts.canonical import canonical_bytes, snapshot_bytes
from contracts.competition import DecisionRequested
from contracts.market import MarketSnapshot
from contracts.signals import Attempt, MissReason
from contracts.types import Count, Sha256, Time, UsdSize
from pydantic import Field

from signal_runtime.core.view import View
from signal_runtime.turn import Call, sha256_of


class Answer(Model):
    """What `reply.json` holds. Without text the reason says why."""

    request_id: UUID
    snapshot_sha256: Sha256
    model: str
    offline: bool
    at: Time
    """Arena time at which it was there."""
    latency_ms: Count
    calls: Annotated[tuple[Call, ...], Field(max_length=100)] = ()
    """To its provider, in their order; none where it asks nobody."""
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cost_usd: UsdSize | None = None
    request_sha256: Sha256 | None = None
    """Null where it was never asked."""
    text: str | None = None
    missed: MissReason | None = None
    detail: str = ""


class Kept(Model):
    """An answer that is in the store."""

    answer: Answer
    sha256: Sha256
    folder: str

    def attempt(self) -> Attempt:
        answer = self.answer
        return Attempt(
            model=answer.model,
            offline=answer.offline,
            latency_ms=answer.latency_ms,
            attempts=max(len(answer.calls), 1),
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            cost_usd=answer.cost_usd,
            prompt_sha256=answer.request_sha256,
            reply_sha256=self.sha256,
            record=self.folder,
        )


class Records:
    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._snapshot_kept = ""

    async def answer(self, request: DecisionRequested) -> Kept | None:
        """The answer to this very request; one that an earlier arena left under the same name is none."""
        folder = _folder(request)
        data = await self._objects.get(f"{folder}/reply.json")
        if data is None:
            return None
        answer = Answer.model_validate_json(data)
        same = (answer.request_id, answer.snapshot_sha256) == (request.event_id, request.snapshot_sha256)
        return Kept(answer=answer, sha256=sha256_of(data), folder=folder) if same else None

    async def keep_request(self, view: View) -> str:
        """Returns its SHA-256."""
        data = request_bytes(view)
        await self._keep_snapshot(view.snapshot)
        await self._objects.put(f"{_folder(view.request)}/request.json", data)
        return sha256_of(data)

    async def text(self, request: DecisionRequested, number: int) -> str | None:
        """What the competitor of the request said in round `number`; None where it said nothing."""
        data = await self._objects.get(f"{_folder(request, number)}/reply.json")
        return None if data is None else Answer.model_validate_json(data).text

    async def keep_file(self, request: DecisionRequested, name: str, data: bytes) -> None:
        await self._objects.put(f"{_folder(request)}/{name}", data)

    async def keep_answer(self, request: DecisionRequested, answer: Answer) -> Kept:
        """The first answer stays: where another worker has given one meanwhile, that is the answer."""
        data = canonical_bytes(answer.model_dump(mode="json"))
        folder = _folder(request)
        if not await self._objects.put_new(f"{folder}/reply.json", data):
            if (kept := await self.answer(request)) is not None:
                return kept
            await self._objects.put(f"{folder}/reply.json", data)  # an earlier arena's was there
        return Kept(answer=answer, sha256=sha256_of(data), folder=folder)

    async def _keep_snapshot(self, snapshot: MarketSnapshot) -> None:
        if self._snapshot_kept != snapshot.sha256:
            self._snapshot_kept = snapshot.sha256
            await self._objects.put(_snapshot_path(snapshot), snapshot_bytes(snapshot))


def request_bytes(view: View) -> bytes:
    """All that the answer follows from; the snapshot, the same for everyone, by its path and hash."""
    return canonical_bytes(
        {
            "request": view.request.model_dump(mode="json"),
            "competitor": view.competitor.model_dump(mode="json"),
            "season": view.season.model_dump(mode="json"),
            "portfolio": view.portfolio.model_dump(mode="json"),
            "snapshot": {"path": _snapshot_path(view.snapshot), "sha256": view.snapshot.sha256},
        }
    )


def _folder(request: DecisionRequested, number: int | None = None) -> str:
    return f"decisions/{request.season_id}/{request.competitor_id}/{number or request.round:08d}"


def _snapshot_path(snapshot: MarketSnapshot) -> str:
    return f"snapshots/{snapshot.season_id}/{snapshot.round:08d}.json"
