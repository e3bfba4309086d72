"""Liquidation on the mark: open orders first, then down tier by tier, at last the takeover at the bankruptcy price.

What moves money: `OrderFilled` of purpose liquidation realises P&L and has no trading fee; `PositionLiquidated.fee`, at
the taker fee's rate on what was traded, goes from the account to its own insurance fund. At a takeover the price is
such that P&L and fee leave nothing of what carried the position. The fund then closes it at the mark, so that it gains
what equity was left there, or pays what was missing; beyond its balance that is written off.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from contracts.base import Event, named_id
from contracts.executions import OrderFilled, PositionLiquidated
from contracts.margin import MarginPosition, bankruptcy_price, largest
from contracts.money import CONTEXT, PLACES, ZERO, ratio, share, times

from order_executor.core import reports
from order_executor.core.account import Account, Position
from order_executor.core.admission import reducible
from order_executor.core.book import unusable
from order_executor.core.changes import Changes
from order_executor.core.clearing import Trade
from order_executor.core.closing import own_order
from order_executor.core.desk import Desk
from order_executor.core.margins import Group, Held, Margins
from order_executor.core.market import Market
from order_executor.core.orders import Order
from order_executor.core.statements import stated

PARTIAL_FROM = 2
"""The third tier, counted from 0: OKX reduces from there on, by two tiers."""


class Liquidator:
    def __init__(self, market: Market, margins: Margins, desk: Desk, changes: Changes) -> None:
        self._market, self._margins, self._desk, self._changes = market, margins, desk, changes

    def check(self, account: Account, instrument: str, at: datetime) -> Sequence[Event]:
        """At every mark of an instrument that the account holds."""
        position = account.positions[instrument]
        group = self._margins.group(account, position) if position.quantity else None
        if group is None or group.equity > group.required:
            return ()
        self._changes.accounts[account.key] = account
        events = self._withdraw_opening(account, group, at)
        if (high := self._reducible(group)) is not None:
            return [*events, *self._reduce(account, group, high, at)]
        return [*events, *self._take_over_all(account, group, at)]

    def _withdraw_opening(self, account: Account, group: Group, at: datetime) -> list[Event]:
        """Whatever could add to the risk that this margin carries; what only closes stays."""
        events: list[Event] = []
        instruments = {each.position.instrument for each in group.held}
        is_cross = group.held[0].position.margin_mode == "cross"
        for order in account.open_orders():
            mine = order.margin_mode == "cross" if is_cross else order.instrument in instruments
            if mine and not order.reduce_only and order.remaining > reducible(account, order):
                events.append(self._desk.withdraw(account, order, at, "liquidation"))
        if events:
            events.append(self._step(account, group, group.held[0], at, "orders_cancelled"))
        return events

    def _reducible(self, group: Group) -> Held | None:
        """The position to reduce; None where equity is below even the lowest tier's margin, or none is that high."""
        high = [each for each in group.held if each.valued.tier >= PARTIAL_FROM]
        lowest = sum((times(each.valued.notional, _lowest_rate(each)) for each in group.held), ZERO)
        if not high or group.equity <= lowest:
            return None
        return max(high, key=lambda each: (each.valued.maintenance_margin, each.position.instrument))

    def _reduce(self, account: Account, group: Group, held: Held, at: datetime) -> Sequence[Event]:
        """Two tiers down against the book, no further than the bankruptcy price; the next mark goes on from there."""
        position, valued = held
        target = largest(valued.tiers[valued.tier - PARTIAL_FROM], valued.mark_price, valued.contract_value)
        lot = self._market.terms.instruments[position.instrument].lot_size
        quantity = abs(position.quantity) - target // lot * lot
        order = own_order(account, position, "liquidation", at, quantity=quantity)
        book = self._market.book(position.instrument)
        if unusable(book, order.side) or not self._desk.found(account, order).takes:
            return ()
        account.exits += 1
        bankruptcy, cash = self._margins.bankruptcy(account, order), account.realised_pnl
        events = self._desk.execute(account, order, at)
        fills = [event for event in events if isinstance(event, OrderFilled)]
        traded = sum((times(each.quantity, each.price) for each in fills), ZERO)
        fee = times(traded, valued.fee_rate)
        self._charge(account, position, fee)
        account.insurance += fee
        numbers = {
            "price": ratio(traded, order.filled), "bankruptcy_price": bankruptcy, "fee": fee, "insurance_change": fee,
            "realised_pnl": account.realised_pnl - cash, "tier_to": self._margins.valued(account, position).tier + 1,
        }  # fmt: skip
        return [*events, self._step(account, group, held, at, "reduced", order, **numbers)]

    def _take_over_all(self, account: Account, group: Group, at: datetime) -> Sequence[Event]:
        events: list[Event] = []
        for held, equity in zip(group.held, _apportioned(group), strict=True):
            orders = account.open_orders(held.position.instrument)
            events += [self._desk.withdraw(account, order, at, "liquidation") for order in orders]
            events += self._take_over(account, group, held, equity, at)
        if not account.held_positions:
            events.append(stated(account, at, "closed out"))
        return events

    def _take_over(self, account: Account, group: Group, held: Held, equity: Decimal, at: datetime) -> Sequence[Event]:
        """`equity` is the position's part of the group's, at the mark: the fund's gain, or its loss."""
        position, valued = held
        margin = equity - valued.unrealised_pnl
        price = _takeover_price(valued, margin)
        order = own_order(account, position, "liquidation", at)
        account.exits += 1
        account.accepted += 1
        order.margin_mode = position.margin_mode
        order.accept(account.accepted, order.quantity)
        book = self._market.book(position.instrument)
        trade = Trade(price, order.quantity, "taker", ZERO, book.sequence if book else 0)
        accepted, before = reports.accepted(order, at), account.realised_pnl
        filled = self._desk.clear(account, order, trade, at)
        realised = account.realised_pnl - before
        fee = realised + margin
        self._charge(account, position, fee)
        change = max(equity, -account.insurance)
        account.insurance += change
        account.written_off += change - equity
        numbers = {
            "price": price, "bankruptcy_price": price, "fee": fee, "insurance_change": change,
            "realised_pnl": realised, "tier_to": 0, "written_off": change - equity,
        }  # fmt: skip
        return [accepted, filled, self._step(account, group, held, at, "taken_over", order, **numbers)]

    @staticmethod
    def _charge(account: Account, position: Position, fee: Decimal) -> None:
        account.fees += fee
        account.liquidation_fees += fee
        if position.quantity and position.margin_mode == "isolated":
            position.margin -= fee

    @staticmethod
    def _step(
        account: Account, group: Group, held: Held, at: datetime, step: str, order: Order | None = None, **numbers: Any
    ) -> PositionLiquidated:
        position, valued = held
        names = account.season_id, account.competitor_id, position.instrument, at.isoformat()
        tier = valued.tier + 1
        fields = {
            "tier_from": tier, "tier_to": tier, "quantity": valued.quantity, "fee": ZERO, "realised_pnl": ZERO,
            "insurance_change": ZERO, "written_off": ZERO,
        } | numbers  # fmt: skip
        return PositionLiquidated.model_validate(
            {
                "event_id": order.child_id("liquidated") if order else named_id("liquidation", *names),
                "at": at,
                "season_id": account.season_id,
                "competitor_id": account.competitor_id,
                "instrument": position.instrument,
                "step": step,
                "quantity_after": position.quantity,
                "mark_price": valued.mark_price,
                "margin_ratio": group.ratio,
                "maintenance_margin": valued.maintenance_margin,
                **fields,
            }
        )


def _lowest_rate(held: Held) -> Decimal:
    return held.valued.tiers[0].maintenance_margin_rate + held.valued.fee_rate


def _apportioned(group: Group) -> list[Decimal]:
    """What is left goes by notional; what is missing by loss, so that no price is pushed beyond its entry."""
    weights = [each.valued.notional for each in group.held]
    losses = [max(ZERO, -each.valued.unrealised_pnl) for each in group.held]
    if group.equity < 0 and any(losses):
        weights = losses
    total = sum(weights, ZERO)
    parts = [share(group.equity, weight, total) for weight in weights[:-1]]
    return [*parts, group.equity - sum(parts, ZERO)]


def _takeover_price(valued: MarginPosition, margin: Decimal) -> Decimal:
    """The bankruptcy price, rounded in the account's favour to where quantity * price is exact."""
    exponent = valued.quantity.as_tuple().exponent
    assert isinstance(exponent, int)
    place = Decimal(1).scaleb(-max(0, PLACES + min(0, exponent)))
    exact = bankruptcy_price(valued.quantity, valued.cost, margin, valued.fee_rate)
    rounding = ROUND_CEILING if valued.quantity > 0 else ROUND_FLOOR
    return max(place, exact.quantize(place, rounding, CONTEXT))
