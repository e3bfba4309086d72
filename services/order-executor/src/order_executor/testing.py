"""For tests and benchmarks: a venue with fees of 2 and 5 basis points, and short ways to say what comes in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.base import Event, named_id
from contracts.competition import Clock, SeasonChanged, SeasonRules
from contracts.executions import OrderFilled
from contracts.market import BarClosed, BookUpdated, InstrumentListed, MarginTier, MarkUpdated, TradePrinted
from contracts.orders import (
    ExitChangeApproved,
    LiquidationOrdered,
    OrderAmendApproved,
    OrderApproved,
    OrderCancelApproved,
    TradingHalted,
)
from contracts.signals import ExitChanges, Trigger
from contracts.types import Side

from order_executor.core import INSTRUCTIONS, Instruction, Venue

T0 = datetime(2026, 11, 22, 12, tzinfo=UTC)
BTC, ETH = "BTC-USDT-PERP", "ETH-USDT-PERP"
D = Decimal


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


@dataclass
class Fact:
    """A market record as the venue sees it."""

    event: Any
    at: datetime = field(init=False)
    instrument: str = field(init=False)
    kind: str = field(init=False)

    def __post_init__(self) -> None:
        self.at, self.instrument, self.kind = self.event.at, self.event.instrument, self.event.type


def levels(text: str) -> tuple[tuple[Decimal, Decimal], ...]:
    """`100x2 101x3`: two at 100, three at 101."""
    return tuple((D(price), D(size)) for price, size in (level.split("x") for level in text.split()))


def book(t: float, bids: str, asks: str, *, sequence: int = 0, instrument: str = BTC) -> Fact:
    sequence = sequence or int(t * 1000) + 1
    event_id = named_id("book", instrument, t, sequence)
    return Fact(
        BookUpdated(
            event_id=event_id, at=at(t), instrument=instrument, venue="test", sequence=sequence,
            bids=levels(bids), asks=levels(asks),
        )
    )  # fmt: skip


def mark(
    t: float, price: str, *, instrument: str = BTC, rate: str | None = None, stamp: float | None = None,
    last: str | None = None, index: str | None = None,
) -> Fact:  # fmt: skip
    return Fact(
        MarkUpdated(
            event_id=named_id("mark", instrument, t), at=at(t), instrument=instrument, venue="test",
            mark_price=D(price), funding_rate=D(rate) if rate else None,
            next_funding_at=at(stamp) if stamp is not None else None,
            last_price=D(last) if last else None, index_price=D(index) if index else None,
        )
    )  # fmt: skip


def trade(t: float, aggressor: Side, price: str, quantity: str, *, instrument: str = BTC) -> Fact:
    return Fact(
        TradePrinted(
            event_id=named_id("trade", instrument, t), at=at(t), instrument=instrument, venue="test",
            venue_trade_id=str(t), price=D(price), quantity=D(quantity), aggressor=aggressor,
        )
    )  # fmt: skip


def bar(t: float, close: str, *, instrument: str = BTC) -> Fact:
    price = D(close)
    return Fact(
        BarClosed(
            event_id=named_id("bar", instrument, t), at=at(t), instrument=instrument, venue="test", interval="1m",
            opened_at=at(t - 60), open=price, high=price, low=price, close=price, volume=D(1), turnover=price, trades=1,
        )
    )  # fmt: skip


def order(n: int, side: str, quantity: str, t: float = 0, **fields: Any) -> OrderApproved:
    """The n-th order; `limit` makes it a limit order, GTC unless said otherwise."""
    limit = fields.pop("limit", None)
    fields.setdefault("time_in_force", "GTC" if limit else "IOC")
    fields.setdefault("competitor_id", "ann")
    for name in ("price_min", "price_max"):
        fields[name] = D(fields.get(name, "1" if name == "price_min" else "1000000"))
    return OrderApproved(
        event_id=named_id("order", n, fields["competitor_id"]), at=at(t), season_id="s1", round=n, part=1,
        signal_id=named_id("signal", n), effective_at=at(t), instrument=fields.pop("instrument", BTC), side=side,
        quantity=D(quantity), order_type="limit" if limit else "market", limit_price=D(limit) if limit else None,
        leverage=D(fields.pop("leverage", "5")), **fields,
    )  # fmt: skip


def fact(update: Any) -> Fact:
    """What a feed of `exchanges` said, as the venue sees it."""
    kind, about = type(update).__name__, (update.at, update.instrument)
    given = {"event_id": named_id(kind, *about, update[2]), "at": update.at, "instrument": update.instrument}
    fields = given | {"venue": "test"} | {name: value for name, value in update._asdict().items() if value is not None}
    match kind:
        case "Book":
            return Fact(BookUpdated.model_validate(fields))
        case "Trade":
            return Fact(TradePrinted.model_validate(fields | {"venue_trade_id": update.trade_id}))
        case _:
            return Fact(MarkUpdated.model_validate(fields))


def trigger(kind: Any, price: str, on: Any = "mark") -> Trigger:
    return Trigger(kind=kind, price=D(price), on=on)


def _instructed(n: int, t: float, fields: dict[str, Any]) -> dict[str, Any]:
    common = {"competitor_id": "ann", "season_id": "s1", "round": n, "part": 1, "at": at(t), "effective_at": at(t)}
    return common | {"event_id": named_id("instruction", n), "signal_id": named_id("signal", n)} | fields


def cancel(n: int, t: float, target: str = "", **fields: Any) -> OrderCancelApproved:
    return OrderCancelApproved.model_validate(_instructed(n, t, {"target_client_order_id": target} | fields))


def amend(n: int, t: float, target: str, **fields: Any) -> OrderAmendApproved:
    given = {"target_client_order_id": target, "instrument": BTC, "price_min": D(1), "price_max": D(10**6)} | fields
    return OrderAmendApproved.model_validate(_instructed(n, t, given))


def change_exits(n: int, t: float, *, competitor_id: str = "ann", **changes: Any) -> ExitChangeApproved:
    given = {"competitor_id": competitor_id, "instrument": BTC, "changes": ExitChanges.model_validate(changes)}
    return ExitChangeApproved.model_validate(_instructed(n, t, given))


def flatten(n: int, t: float, side: Side, quantity: str, **fields: Any) -> LiquidationOrdered:
    given = {"instrument": BTC, "side": side, "quantity": quantity, "reason": "operator"} | fields
    return LiquidationOrdered.model_validate(_instructed(n, t, given))


def halt(n: int, t: float, instrument: str | None = None, *, competitor_id: str = "ann") -> TradingHalted:
    return TradingHalted(
        event_id=named_id("halt", n, competitor_id), at=at(t), season_id="s1", competitor_id=competitor_id,
        reason="operator", instrument=instrument,
    )  # fmt: skip


def rules(clock: Clock = "lockstep", *, capital: str = "10000", **changes: Any) -> SeasonChanged:
    season_rules = SeasonRules(
        instruments=(BTC, ETH), capital=D(capital), cadence_s=60, deadline_s=30, leverage_max=D(20),
        order_notional_max=D(10**6), position_notional_max=D(10**6), price_band=D("0.02"), **changes,
    )  # fmt: skip
    return SeasonChanged(
        event_id=named_id("season"), at=T0, season_id="s1", name="S", venue="test", clock=clock, starts_at=T0,
        rules=season_rules, rules_sha256="0" * 64,
    )  # fmt: skip


def tiers(*rows: tuple[str, str, str]) -> tuple[MarginTier, ...]:
    """By contracts: (cap, highest leverage, maintenance margin rate), the lowest first."""
    floors = ["0", *(cap for cap, _, _ in rows)]
    return tuple(
        MarginTier(
            floor=D(floor), cap=D(cap), unit="contracts", leverage_max=D(leverage), maintenance_margin_rate=D(rate),
            deduction=D(0),
        )
        for floor, (cap, leverage, rate) in zip(floors, rows, strict=False)
    )  # fmt: skip


def listed(instrument: str, **changes: Any) -> InstrumentListed:
    return InstrumentListed(
        event_id=named_id("listed", instrument), at=T0, instrument=instrument, venue="test", base=instrument[:3],
        quote="USDT", tick_size=D("0.1"), lot_size=D("0.001"), quantity_min=D("0.001"), quantity_max=D(1000),
        notional_min=D(5), contract_value=D(1), leverage_max=D(100), maker_fee_rate=D("0.0002"),
        taker_fee_rate=D("0.0005"), funding_interval_hours=8, **changes,
    )  # fmt: skip


def new_venue(*, margin_tiers: tuple[MarginTier, ...] = (), **changes: Any) -> Venue:
    venue = Venue()
    venue.info.terms.adopt(rules(**changes))
    for instrument in (BTC, ETH):
        venue.info.terms.list(listed(instrument, tiers=margin_tiers))
    return venue


Input = OrderApproved | Instruction | Fact | float


def feed(venue: Venue, *inputs: Input) -> list[Event]:
    """One batch: what the gate let through, market records and, as numbers of seconds, the passing of time."""
    events: list[Event] = []
    for each in inputs:
        if isinstance(each, (OrderApproved, *INSTRUCTIONS)):
            events += venue.own(each)
        elif isinstance(each, Fact):
            events += venue.market(each)
        else:
            events += venue.passed(at(each))
    return [*events, *venue.passed(venue.now)]


def kinds(events: Sequence[Event]) -> list[str]:
    return [event.type for event in events]  # type: ignore[attr-defined]


def fills(events: Sequence[Event]) -> list[OrderFilled]:
    return [event for event in events if isinstance(event, OrderFilled)]


def trades(events: Sequence[Event]) -> list[tuple[str, str, str]]:
    return [(each.side, format(each.price, "f"), format(each.quantity, "f")) for each in fills(events)]
