"""Events as the venue and the markets would say them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from contracts.base import named_id
from contracts.competition import CompetitorRegistered, SeasonChanged, SeasonRules
from contracts.executions import FundingSettled, OrderFilled
from contracts.market import MarkUpdated

from pnl_tracker.core.roster import Roster
from pnl_tracker.core.unit import Unit

STARTS_AT = datetime(2026, 11, 22, tzinfo=UTC)
BTC, ETH = "BTC-USDT-PERP", "ETH-USDT-PERP"
HASH = "0" * 64


def at(seconds: float) -> datetime:
    """Seconds after the season's start."""
    return STARTS_AT + timedelta(seconds=seconds)


def season(season_id: str = "season-1", **changes: Any) -> SeasonChanged:
    rules = SeasonRules(
        instruments=(BTC, ETH),
        capital=Decimal(10_000),
        cadence_s=180,
        deadline_s=60,
        leverage_max=Decimal(10),
        order_notional_max=Decimal(50_000),
        position_notional_max=Decimal(100_000),
        price_band=Decimal("0.02"),
    )
    fields: dict[str, Any] = {
        "event_id": named_id("season", season_id),
        "at": STARTS_AT,
        "season_id": season_id,
        "name": "Season 1",
        "venue": "synthetic",
        "clock": "lockstep",
        "starts_at": STARTS_AT,
        "rules": rules,
        "rules_sha256": HASH,
    }
    return SeasonChanged(**fields | changes)


def competitor(competitor_id: str, season_id: str = "season-1", **changes: Any) -> CompetitorRegistered:
    fields: dict[str, Any] = {
        "event_id": named_id("competitor", season_id, competitor_id),
        "at": STARTS_AT,
        "season_id": season_id,
        "competitor_id": competitor_id,
        "name": competitor_id,
        "mark": "AA",
        "hue": 0,
        "kind": "quant",
        "model": "trend",
        "config_sha256": HASH,
    }
    return CompetitorRegistered(**fields | changes)


def roster(*competitors: str, **changes: Any) -> Roster:
    return Roster({"season-1": season(**changes)}, {"season-1": competitors})


def unit(*competitors: str, **changes: Any) -> Unit:
    made = Unit()
    made.enrol(roster(*competitors, **changes))
    return made


def fill(n: int, signed: str, price: str, *, fee: str = "0", seconds: float = 1, **changes: Any) -> OrderFilled:
    """The n-th trade; `signed` is the quantity, below zero a sale."""
    quantity = Decimal(signed)
    fields: dict[str, Any] = {
        "event_id": named_id("fill", n),
        "at": at(seconds),
        "season_id": "season-1",
        "competitor_id": "ann",
        "order_id": named_id("order", n),
        "instrument": BTC,
        "trade_id": named_id("trade", n),
        "side": "buy" if quantity > 0 else "sell",
        "price": Decimal(price),
        "quantity": abs(quantity),
        "fee": Decimal(fee),
        "liquidity": "taker",
        "remaining": Decimal(0),
        "leverage": Decimal(5),
        "purpose": "decision",
        "book_sequence": n,
        "position_after": Decimal(0),
    }
    return OrderFilled(**fields | changes)


def funding(n: int, payment: str, *, seconds: float, **changes: Any) -> FundingSettled:
    fields: dict[str, Any] = {
        "event_id": named_id("funding", n),
        "at": at(seconds),
        "season_id": "season-1",
        "competitor_id": "ann",
        "instrument": BTC,
        "stamp": at(seconds),
        "quantity": Decimal(1),
        "mark_price": Decimal(100),
        "rate": Decimal("0.0001"),
        "payment": Decimal(payment),
    }
    return FundingSettled(**fields | changes)


class Mark(NamedTuple):
    at: datetime
    instrument: str
    event: MarkUpdated


def mark(price: str, *, seconds: float, instrument: str = BTC) -> Mark:
    moment = at(seconds)
    event = MarkUpdated(
        event_id=named_id("mark", instrument, seconds),
        at=moment,
        instrument=instrument,
        venue="synthetic",
        mark_price=Decimal(price),
    )
    return Mark(moment, instrument, event)
