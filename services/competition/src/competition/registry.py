"""A season file as events: the same file and start give the same events, ids included."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from contracts.base import Event, named_id
from contracts.canonical import content_sha256
from contracts.competition import CompetitorRegistered, PhaseChanged, RulesFrozen, SeasonChanged, SeasonRules

from competition.season_file import Competitor, SeasonFile, parameters_bytes

HUES = 12


class Frozen(ValueError):
    """The season was announced otherwise: what competitors agreed to does not change under them."""


def announcements(file: SeasonFile, starts_at: datetime) -> list[Event]:
    """What `competition.v1` says of the season from its start on, the season itself first."""
    season = season_changed(file, starts_at)
    frozen = RulesFrozen(
        event_id=named_id("rules", file.season_id),
        at=starts_at,
        season_id=file.season_id,
        rules_sha256=season.rules_sha256,
    )
    phase = PhaseChanged(
        event_id=named_id("phase", file.season_id, "official"),
        at=starts_at,
        season_id=file.season_id,
        phase="official",
    )
    return [season, frozen, *_registered(file, starts_at), phase]


def season_changed(file: SeasonFile, starts_at: datetime) -> SeasonChanged:
    rules = SeasonRules(**{name: getattr(file.rules, name) for name in SeasonRules.model_fields})
    return SeasonChanged(
        event_id=named_id("season", file.season_id),
        at=starts_at,
        season_id=file.season_id,
        name=file.name,
        venue=file.venue,
        clock=file.clock,
        starts_at=starts_at,
        ends_at=file.ends_at,
        rules=rules,
        rules_sha256=content_sha256(rules),
    )


def hues(competitors: Sequence[Competitor]) -> list[int]:
    """Each its own colour while there are any left, then each colour as often as any other."""
    used = [0] * HUES
    for entry in competitors:
        if entry.hue is not None:
            used[entry.hue] += 1
    assigned = []
    for entry in competitors:
        hue = entry.hue
        if hue is None:
            hue = used.index(min(used))
            used[hue] += 1
        assigned.append(hue)
    return assigned


def _registered(file: SeasonFile, starts_at: datetime) -> list[CompetitorRegistered]:
    return [
        CompetitorRegistered(
            event_id=named_id("competitor", file.season_id, entry.competitor_id),
            at=starts_at,
            season_id=file.season_id,
            hue=hue,
            config_sha256=hashlib.sha256(parameters_bytes(entry)).hexdigest(),
            **entry.model_dump(exclude={"hue"}),
        )
        for entry, hue in zip(file.competitors, hues(file.competitors), strict=True)
    ]


def missing(wanted: Sequence[Event], announced: Sequence[Event]) -> list[Event]:
    """What is still to be announced. Raises Frozen where something was announced otherwise.

    A season's phase moves on by itself, so what is announced of it stands.
    """
    by_key = {event.key: event for event in announced}
    for event in wanted:
        before = by_key.get(event.key)
        if before is not None and not isinstance(event, PhaseChanged) and before != event:
            raise Frozen(f"{event.key} was announced otherwise: {_difference(before, event)}; it takes a new season_id")
    if not isinstance(by_key.get(wanted[0].key), SeasonChanged):
        return list(wanted)
    extra = by_key.keys() - {event.key for event in wanted}
    if gone := sorted(key for key in extra if key.startswith(f"competitor/{wanted[0].key.removeprefix('season/')}/")):
        raise Frozen(f"{gone[0]} was announced and is no longer in the file; set it `active: false` in a new season")
    return [event for event in wanted if event.key not in by_key]


def _difference(before: Event, now: Event) -> str:
    was, is_ = before.model_dump(mode="json"), now.model_dump(mode="json")
    changed = [name for name in is_ if was.get(name) != is_[name]]
    return ", ".join(f"{name} was {str(was.get(name))[:200]} and is {str(is_[name])[:200]}" for name in changed)
