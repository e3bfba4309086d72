"""Why a competitor opened what it holds, in its own words, from its stored answers; shown back to it."""

from collections.abc import Mapping

from signal_runtime.core.errors import BadReply
from signal_runtime.core.prompt import Rationale, opening_rounds, rationale
from signal_runtime.core.reply import parse_reply
from signal_runtime.core.view import View
from signal_runtime.records import Records

REMEMBERED_MAX = 10_000


class Rationales:
    def __init__(self, records: Records) -> None:
        self._records = records
        self._known: dict[tuple[str, str, str, int], Rationale | None] = {}

    async def of(self, view: View) -> Mapping[str, Rationale]:
        """By instrument; a position whose reason is not found is left out."""
        found = {name: await self._of(view, name, opened) for name, opened in opening_rounds(view).items()}
        return {name: reason for name, reason in found.items() if reason is not None}

    async def _of(self, view: View, instrument: str, opened: int) -> Rationale | None:
        key = (view.season.season_id, view.competitor.competitor_id, instrument, opened)
        if key not in self._known:
            if len(self._known) >= REMEMBERED_MAX:
                self._known.clear()
            self._known[key] = _said(view, instrument, opened, await self._records.text(view.request, opened))
        return self._known[key]


def _said(view: View, instrument: str, opened: int, text: str | None) -> Rationale | None:
    spec = view.specs.get(instrument)
    try:
        return rationale(parse_reply(text), spec.base, opened) if text and spec else None
    except BadReply:
        return None
