"""What the gate remembers of one competitor: its round so far, and whether it may trade."""

from dataclasses import dataclass, field
from decimal import Decimal

from contracts.money import ZERO


@dataclass(slots=True)
class Standing:
    halted: bool = False
    round: int = 0
    judged: bool = False
    parts: list[int] = field(default_factory=list)
    """The parts of this round's decision that were decided."""
    approved: int = 0
    rejected: int = 0
    held: int = 0
    approved_quantity: dict[str, Decimal] = field(default_factory=dict)
    """Base units by instrument approved in this round, above zero is bought."""
    approved_margin: Decimal = ZERO
    """USD of the portfolio's free margin that this round's orders may use up."""

    def begin(self, number: int) -> None:
        """A new round: its portfolio holds whatever became of the orders before."""
        self.round, self.judged, self.parts = number, False, []
        self.approved = self.rejected = self.held = 0
        self.approved_quantity, self.approved_margin = {}, ZERO

    def commit(self, instrument: str, signed: Decimal, margin: Decimal) -> None:
        self.approved_quantity[instrument] = self.approved_quantity.get(instrument, ZERO) + signed
        self.approved_margin += margin
