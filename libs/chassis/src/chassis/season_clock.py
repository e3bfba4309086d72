"""By which clock the seasons of a broker go: a broker carries one."""

from contracts.base import Event
from contracts.competition import Clock, SeasonChanged


class ClocksDiffer(RuntimeError):
    """Two seasons of different clocks on one broker, whose times mean different things: each needs a broker."""


class SeasonClock:
    """Learns from `competition.v1`; says None until a season is announced."""

    def __init__(self) -> None:
        self._season: SeasonChanged | None = None

    def learn(self, event: Event) -> None:
        if not isinstance(event, SeasonChanged):
            return
        known = self._season
        if known is not None and event.clock != known.clock:
            raise ClocksDiffer(f"{event.season_id} is {event.clock}, {known.season_id} is {known.clock}")
        self._season = event

    def __call__(self) -> Clock | None:
        return None if self._season is None else self._season.clock
