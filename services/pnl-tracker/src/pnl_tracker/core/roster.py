"""Which seasons there are, who competes in them, and when their rounds open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.competition import SeasonChanged


@dataclass(frozen=True, slots=True)
class Roster:
    """The part of the competition that one unit keeps the books of."""

    seasons: Mapping[str, SeasonChanged] = field(default_factory=dict)
    active: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Season to its active competitors."""

    @property
    def ends(self) -> list[datetime]:
        return [season.ends_at for season in self.seasons.values() if season.ends_at is not None]


def last_round_opened(season: SeasonChanged, at: datetime) -> int:
    """The last round that opens at or before `at`; 0 where none has."""
    if at < season.starts_at:
        return 0
    number = season.round_opening_after(at)
    if number is not None:
        return number - 1
    # The season's last round opens strictly before its end.
    assert season.ends_at is not None
    elapsed = (min(at, season.ends_at) - season.starts_at).total_seconds()
    number = int(elapsed // season.rules.cadence_s) + 1
    return number if season.opened_at(number) < season.ends_at else number - 1
