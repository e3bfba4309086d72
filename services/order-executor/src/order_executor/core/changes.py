"""What must be written down since the last time somebody asked."""

from dataclasses import dataclass, field
from uuid import UUID

from contracts.executions import OrderFilled

from order_executor.core.account import Account, AccountKey
from order_executor.core.agenda import Instruction
from order_executor.core.orders import Order


@dataclass(slots=True)
class Changes:
    accounts: dict[AccountKey, Account] = field(default_factory=dict)
    orders: dict[UUID, Order] = field(default_factory=dict)
    fills: list[OrderFilled] = field(default_factory=list)
    instructions: dict[UUID, Instruction | None] = field(default_factory=dict)
    """None: it was carried out."""

    def note(self, account: Account, order: Order) -> None:
        self.accounts[account.key] = account
        self.orders[order.order_id] = order

    def clear(self) -> None:
        self.accounts.clear()
        self.orders.clear()
        self.fills.clear()
        self.instructions.clear()
