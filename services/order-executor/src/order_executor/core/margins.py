"""What an account's margin comes to at the marks of this moment. Formulas: `contracts.margin`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from contracts.margin import MarginPosition, bankruptcy_price, initial_margin, margin_ratio
from contracts.money import ZERO, times
from contracts.types import Side

from order_executor.core.account import Account, Position
from order_executor.core.market import Market
from order_executor.core.orders import Order


class Held(NamedTuple):
    position: Position
    valued: MarginPosition


class Opening(NamedTuple):
    """An order as far as its margin is concerned."""

    side: Side
    quantity: Decimal
    price: Decimal
    leverage: Decimal


@dataclass(frozen=True, slots=True)
class Group:
    """Positions that one margin carries: all cross ones of an account, or a single isolated one."""

    equity: Decimal
    held: Sequence[Held]

    @property
    def required(self) -> Decimal:
        return sum((each.valued.required for each in self.held), ZERO)

    @property
    def ratio(self) -> Decimal:
        return margin_ratio(self.equity, self.required) or ZERO


class Margins:
    def __init__(self, market: Market) -> None:
        self._market = market

    def mark(self, instrument: str) -> Decimal | None:
        mark = self._market.mark(instrument)
        return mark.mark_price if mark else None

    def valued(self, account: Account, position: Position) -> MarginPosition:
        """On the mark; on the average entry until the first mark is known."""
        terms, name = self._market.terms, position.instrument
        return MarginPosition(
            position.quantity,
            position.cost,
            self.mark(name) or position.entry_price,
            terms.tiers[name],
            terms.instruments[name].contract_value,
            terms.liquidation_fee(account.season_id, name),
        )

    def isolated(self, account: Account, order: Order, opened: Opening) -> tuple[MarginPosition, Decimal]:
        """The isolated position with its margin as both would be after the order opened so much."""
        held, signed = account.positions.get(order.instrument), order.signed(opened.quantity)
        adds = held is not None and held.quantity * signed > 0
        before = held if held is not None and adds else Position(order.instrument)
        cost = before.cost + times(signed, opened.price)
        after = self.valued(account, Position(order.instrument, before.quantity + signed, cost))
        return after, before.margin + initial_margin(signed, opened.price, opened.leverage)

    def group(self, account: Account, position: Position) -> Group:
        if position.margin_mode == "isolated":
            valued = self.valued(account, position)
            return Group(position.margin + valued.unrealised_pnl, [Held(position, valued)])
        cross = [each for each in account.held_positions if each.margin_mode == "cross"]
        held = [Held(each, self.valued(account, each)) for each in cross]
        return Group(_cross_cash(account) + sum((each.valued.unrealised_pnl for each in held), ZERO), held)

    def available(self, account: Account) -> Decimal:
        """Cross equity less initial margin, that of open orders included: what new orders may use."""
        names = sorted({*account.orders, *(each.instrument for each in account.held_positions)})
        cross = (each for each in account.held_positions if each.margin_mode == "cross")
        unrealised = sum((self.valued(account, each).unrealised_pnl for each in cross), ZERO)
        return account.cash + unrealised - sum((self.reserved(account, name) for name in names), ZERO)

    def reserved(self, account: Account, instrument: str, more: Opening | None = None) -> Decimal:
        """The initial margin of the instrument: of the position as it is, or with all orders of a side filled.

        The largest of the three, because buys and sells cannot both add to a position.
        """
        position = account.positions.get(instrument)
        held = position.quantity if position else ZERO
        own = self._own(position, held, more) if position and held else ZERO
        orders = [_opening(order) for order in account.orders.get(instrument, ()) if not order.reduce_only]
        if more is not None:
            orders.append(more)
        buys = _opened((each for each in orders if each.side == "buy"), max(ZERO, -held))
        sells = _opened((each for each in orders if each.side == "sell"), max(ZERO, held))
        return max(own, buys + own * (held >= 0), sells + own * (held <= 0))

    def bankruptcy(self, account: Account, order: Order) -> Decimal | None:
        """The price beyond which this order, closing its position, would leave less than nothing. None: no such price.

        Trading on such terms is the liquidation's, at the bankruptcy price and with the insurance fund behind it.
        """
        position = account.positions.get(order.instrument)
        if position is None or not position.quantity or order.side != position.closing_side:
            return None
        group = self.group(account, position)
        (valued,) = (each.valued for each in group.held if each.position is position)
        margin = group.equity - valued.unrealised_pnl
        fee = self._market.terms.liquidation_fee(account.season_id, order.instrument)
        price = bankruptcy_price(position.quantity, position.cost, margin, fee)
        return price if price > 0 else None

    def _own(self, position: Position, held: Decimal, more: Opening | None) -> Decimal:
        """What adds to a position sets the leverage of all of it."""
        if position.margin_mode == "isolated":
            return position.margin
        adds = more is not None and (more.side == "buy") == (held > 0)
        leverage = more.leverage if more is not None and adds else position.leverage
        return initial_margin(held, self.mark(position.instrument) or position.entry_price, leverage)


def _cross_cash(account: Account) -> Decimal:
    return account.cash - sum((each.margin for each in account.held_positions), ZERO)


def _opening(order: Order) -> Opening:
    assert order.limit_price is not None
    return Opening(order.side, order.remaining, order.limit_price, order.leverage)


def _opened(orders: Iterable[Opening], closing: Decimal) -> Decimal:
    """The margin of what is left of the orders once the position is closed, the oldest order first."""
    total = ZERO
    for order in orders:
        closed = min(closing, order.quantity)
        closing -= closed
        if opened := order.quantity - closed:
            total += initial_margin(opened, order.price, order.leverage)
    return total
