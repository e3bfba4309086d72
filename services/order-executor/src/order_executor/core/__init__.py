"""The paper venue: an exchange that exists only in memory. It contains no clock, no random, no I/O.

What happens when: a unit's time only moves forward. Before a market record is applied, whatever falls due before it is
done at its own time: the statement of a day's end, funding at a stamp S and expiries before anything else at or after
their moment; liquidations, exits and triggers of a mark once everything of its moment is in; an order after every
market record up to its `effective_at` and before any later one, several at one moment by competitor, round and part.
Accounts never meet: what one competitor takes from the displayed book is gone for that competitor alone.
"""

from order_executor.core.account import Account, AccountKey, Closing, Consumed, Position
from order_executor.core.agenda import INSTRUCTIONS, Instruction
from order_executor.core.funding import Stamp
from order_executor.core.market import Market, MarketRecord, Terms
from order_executor.core.orders import Order, Status
from order_executor.core.venue import Venue

__all__ = [
    "INSTRUCTIONS", "Account", "AccountKey", "Closing", "Consumed", "Instruction", "Market", "MarketRecord", "Order",
    "Position", "Stamp", "Status", "Terms", "Venue",
]  # fmt: skip
