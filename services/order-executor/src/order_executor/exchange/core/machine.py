"""`decide(order, said, rules) -> (order, events, wanted)`: the only place where an order's state changes.

A request that may have left is never repeated on a guess. After anything that proves neither yes nor no the venue is
asked, and it must not have the order twice, at moments when everything that could still bring it has passed: the window
in which the venue carries a request out, the time an answer may take, the lag of its own lists, the skew of the clocks.
"""

from dataclasses import replace
from datetime import datetime
from typing import Literal, NamedTuple, assert_never

from contracts.base import Event
from contracts.executions import CancelReason

from order_executor.exchange.core import reports
from order_executor.exchange.core.orders import AT_VENUE, Ended, Order, State
from order_executor.exchange.core.rules import Rules
from order_executor.exchange.core.said import (
    Absent,
    Ambiguous,
    CancelAnswered,
    CancelAsked,
    NotTaken,
    Refused,
    Restarted,
    Said,
    Seen,
    Send,
    Taken,
    Tick,
    Traded,
)

Call = Literal["cancel", "query"]
"""A placing is not among them: it is wanted by being committed as `sending`."""


class Decided(NamedTuple):
    order: Order
    events: tuple[Event, ...] = ()
    wanted: tuple[Call, ...] = ()


def decide(order: Order, said: Said, rules: Rules) -> Decided:
    match said:
        case Send():
            return _send(order, said.at, rules)
        case Taken():
            return _taken(order, said.at, rules)
        case Refused():
            return _refused(order, said, rules)
        case NotTaken():
            return _not_taken(order, said)
        case Ambiguous():
            return _doubted(order, said.at, rules, said.detail) if order.state == "sending" else Decided(order)
        case Restarted():
            return _restarted(order, said.at, rules)
        case Seen():
            return _seen(order, said, rules)
        case Absent():
            return _absent(order, said, rules)
        case Traded():
            return _traded(order, said, rules)
        case CancelAsked():
            return _cancel_asked(order, said, rules)
        case CancelAnswered():
            wanted: tuple[Call, ...] = ("query",) if order.state == "pending_cancel" else ()
            return Decided(order, wanted=wanted)
        case Tick():
            return _tick(order, said.at, rules)
        case _:
            assert_never(said)


def _send(order: Order, at: datetime, rules: Rules) -> Decided:
    if order.state != "intent":
        return Decided(order)
    send_by = at + rules.receive_window
    return Decided(
        replace(order, state="sending", sends=order.sends + 1, send_by=send_by, wake_at=send_by + rules.answer_within)
    )


def _taken(order: Order, at: datetime, rules: Rules) -> Decided:
    if order.state not in ("sending", "unknown"):
        return Decided(order)  # the stream was faster
    acked, events = _accept(_known(order, "acked"), at)
    if acked.cancel_reason is not None:
        return Decided(replace(acked, state="pending_cancel", wake_at=at + rules.ask_every), events, ("cancel",))
    return Decided(replace(acked, wake_at=at + rules.ask_every), events)


def _refused(order: Order, said: Refused, rules: Rules) -> Decided:
    """A no to the only request there was is an end; one to a repeated request, or `duplicate`, says look again."""
    if order.state not in ("sending", "unknown"):
        return Decided(order)
    if said.reason == "duplicate" or order.sends > 1:
        return _doubted(order, said.at, rules, f"the venue says {said.reason} {said.detail}".strip())
    return _reject(order, said.at, said.detail)


def _not_taken(order: Order, said: NotTaken) -> Decided:
    if order.state != "sending":
        return Decided(order)
    return Decided(replace(order, state="intent", sends=order.sends - 1, send_by=None, wake_at=said.again_at))


def _restarted(order: Order, at: datetime, rules: Rules) -> Decided:
    if order.state == "sending":
        return _doubted(order, at, rules, "the process that was to send it ended")
    if order.is_final or order.state == "intent":
        return Decided(order)
    return Decided(replace(order, wake_at=at))


