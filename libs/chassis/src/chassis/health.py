"""What /healthz and /readyz say: alive only while every loop turns, ready only by a clock that did not just jump."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Loop:
    """One consume loop: it says that it turned."""

    name: str
    turns_within_s: float
    turned_at: float = field(default_factory=time.monotonic)  # a pace, no time of the arena
    is_ready: bool = False
    failed: bool = False

    def turned(self) -> None:
        self.turned_at = time.monotonic()  # as above

    def ready(self) -> None:
        self.is_ready = True

    def alive(self) -> bool:
        return not self.failed and time.monotonic() - self.turned_at < self.turns_within_s  # as above


JUMP_S = 1.0
JUMPED_FOR_S = 60.0
"""So long a jump is told of; then the clock is taken as it is now."""


class WallClock:
    """Held against the steady one, whenever somebody asks. No core reads either."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._apart = wall() - steady()
        self._jumped_s, self._told_until = 0.0, steady()

    def jumped_s(self) -> float:
        """Seconds forward (back: below zero) of a jump within the last minute, else 0."""
        now = self._steady()
        jump = self._wall() - now - self._apart
        if abs(jump) >= JUMP_S:
            self._apart += jump
            self._jumped_s, self._told_until = jump, now + JUMPED_FOR_S
        return self._jumped_s if now < self._told_until else 0.0


class Health:
    def __init__(self, clock: WallClock | None = None) -> None:
        self.loops: dict[str, Loop] = {}
        self.clock = clock or WallClock()

    def loop(self, name: str, *, turns_within_s: float = 60.0) -> Loop:
        """Register a loop; the process is alive while each loop turned within its bound."""
        loop = self.loops[name] = Loop(name, turns_within_s)
        return loop

    def alive(self) -> bool:
        return all(loop.alive() for loop in self.loops.values())

    def ready(self) -> bool:
        return self.alive() and all(loop.is_ready for loop in self.loops.values()) and not self.clock.jumped_s()

    def report(self) -> dict[str, object]:
        return {
            "alive": self.alive(),
            "ready": self.ready(),
            "clock_jumped_s": round(self.clock.jumped_s(), 3),
            "loops": {name: {"alive": loop.alive(), "ready": loop.is_ready} for name, loop in self.loops.items()},
        }
