"""The stream: a snapshot, then numbered deltas, conflated; a ring of the last ones lets a reader go on.

`seq` counts frames that change something. The board always stands exactly at `seq`: what is offered waits until the
next frame tells it, so a snapshot and the deltas after it never say anything twice.
"""

from collections import deque
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from contracts.competition import SeasonChanged
from contracts.portfolios import PortfolioUpdated

from dashboard_api.core.board import Board, Shows
from dashboard_api.core.changes import Change, rfc3339, written


class Frame(NamedTuple):
    seq: int
    text: str


class Feed:
    def __init__(self, epoch: str, *, shows: Shows, ring: int = 2_000) -> None:
        self.epoch, self.board, self.seq = epoch, Board(shows), 0
        self._ring: deque[Frame] = deque(maxlen=ring)
        self._pending: dict[Hashable, Change] = {}
        self._offered = 0
        self._portfolio_seq: dict[tuple[str, str], int] = {}

    @property
    def pending(self) -> int:
        return len(self._pending)

    def offer(self, change: Change) -> None:
        """To be told in the next frame, in order; where changes conflate, at the place of the last."""
        if isinstance(change.data, PortfolioUpdated) and not self._is_news(change.data):
            return
        self._offered += 1
        token = change.replaces or self._offered
        self._pending.pop(token, None)
        self._pending[token] = change

    def absorb(self) -> None:
        """What was offered is history: on the board, told to nobody."""
        changes = self.take()
        self._begin(changes)
        for change in changes:
            if self._may_show(change):
                self.board.put(change)

    def take(self) -> Sequence[Change]:
        """What the next frame will tell."""
        changes = list(self._pending.values())
        self._pending.clear()
        return changes

    def frame(self, changes: Sequence[Change], sent_at: str, health: str = "null") -> Frame | None:
        """The next frame; none where nothing is to be told. A season that takes over begins with a snapshot."""
        began = self._begin(changes)
        changes = [change for change in changes if self._may_show(change)]
        if not changes:
            return None
        self.seq += 1
        for change in changes:
            self.board.put(change)
        if began:
            return Frame(self.seq, self.snapshot(sent_at, health))
        frame = Frame(self.seq, self._delta(changes, sent_at))
        self._ring.append(frame)
        return frame

    def resume(self, since: int, epoch: str) -> Sequence[str] | None:
        """The deltas after `since`; None where they are no longer all here, or never were."""
        first = self._ring[0].seq if self._ring else self.seq + 1
        if epoch != self.epoch or not first - 1 <= since <= self.seq:
            return None
        return [frame.text for frame in self._ring if frame.seq > since]

    def snapshot(self, sent_at: str, health: str = "null") -> str:
        data = f'{{{self.board.snapshot()},"health":{health}}}'
        at = f'"{rfc3339(self.board.at)}"' if self.board.at else "null"
        head = f'"type":"snapshot","seq":{self.seq},"epoch":"{self.epoch}","sent_at":"{sent_at}","at":{at}'
        return f'{{{head},"data":{data}}}'

    def resumed(self, since: int, sent_at: str) -> str:
        return f'{{"type":"resumed","seq":{since},"epoch":"{self.epoch}","sent_at":"{sent_at}","resumed":true}}'

    def heartbeat(self, sent_at: str, health: str = "null") -> str:
        return f'{{"type":"heartbeat","seq":{self.seq},"sent_at":"{sent_at}","health":{health}}}'

    def _is_news(self, portfolio: PortfolioUpdated) -> bool:
        whose = portfolio.season_id, portfolio.competitor_id
        known = self._portfolio_seq.get(whose, -1)
        self._portfolio_seq[whose] = max(known, portfolio.seq)
        return portfolio.seq > known

    def _may_show(self, change: Change) -> bool:
        if isinstance(change.data, SeasonChanged):
            return self.board.succeeds(change.data)
        return self.board.belongs(change.season_id)

    def _begin(self, changes: Sequence[Change]) -> bool:
        """Whether another season takes over: of the old one only the marks stay."""
        for change in changes:
            season = change.data
            if not isinstance(season, SeasonChanged) or self.board.belongs(season.season_id):
                continue
            if self.board.succeeds(season):
                self.board = self.board.next(season)
                self._ring.clear()
                return True
        return False

    def _delta(self, changes: Sequence[Change], sent_at: str) -> str:
        at = rfc3339(max(change.at for change in changes))
        told = ",".join(map(written, changes))
        return f'{{"type":"delta","seq":{self.seq},"sent_at":"{sent_at}","at":"{at}","changes":[{told}]}}'
