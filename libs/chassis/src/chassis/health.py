"""What /healthz and /readyz say: alive only while every loop turns."""

import time
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


class Health:
    def __init__(self) -> None:
        self.loops: dict[str, Loop] = {}

    def loop(self, name: str, *, turns_within_s: float = 60.0) -> Loop:
        """Register a loop; the process is alive while each loop turned within its bound."""
        loop = self.loops[name] = Loop(name, turns_within_s)
        return loop

    def alive(self) -> bool:
        return all(loop.alive() for loop in self.loops.values())

    def ready(self) -> bool:
        return self.alive() and all(loop.is_ready for loop in self.loops.values())

    def report(self) -> dict[str, object]:
        return {
            "alive": self.alive(),
            "ready": self.ready(),
            "loops": {name: {"alive": loop.alive(), "ready": loop.is_ready} for name, loop in self.loops.items()},
        }
