"""What each competitor has spent, one small object in the store: `usage/<season>/<competitor>.json`.

It is written before a call (with the most that the call can take) and after it (with what it took), so that neither a
restart nor another process forgets. A competitor's requests are answered one after the other, by one process.
"""

from datetime import date
from decimal import Decimal

from chassis.objects import ObjectStore
from contracts.base import Model
from contracts.canonical import canonical_bytes
from contracts.competition import DecisionRequested
from contracts.types import Count, UsdSize

from signal_runtime.core.quotas import Exceeded, Quota, Spent, Usage, reserved, settled


class _Spent(Model):
    calls: Count = 0
    tokens: Count = 0
    usd: UsdSize = Decimal(0)

    def spent(self) -> Spent:
        return Spent(self.calls, self.tokens, self.usd)


class _Usage(Model):
    day: date | None = None
    today: _Spent = _Spent()
    season: _Spent = _Spent()


class Spending:
    def __init__(self, objects: ObjectStore, quota: Quota) -> None:
        self._objects, self._quota = objects, quota

    async def reserve(self, request: DecisionRequested, most: Spent, on: date) -> Exceeded | None:
        found = reserved(await self._usage(request), self._quota, most, on)
        if isinstance(found, Exceeded):
            return found
        await self._keep(request, found)
        return None

    async def settle(self, request: DecisionRequested, most: Spent, took: Spent, on: date) -> None:
        await self._keep(request, settled(await self._usage(request), most, took, on))

    async def _usage(self, request: DecisionRequested) -> Usage:
        data = await self._objects.get(_path(request))
        if data is None:
            return Usage()
        kept = _Usage.model_validate_json(data)
        return Usage(kept.day, kept.today.spent(), kept.season.spent())

    async def _keep(self, request: DecisionRequested, usage: Usage) -> None:
        kept = _Usage(day=usage.day, today=_spent(usage.today), season=_spent(usage.season))
        await self._objects.put(_path(request), canonical_bytes(kept.model_dump(mode="json")))


def _spent(spent: Spent) -> _Spent:
    """Never below nothing: a provider may count more tokens than were reserved, and a day may end in between."""
    return _Spent(calls=max(spent.calls, 0), tokens=max(spent.tokens, 0), usd=max(spent.usd, Decimal(0)))


def _path(request: DecisionRequested) -> str:
    return f"usage/{request.season_id}/{request.competitor_id}.json"
