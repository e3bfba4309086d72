"""Instruments as Binance USD-M lists them: ticks, lots, fees and margin tiers."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from contracts.base import named_id
from contracts.market import InstrumentListed, MarginTier


class Listing(NamedTuple):
    base: str
    tick_size: str
    lot_size: str
    quantity_max: str
    notional_min: str
    tiers: tuple[tuple[int, int, str], ...]
    """(notional cap, leverage, maintenance margin rate), lowest first."""

    @property
    def instrument(self) -> str:
        return f"{self.base}-USDT-PERP"

    @property
    def price_places(self) -> int:
        return _places(self.tick_size)

    @property
    def quantity_places(self) -> int:
        return _places(self.lot_size)


def _places(step: str) -> int:
    return len(step.partition(".")[2])


_BTC_TIERS = (
    (50_000, 125, "0.004"), (600_000, 100, "0.005"), (3_000_000, 75, "0.0065"), (12_000_000, 50, "0.01"),
    (70_000_000, 25, "0.02"), (100_000_000, 20, "0.025"), (230_000_000, 10, "0.05"), (480_000_000, 5, "0.1"),
)  # fmt: skip
_ETH_TIERS = (
    (50_000, 100, "0.005"), (600_000, 75, "0.0065"), (3_000_000, 50, "0.01"), (12_000_000, 25, "0.02"),
    (50_000_000, 20, "0.025"), (80_000_000, 10, "0.05"), (150_000_000, 5, "0.1"),
)  # fmt: skip
_ALT_TIERS = (
    (10_000, 75, "0.006"), (50_000, 50, "0.01"), (500_000, 25, "0.02"), (1_000_000, 20, "0.025"),
    (5_000_000, 10, "0.05"), (10_000_000, 5, "0.1"),
)  # fmt: skip

LISTINGS = {
    listing.base: listing
    for listing in (
        Listing("BTC", "0.1", "0.001", "1000", "100", _BTC_TIERS),
        Listing("ETH", "0.01", "0.001", "10000", "20", _ETH_TIERS),
        Listing("SOL", "0.01", "0.01", "100000", "5", _ALT_TIERS),
        Listing("BNB", "0.01", "0.01", "20000", "5", _ALT_TIERS),
        Listing("XRP", "0.0001", "0.1", "2000000", "5", _ALT_TIERS),
        Listing("DOGE", "0.00001", "1", "30000000", "5", _ALT_TIERS),
    )
}


def listed(listing: Listing, venue: str, at: datetime) -> InstrumentListed:
    return InstrumentListed(
        event_id=named_id("market-data", venue, "listed", listing.instrument),
        at=at,
        instrument=listing.instrument,
        venue=venue,
        base=listing.base,
        quote="USDT",
        tick_size=Decimal(listing.tick_size),
        lot_size=Decimal(listing.lot_size),
        quantity_min=Decimal(listing.lot_size),
        quantity_max=Decimal(listing.quantity_max),
        notional_min=Decimal(listing.notional_min),
        contract_value=Decimal(1),
        leverage_max=Decimal(listing.tiers[0][1]),
        maker_fee_rate=Decimal("0.0002"),
        taker_fee_rate=Decimal("0.0005"),
        funding_interval_hours=8,
        tiers=tuple(_tiers(listing.tiers)),
    )


def _tiers(rows: Iterable[tuple[int, int, str]]) -> Iterable[MarginTier]:
    """Binance's maintenance amount: cum(n) = cum(n-1) + floor(n) * (rate(n) - rate(n-1)); margin has no step."""
    floor, rate_before, deduction = Decimal(0), Decimal(0), Decimal(0)
    for cap, leverage, written in rows:
        rate = Decimal(written)
        deduction += floor * (rate - rate_before)
        yield MarginTier(
            floor=floor,
            cap=Decimal(cap),
            leverage_max=Decimal(leverage),
            maintenance_margin_rate=rate,
            deduction=deduction,
        )
        floor, rate_before = Decimal(cap), rate
