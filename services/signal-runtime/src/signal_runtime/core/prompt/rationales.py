"""Where a competitor's own reasons are found again: in the stored answer of the round that opened its position.

A portfolio holds positions with their exit plans, not the words that went with them. `opening_rounds` names the answers
to read, `rationale` takes from one what it said of the coin. An order that rested and filled rounds later has no
entry in that answer: then there is none, and the prompt shows the exit plan alone.
"""

from collections.abc import Mapping
from datetime import timedelta

from signal_runtime.core.decision import Decision
from signal_runtime.core.prompt.terms import Rationale
from signal_runtime.core.view import View


def opening_rounds(view: View) -> Mapping[str, int]:
    """By instrument of each open position, the round it was opened in."""
    cadence, starts_at = timedelta(seconds=view.season.rules.cadence_s), view.season.starts_at
    return {name: max((position.opened_at - starts_at) // cadence + 1, 1) for name, position in view.positions.items()}


def rationale(said: Decision, coin: str, round: int) -> Rationale | None:
    entries = ("buy_to_enter", "sell_to_enter")
    found = next((part for part in said.coins if part.coin == coin and part.signal in entries), None)
    return Rationale(round, found.justification, found.confidence, found.risk_usd) if found else None
