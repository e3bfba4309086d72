"""Which fault comes when: a pure function of the seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

Scenario = Literal["default", "broker", "three-brokers"]
SCENARIOS: tuple[Scenario, ...] = ("default", "broker", "three-brokers")

Kind = Literal["kill", "pause", "delay", "cut", "black_hole", "postgres_restart", "broker_restart"]

PAUSE_S = (1.0, 13.0)
"""Some longer than the ten seconds after which a group gives a member's partitions away: it wakes as a zombie."""
DELAY_MS = (30, 250)
DELAY_LASTS_S, CUT_LASTS_S, BLACK_HOLE_LASTS_S = 6.0, 4.0, (2.0, 6.0)
BETWEEN_S: dict[Kind, float] = {
    "pause": 40.0,
    "delay": 50.0,
    "cut": 50.0,
    "black_hole": 60.0,
    "postgres_restart": 120.0,
}
BROKER_BETWEEN_S: dict[Scenario, float] = {"broker": 50.0, "three-brokers": 50.0}
APART_S = 1.5
"""Faults of two plans at one moment are told apart by so much."""
MIDDLES = ("kafka", "postgres")


@dataclass(frozen=True)
class Fault:
    at_s: float
    """After the faults begin."""
    kind: Kind
    target: str
    """A process, a part, or what a proxy stands before."""
    lasts_s: float = 0.0
    delay_s: float = 0.0


def plan(
    seed: int, seconds: float, processes: Sequence[str], *, kill_every_s: float, scenario: Scenario = "default",
    brokers: int = 1,
) -> list[Fault]:  # fmt: skip
    """In order of time. A kill every `kill_every_s`, each process once before any a second time."""
    random = Random(seed)
    between = BETWEEN_S | ({"broker_restart": BROKER_BETWEEN_S[scenario]} if scenario in BROKER_BETWEEN_S else {})
    faults = list(_kills(random, seconds, processes, kill_every_s))
    for kind, apart_s in between.items():
        faults += _of(kind, random, seconds, apart_s, processes, brokers)
    return _told_apart(sorted(faults, key=lambda fault: fault.at_s))


def _kills(random: Random, seconds: float, processes: Sequence[str], every_s: float) -> Iterator[Fault]:
    at, deck, last = every_s / 2, list[str](), ""
    while at < seconds:
        if not deck:
            deck = random.sample(processes, len(processes))
            if deck[-1] == last:
                deck.reverse()
        last = deck.pop()
        yield Fault(round(at + random.uniform(-0.3, 0.3) * every_s, 2), "kill", last)
        at += every_s


def _of(
    kind: Kind, random: Random, seconds: float, apart_s: float, processes: Sequence[str], brokers: int
) -> Iterator[Fault]:
    """About every `apart_s`, once at least, where the run is long enough to see it end."""
    apart_s = min(apart_s, seconds)
    at = random.uniform(0.1, 0.6) * apart_s
    while at < seconds - 2:
        yield _one(kind, round(at, 2), random, processes, brokers)
        at += random.uniform(0.8, 1.2) * apart_s


def _one(kind: Kind, at: float, random: Random, processes: Sequence[str], brokers: int) -> Fault:
    match kind:
        case "pause":
            return Fault(at, kind, random.choice(processes), round(random.uniform(*PAUSE_S), 2))
        case "delay":
            return Fault(at, kind, random.choice(MIDDLES), DELAY_LASTS_S, random.randint(*DELAY_MS) / 1000)
        case "cut":
            return Fault(at, kind, random.choice(MIDDLES), CUT_LASTS_S)
        case "black_hole":
            return Fault(at, kind, random.choice(MIDDLES), round(random.uniform(*BLACK_HOLE_LASTS_S), 2))
        case "broker_restart":
            return Fault(at, kind, f"broker-{random.randint(1, brokers)}")
    return Fault(at, kind, "postgres")


def _told_apart(faults: Sequence[Fault]) -> list[Fault]:
    apart, latest = list[Fault](), -APART_S
    for fault in faults:
        latest = max(fault.at_s, latest + APART_S) if fault.kind != "kill" else max(fault.at_s, latest)
        apart.append(Fault(round(latest, 2), fault.kind, fault.target, fault.lasts_s, fault.delay_s))
    return apart
