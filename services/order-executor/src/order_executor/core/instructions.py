"""Cancels, amends and changed exits: what the gate lets through besides orders."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from contracts.base import Event
from contracts.executions import ExitPlanChanged
from contracts.orders import (
    ExitChangeApproved,
    LiquidationOrdered,
    OrderAmendApproved,
    OrderCancelApproved,
    TradingHalted,
)

from order_executor.core import reports
from order_executor.core.account import Account
from order_executor.core.admission import reducible
from order_executor.core.agenda import Instruction
from order_executor.core.changes import Changes
from order_executor.core.closing import Closer
from order_executor.core.desk import Desk
from order_executor.core.exits import changed
from order_executor.core.orders import Order


class Instructed:
    def __init__(self, desk: Desk, closer: Closer, changes: Changes) -> None:
        self._desk, self._closer, self._changes = desk, closer, changes

    def carry_out(self, account: Account, event: Instruction, at: datetime) -> Sequence[Event]:
        self._changes.accounts[account.key] = account
        match event:
            case OrderCancelApproved():
                return self._cancel(account, event, at)
            case OrderAmendApproved():
                return self._amend(account, event, at)
            case ExitChangeApproved():
                return self._change_exits(account, event, at)
            case LiquidationOrdered():
                return self._closer.ordered(account, event, at)
            case TradingHalted():
                return self._halt(account, event, at)

    def _cancel(self, account: Account, event: OrderCancelApproved, at: datetime) -> Sequence[Event]:
        """The one named, or all of the instrument, or all: nothing to take back is no error, an unknown name is one.

        Who names an order names its instrument: the contract of signals.
        """
        name = event.target_client_order_id
        orders = [each for each in account.open_orders(event.instrument) if name in ("", each.client_order_id)]
        if name and not orders and event.instrument is not None:
            return [reports.refused(event, event.instrument, at, "ORDER_UNKNOWN", name)]
        return [self._desk.withdraw(account, order, at, "competitor") for order in orders]

    def _halt(self, account: Account, event: TradingHalted, at: datetime) -> Sequence[Event]:
        """What may take on risk in the halt's scope; what is reduce-only stays, as do exit plans."""
        orders = [each for each in account.open_orders(event.instrument) if not each.reduce_only]
        return [self._desk.withdraw(account, order, at, "halted") for order in orders]

    def _amend(self, account: Account, event: OrderAmendApproved, at: datetime) -> Sequence[Event]:
        name, instrument = event.target_client_order_id, event.instrument
        order = next((each for each in account.open_orders(instrument) if each.client_order_id == name), None)
        if order is None:
            return [reports.refused(event, instrument, at, "ORDER_UNKNOWN", name)]
        if reason := _invalid(order, event):
            return [reports.refused(event, instrument, at, "AMEND_INVALID", reason)]
        wanted = _amended(order, event)
        if order.status == "working" and not _keeps_place(order, wanted):
            return self._replace(account, order, wanted, event, at)
        self._adopt(account, order, wanted)
        return [reports.amended(order, at)]

    def _replace(
        self, account: Account, order: Order, wanted: Order, event: OrderAmendApproved, at: datetime
    ) -> Sequence[Event]:
        """A new price or a larger size meets the book as a new order would, and queues at the end."""
        account.drop(order)
        if refusal := self._desk.admission.to_book(account, wanted):
            account.keep(order)
            return [reports.refused(event, order.instrument, at, *refusal)]
        if order.reduce_only:
            wanted.quantity = min(wanted.quantity, order.filled + reducible(account, order))
        self._adopt(account, order, wanted)
        return [reports.amended(order, at), *self._desk.work(account, order, at)]

    def _adopt(self, account: Account, order: Order, wanted: Order) -> None:
        self._changes.note(account, order)
        order.limit_price, order.trigger = wanted.limit_price, wanted.trigger
        order.price_min, order.price_max = wanted.price_min, wanted.price_max
        order.resize(wanted.quantity)

    def _change_exits(self, account: Account, event: ExitChangeApproved, at: datetime) -> Sequence[Event]:
        position = account.positions.get(event.instrument)
        if position is None or not position.quantity:
            return [reports.refused(event, event.instrument, at, "EXITS_WITHOUT_POSITION")]
        position.exit_plan, position.traceparent = changed(position.exit_plan, event.changes), event.traceparent
        return [
            ExitPlanChanged(
                event_id=event.child_id("exits"),
                at=at,
                traceparent=event.traceparent,
                season_id=event.season_id,
                competitor_id=event.competitor_id,
                instrument=event.instrument,
                exit_plan=position.exit_plan,
            )
        ]


def _invalid(order: Order, event: OrderAmendApproved) -> str:
    rules = [
        (event.quantity is not None and event.quantity <= order.filled, "quantity: that much is filled"),
        (event.limit_price is not None and order.limit_price is None, "limit_price: not for a market order"),
        (event.trigger_price is not None and order.status != "waiting", "trigger_price: the order waits for none"),
        (event.quantity is event.limit_price is event.trigger_price is None, "nothing is changed"),
    ]
    return "; ".join(reason for is_broken, reason in rules if is_broken)


def _amended(order: Order, event: OrderAmendApproved) -> Order:
    trigger = order.trigger
    if trigger is not None and event.trigger_price is not None:
        trigger = trigger.model_copy(update={"price": event.trigger_price})
    return replace(
        order, quantity=event.quantity or order.quantity, limit_price=event.limit_price or order.limit_price,
        trigger=trigger, price_min=event.price_min, price_max=event.price_max,
    )  # fmt: skip


def _keeps_place(order: Order, wanted: Order) -> bool:
    return wanted.limit_price == order.limit_price and wanted.quantity <= order.quantity
