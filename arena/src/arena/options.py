"""What one run is asked to be, and the season it plays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import competition
import yaml
from contracts.topics import SERVICES
from exchanges.recorded import open_recording

from arena.exits import Exit, Stopped

EMBEDDED = "embedded"
REPEATABLE_START = datetime(2026, 1, 5, tzinfo=UTC)
MOST_REPLICAS, MOST_COMPETITORS = 16, 36
SINGLE = ("market-data", "competition")
"""One process of each: a leader per venue, a single writer."""


DEMO_ROUNDS = {"cadence_s": 60, "deadline_s": 10}
"""Short ones, for a demo that goes on at real speed."""


def own_season(kind: str) -> Path:
    return Path(competition.__file__).parents[2] / "seasons" / f"{kind}.yaml"


@dataclass(frozen=True)
class Options:
    data_dir: Path
    market: str = "synthetic"
    seed: int = 1
    speed: str = "1"
    seconds: int | None = None
    """Arena seconds; none runs until it is stopped."""
    kafka: str = EMBEDDED
    postgres: str = EMBEDDED
    resume: bool = False
    season: Path | None = None
    fast_forward_s: int = 0
    competitors: int | None = None
    replicas: Mapping[str, int] = field(default_factory=dict)
    news: Sequence[str] = ()
    """Feeds besides the venue's own: URLs and absolute paths."""
    port: int = 8080
    traces: Path | None = None

    def lasting(self) -> dict[str, Any]:
        """What a resumed run has to have in common with the one it goes on from."""
        return {"market": self.market, "seed": self.seed, "kafka": self.kafka, "postgres": self.postgres}


def market(text: str) -> str:
    """`synthetic`, or `recorded:PATH[:PATH…]` with absolute paths of files that are there."""
    kind, _, rest = text.partition(":")
    if text == "synthetic":
        return text
    if kind != "recorded" or not rest:
        raise Stopped(Exit.USAGE, f"--market: synthetic or recorded:PATH[:PATH…], not {text!r}")
    paths = [Path(part).absolute() for part in rest.split(":")]
    if missing := [str(path) for path in paths if not path.exists()]:
        raise Stopped(Exit.USAGE, f"--market: there is no {missing[0]}")
    return ":".join([kind, *map(str, paths)])


def news(texts: Sequence[str]) -> tuple[str, ...]:
    """`https://…`, or the absolute path of a file or folder that is there."""
    found = tuple(text if "://" in text else str(Path(text).absolute()) for text in texts)
    if missing := [where for where in found if "://" not in where and not Path(where).exists()]:
        raise Stopped(Exit.USAGE, f"--news: there is no {missing[0]}")
    return found


def speed(text: str) -> str:
    if text == "max":
        return text
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor <= 100_000:
        raise Stopped(Exit.USAGE, f"--speed: max or a factor above 0, at most 100000, not {text!r}")
    return text


def replicas(texts: Sequence[str]) -> dict[str, int]:
    """`order-executor=2` …"""
    wanted: dict[str, int] = {}
    for text in texts:
        service, _, number = text.partition("=")
        if service not in SERVICES or service in SINGLE:
            several = ", ".join(name for name in SERVICES if name not in SINGLE)
            raise Stopped(Exit.USAGE, f"--replicas: of {several} there may be several, not of {service!r}")
        if not number.isdecimal() or not 1 <= int(number) <= MOST_REPLICAS:
            raise Stopped(Exit.USAGE, f"--replicas: {service}=1 … {service}={MOST_REPLICAS}, not {text!r}")
        wanted[service] = int(number)
    return wanted


def season_for(options: Options) -> str:
    """The YAML of the season to play, with as many competitors as asked for."""
    path = options.season or own_season("demo" if options.market == "synthetic" else "recorded")
    if not path.exists():
        raise Stopped(Exit.USAGE, f"--season: there is no {path}")
    season = yaml.safe_load(path.read_text())
    if options.season is None and options.fast_forward_s:
        season["rules"] |= DEMO_ROUNDS
    if options.competitors is not None:
        season["competitors"] = enlarged(season["competitors"], options.competitors)
    return yaml.safe_dump(season, sort_keys=False, allow_unicode=True)


def starts_at(options: Options, now: datetime) -> datetime:
    """When round 1 opens, for a season that leaves it open. A demo reaches the present, other runs repeat exactly."""
    if options.market != "synthetic":
        return recording_begins(options.market)
    if options.fast_forward_s:
        return (now - timedelta(seconds=options.fast_forward_s)).replace(second=0, microsecond=0)
    return REPEATABLE_START


def recording_begins(market: str) -> datetime:
    """The first whole ten seconds in it: the times of rounds stay readable."""
    begins = open_recording([Path(part) for part in market.split(":")[1:]]).starts_at
    assert begins is not None, "a recording begins somewhere"
    return begins + timedelta(microseconds=-(begins - REPEATABLE_START) // timedelta(microseconds=1) % 10_000_000)


def enlarged(competitors: Sequence[Mapping[str, Any]], wanted: int) -> list[dict[str, Any]]:
    """The first `wanted`, baselines before others; where there are fewer, the same again under numbered names and marks
    of their own.
    """
    baselines_first = sorted(range(len(competitors)), key=lambda index: competitors[index].get("kind") != "baseline")
    chosen = [dict(competitors[index]) for index in sorted(baselines_first[:wanted])]
    marks = {entry.get("mark") for entry in chosen}
    for index in range(len(chosen), wanted):
        again, which = divmod(index, len(competitors))
        original = competitors[which]
        mark = next(mark for mark in _marks_like(original["mark"]) if mark not in marks)
        marks.add(mark)
        named = {"competitor_id": f"{original['competitor_id']}-{again + 1}", "name": f"{original['name']} {again + 1}"}
        chosen.append(dict(original) | named | {"mark": mark})
    return chosen


def _marks_like(mark: str) -> Iterator[str]:
    for second in "23456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        yield mark[0] + second
