"""How long to wait for what. All in arena time, which in a live season is wall-clock time."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Rules:
    receive_window: timedelta = timedelta(seconds=5)
    """The venue carries a request out within this time of its stamp, or never."""
    answer_within: timedelta = timedelta(seconds=10)
    """No answer to a request comes later than this."""
    visible_within: timedelta = timedelta(seconds=5)
    """How long an order that the venue took may be missing from its own answers."""
    clock_skew: timedelta = timedelta(seconds=0)
    """How far the measured difference of the clocks may be off."""
    ask_every: timedelta = timedelta(seconds=2)
    valid_for: timedelta = timedelta(seconds=60)
    """An order that is not at the venue this long after its moment is given up: later it is another trade."""
    human_after: timedelta = timedelta(seconds=300)
    """An order unknown for longer than this needs an operator. It stays unknown."""
    looks: int = 2
    """How often an order must be missing, after everything that could still bring it has passed."""
    sends_max: int = 2
    """How often one intent is sent at most, each time under the same id."""

    @property
    def conclusive_after(self) -> timedelta:
        """From a request's `send_by` on: what is missing now never arrived."""
        return self.answer_within + self.visible_within + self.clock_skew
