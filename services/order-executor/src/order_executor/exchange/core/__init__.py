"""Orders at an outside venue. It contains no clock, no random, no I/O: what the venue said comes in as a value."""

from order_executor.exchange.core.budget import Budget
from order_executor.exchange.core.desk import AccountKey, Booked, Desk, Snapshot, Wanted
from order_executor.exchange.core.orders import Intent, Order, State
from order_executor.exchange.core.rules import Rules

__all__ = ["AccountKey", "Booked", "Budget", "Desk", "Intent", "Order", "Rules", "Snapshot", "State", "Wanted"]
