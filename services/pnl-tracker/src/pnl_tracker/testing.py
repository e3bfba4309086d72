"""Events as the venue and the markets would say them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from contracts.base import named_id
from contracts.competition import CompetitorRegistered, SeasonChanged, SeasonRules
from contracts.executions import AccountStated, FundingSettled, OrderFilled, PositionLiquidated, VenuePosition
from contracts.market import InstrumentListed, MarginTier, MarkUpdated

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


def liquidated(n: int, *, fee: str, change: str, written_off: str = "0", seconds: float = 1) -> PositionLiquidated:
    fields: dict[str, Any] = {
        "event_id": named_id("liquidated", n),
        "at": at(seconds),
        "season_id": "season-1",
        "competitor_id": "ann",
        "instrument": BTC,
        "step": "taken_over",
        "tier_from": 1,
        "tier_to": 0,
        "quantity": Decimal(1),
        "quantity_after": Decimal(0),
        "mark_price": Decimal(100),
        "margin_ratio": Decimal("0.9"),
        "maintenance_margin": Decimal(5),
        "fee": Decimal(fee),
        "realised_pnl": Decimal(0),
        "insurance_change": Decimal(change),
        "written_off": Decimal(written_off),
    }
    return PositionLiquidated(**fields)


def stated(
    n: int, *, seconds: float, positions: dict[str, tuple[str, str]] | None = None, **sums: Any
) -> AccountStated:
    """The venue's account; `positions` are (quantity, cost) by instrument, sums not given are zero."""
    fields: dict[str, Any] = dict.fromkeys(
        ("realised_pnl", "fees", "liquidation_fees", "funding", "insurance_fund", "written_off"), Decimal(0)
    )
    fields |= {
        "event_id": named_id("stated", n),
        "at": at(seconds),
        "stamp": at(seconds),
        "season_id": "season-1",
        "competitor_id": "ann",
        "fills": 0,
        "open_orders": 0,
        "positions": tuple(
            VenuePosition(instrument=name, quantity=Decimal(quantity), cost=Decimal(cost))
            for name, (quantity, cost) in (positions or {}).items()
        ),
    }
    return AccountStated(**fields | sums)


def listed(instrument: str, *tiers: MarginTier, taker: str = "0.0005") -> InstrumentListed:
    return InstrumentListed(
        event_id=named_id("listed", instrument), at=STARTS_AT, instrument=instrument, venue="synthetic", base="BTC",
        quote="USDT", tick_size=Decimal("0.1"), lot_size=Decimal("0.001"), quantity_min=Decimal("0.001"),
        quantity_max=Decimal(1000), notional_min=Decimal(5), contract_value=Decimal(1), leverage_max=Decimal(20),
        maker_fee_rate=Decimal("0.0002"), taker_fee_rate=Decimal(taker), funding_interval_hours=8, tiers=tiers,
    )  # fmt: skip


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
