"""Why a competitor opened what it holds, in its own words, from its stored answer of that round.

Shown back to it, so that it does not argue against itself. A limit order may fill rounds after it was decided: a few
rounds are looked back on.
"""

from collections.abc import Mapping

from contracts.competition import DecisionRequested, SeasonChanged
from contracts.portfolios import PositionView

from signal_runtime.core.errors import BadReply
from signal_runtime.core.prompt import Rationale
from signal_runtime.core.reply import parse_reply
from signal_runtime.core.signals import instrument_of
from signal_runtime.core.view import View
from signal_runtime.records import Records

LOOK_BACK_MAX = 20
REMEMBERED_MAX = 10_000


class Rationales:
    def __init__(self, records: Records) -> None:
        self._records = records
        self._known: dict[tuple[str, str, str, int], Rationale | None] = {}

    async def of(self, view: View) -> Mapping[str, Rationale]:
        """By instrument; a position whose reason is not found is left out."""
        found = {name: await self._of(view, position) for name, position in view.positions.items()}
        return {name: rationale for name, rationale in found.items() if rationale is not None}

    async def _of(self, view: View, position: PositionView) -> Rationale | None:
        if position.opened_at is None:
            return None
        opened = opened_in(view.season, position)
        key = (view.season.season_id, view.competitor.competitor_id, position.instrument, opened)
        if key not in self._known:
            if len(self._known) >= REMEMBERED_MAX:
                self._known.clear()
            self._known[key] = await self._found(view, position.instrument, opened)
        return self._known[key]

    async def _found(self, view: View, instrument: str, opened: int) -> Rationale | None:
        for number in range(opened, max(opened - LOOK_BACK_MAX, 0), -1):
            text = await self._records.text(view.request, number)
            if text and (rationale := _entry(view, text, instrument, number)) is not None:
                return rationale
        return None


def opened_in(season: SeasonChanged, position: PositionView) -> int:
    """The last round that had opened when the position did."""
    assert position.opened_at is not None
    return max(int((position.opened_at - season.starts_at).total_seconds()) // season.rules.cadence_s + 1, 1)


def _entry(view: View, text: str, instrument: str, number: int) -> Rationale | None:
    try:
        decision = parse_reply(text)
    except BadReply:
        return None
    for coin in decision.coins:
        entered = coin.signal in ("buy_to_enter", "sell_to_enter")
        if entered and instrument_of(coin.coin, view.season, view.specs) == instrument:
            return Rationale(number, coin.justification, coin.confidence, coin.risk_usd)
    return None
