"""What must hold, whatever goes wrong. Each invariant has a name, and reads only what anybody could read."""

from arena.simulation.invariants.base import Checker, Invariant, Violation
from arena.simulation.invariants.books import BooksBalance, EquityIsExplained, VenueAgreesWithLedger
from arena.simulation.invariants.gate import Halted, JudgedOnce, WithinLimits, WithStalePrices
from arena.simulation.invariants.log import Contracts, OneIdOneEvent, PublishedAsCommitted
from arena.simulation.invariants.orders import FillsArePosition, OneOrder, ReduceOnly
from arena.simulation.invariants.reads import ReadModelIsFold
from arena.simulation.invariants.rounds import EveryRoundCloses

INVARIANTS: tuple[type[Invariant], ...] = (
    PublishedAsCommitted, OneIdOneEvent, Contracts, JudgedOnce, WithinLimits, Halted, WithStalePrices, OneOrder,
    ReduceOnly, FillsArePosition, EquityIsExplained, BooksBalance, VenueAgreesWithLedger, EveryRoundCloses,
    ReadModelIsFold,
)  # fmt: skip

__all__ = ["INVARIANTS", "Checker", "Invariant", "Violation"]