def _doubted(order: Order, at: datetime, rules: Rules, detail: str) -> Decided:
    doubted = replace(
        order, state="unknown", absences=0, unknown_since=order.unknown_since or at, wake_at=at + rules.ask_every
    )
    told = () if order.state == "unknown" else (reports.unknown(doubted, at, "asked", detail),)
    return Decided(doubted, told, ("query",))


def _seen(order: Order, said: Seen, rules: Rules) -> Decided:
    """A view may be stale: it never takes back an end, and what is filled only grows."""
    report, at = said.report, said.at
    if order.is_final and order.ended is None and order.state != "filled":
        return _returned(order, said, rules)
    if order.is_final:
        return Decided(order)
    ended: Ended | None = order.ended if report.status == "open" else order.ended or report.status
    seen = replace(
        order, ended=ended, detail=report.detail or order.detail, venue_filled=max(order.venue_filled, report.filled)
    )
    if ended == "rejected" and not order.told_accepted and not order.trades:
        return _reject(seen, at, report.detail)
    known, events = _accept(_known(seen, "open"), at)
    return _settle(known, at, rules, events)


def _returned(order: Order, said: Seen, rules: Rules) -> Decided:
    """Given up as never arrived, and there after all: what still rests of it is taken back."""
    if said.report.status != "open":
        ended = replace(order, ended=said.report.status, venue_filled=said.report.filled)
        return Decided(ended, wanted=("query",) if ended.venue_filled > ended.filled else ())
    back = replace(order, state="pending_cancel", cancel_reason="operator", wake_at=said.at + rules.ask_every)
    known, events = _accept(back, said.at)
    return Decided(known, events, ("cancel",))


def _traded(order: Order, said: Traded, rules: Rules) -> Decided:
    """Once by its id, whatever state the order is in: after a cancel too."""
    if said.trade.trade_id in order.trades:
        return Decided(order)
    traded = replace(order, trades={**order.trades, said.trade.trade_id: said.trade.quantity})
    known, events = _accept(_known(traded, "open"), said.at)
    events = (*events, reports.filled(known, said))
    if order.is_final:
        whole = not known.remaining and order.state != "filled"
        return Decided(replace(known, state="filled" if whole else order.state), events)
    return _settle(known, said.at, rules, events)


def _settle(order: Order, at: datetime, rules: Rules, events: tuple[Event, ...]) -> Decided:
    """Which state what is known of the order makes."""
    if not order.remaining:
        return Decided(replace(order, state="filled", wake_at=None), events)
    if order.ended is not None and order.filled >= order.venue_filled:
        return _end(order, order.ended, at, events)
    if order.ended is not None:  # its trades are on their way; nothing is over before they are in
        return Decided(replace(order, wake_at=at + rules.ask_every), events, ("query",))
    if order.cancel_reason is not None:
        was = order.state == "pending_cancel"
        pending = replace(order, state="pending_cancel", wake_at=order.wake_at if was else at + rules.ask_every)
        return Decided(pending, events, () if was else ("cancel",))
    state: State = "partially_filled" if order.trades else "open"
    short = order.filled < order.venue_filled
    return Decided(
        replace(order, state=state, wake_at=at + rules.ask_every if short else order.intent.expires_at),
        events,
        ("query",) if short else (),
    )


def _end(order: Order, ended: Ended, at: datetime, events: tuple[Event, ...]) -> Decided:
    """What is filled in part, or rejected after it was taken, has a remainder that the venue dropped."""
    if ended == "expired" or order.lapses:
        final = replace(order, state="expired", wake_at=None)
        return Decided(final, (*events, reports.expired(final, at)))
    final = replace(order, state="cancelled", wake_at=None)
    return Decided(final, (*events, reports.cancelled(final, at, _why(order))))


def _why(order: Order) -> CancelReason:
    """The venue's own reason where nobody here asked for it."""
    by_kind: dict[str, CancelReason] = {"IOC": "ioc_remainder", "FOK": "fok_unfillable"}
    return order.cancel_reason or by_kind.get(order.intent.time_in_force, "operator")


def _absent(order: Order, said: Absent, rules: Rules) -> Decided:
    """Ends only what was never seen and cannot come any more. What the venue once had stays until it says its end."""
    if order.state != "unknown" or order.send_by is None:
        return Decided(order)
    if said.asked_at < order.send_by + rules.conclusive_after:
        return Decided(order)
    order = replace(order, absences=order.absences + 1)
    if order.absences < rules.looks:
        return Decided(order)
    void = replace(order, unknown_since=None, send_by=None, paged=False)
    if order.cancel_reason is not None:
        final = replace(void, state="cancelled", wake_at=None)
        return Decided(final, (reports.cancelled(final, said.at, order.cancel_reason),))
    if said.at < order.intent.valid_until and order.sends < rules.sends_max:
        return Decided(replace(void, state="intent", absences=0, wake_at=said.at))
    return _lapse(void, said.at, "the venue never had it, and it is too late to send it again")


def _cancel_asked(order: Order, said: CancelAsked, rules: Rules) -> Decided:
    if order.is_final or order.cancel_reason is not None:
        return Decided(order)
    wanted = replace(order, cancel_reason=said.reason)
    if order.state == "intent":
        final = replace(wanted, state="cancelled", wake_at=None)
        return Decided(final, (reports.cancelled(final, said.at, said.reason),))
    if order.state in AT_VENUE:
        return Decided(replace(wanted, state="pending_cancel", wake_at=said.at + rules.ask_every), wanted=("cancel",))
    return Decided(wanted)  # once it is known where the order is


def _tick(order: Order, at: datetime, rules: Rules) -> Decided:
    if order.wake_at is None or at < order.wake_at:
        return Decided(order)
    later, rests_until = replace(order, wake_at=at + rules.ask_every), order.intent.expires_at
    if order.state in AT_VENUE and order.cancel_reason is None and rests_until is not None and at >= rests_until:
        return Decided(
            replace(later, state="pending_cancel", cancel_reason="operator", lapses=True), wanted=("cancel",)
        )
    match order.state:
        case "intent" if at >= order.intent.valid_until:
            return _lapse(order, at, "not at the venue in time")
        case "sending":
            return _doubted(order, at, rules, "no answer")
        case "unknown":
            return _still_unknown(later, at, rules)
        case "pending_cancel" if order.ended is None:
            return Decided(later, wanted=("cancel",))
        case "acked" | "open" | "partially_filled" | "pending_cancel":
            return Decided(later, wanted=("query",))
        case _:
            return Decided(order)


def _still_unknown(order: Order, at: datetime, rules: Rules) -> Decided:
    since = order.unknown_since or at
    if order.paged or at - since < rules.human_after:
        return Decided(order, wanted=("query",))
    detail = f"unresolved for {(at - since).total_seconds():.0f} s: an operator has to look at the venue"
    return Decided(replace(order, paged=True), (reports.unknown(order, at, "unresolved", detail),), ("query",))


def _known(order: Order, state: State) -> Order:
    """Also of an intent: what was given up as never arrived, and waits to be sent again, is there after all."""
    if order.state in ("intent", "sending", "unknown"):
        return replace(order, state=state, unknown_since=None, paged=False)
    return replace(order, state=state) if (order.state, state) == ("acked", "open") else order


def _accept(order: Order, at: datetime) -> tuple[Order, tuple[Event, ...]]:
    if order.told_accepted:
        return order, ()
    return replace(order, told_accepted=True), (reports.accepted(order, at),)


def _reject(order: Order, at: datetime, detail: str) -> Decided:
    final = replace(order, state="rejected", ended="rejected", wake_at=None, unknown_since=None)
    return Decided(final, (reports.rejected(final, at, "VENUE_ERROR", detail),))


def _lapse(order: Order, at: datetime, detail: str) -> Decided:
    final = replace(order, state="expired", wake_at=None)
    return Decided(final, (reports.rejected(final, at, "EXPIRED", detail),))
