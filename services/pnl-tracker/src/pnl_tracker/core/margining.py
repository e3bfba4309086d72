"""What the open positions need: maintenance margin, margin ratio, and the price at which each would be liquidated.

The formulas stand in `contracts.margin`. A cross position is carried by the account's cash, less the margin of isolated
positions, plus what the other cross positions are worth beyond their own requirement; an isolated one by its initial
margin.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from contracts.margin import ONE, MarginPosition, initial_margin, liquidation_price, tier_at, tiers_of
from contracts.market import InstrumentListed, MarginTier
from contracts.portfolios import PositionView

from pnl_tracker.core.money import ZERO, quotient

if TYPE_CHECKING:
    from pnl_tracker.core.position import Position


class Terms(NamedTuple):
    """Of one instrument, as its venue lists it."""

    tiers: tuple[MarginTier, ...]
    contract_value: Decimal
    fee_rate: Decimal
    """Of the liquidation fee: the taker fee, unless the season sets another."""


Listings = Mapping[str, Terms]


def terms_of(listing: InstrumentListed) -> Terms:
    return Terms(tiers_of(listing), listing.contract_value, max(ZERO, listing.taker_fee_rate))


class Need(NamedTuple):
    """What one position requires at its mark price, and all of its liquidation price that the rest cannot change.

    Within the tier of the mark price it is a straight line; a fill of another position moves `carried_by` only:
    price = (offset - carried_by) / slope. `contracts.margin` decides where the line leaves the tier at `bound`.
    """

    maintenance: Decimal
    required: Decimal
    """With the liquidation fee: equity at or below it is liquidated."""
    offset: Decimal
    slope: Decimal
    bound: Decimal | None
    """The tier's end on the way: below a long, above a short; None where it does not depend on the price."""
    terms: Terms
    quantity: Decimal
    cost: Decimal
    mark_price: Decimal

    def liquidation_price(self, carried_by: Decimal) -> Decimal | None:
        left = self.offset - carried_by
        if self.bound is None and (left > 0) != (self.slope > 0):
            return None  # not above zero
        price = quotient(left, self.slope)
        if self.bound is not None and (price <= self.bound if self.slope > 0 else price > self.bound):
            return liquidation_price(self._position, carried_by)
        return price if price > 0 else None

    @property
    def _position(self) -> MarginPosition:
        return MarginPosition(self.quantity, self.cost, self.mark_price, *self.terms)


def need_of(quantity: Decimal, cost: Decimal, mark_price: Decimal, terms: Terms) -> Need:
    tiers, contract_value, fee_rate = terms
    number = tier_at(tiers, quantity, mark_price, contract_value)
    tier, size = tiers[number], abs(quantity)
    notional = size * mark_price
    maintenance = max(ZERO, quotient(notional * tier.maintenance_margin_rate - tier.deduction, ONE))
    required = maintenance + quotient(notional * fee_rate, ONE)
    ends = number > 0 if quantity > 0 else number < len(tiers) - 1
    bound = quotient(tier.floor if quantity > 0 else tier.cap, size) if ends and tier.unit == "notional" else None
    slope = quantity - size * (tier.maintenance_margin_rate + fee_rate)
    return Need(maintenance, required, cost - tier.deduction, slope, bound, terms, quantity, cost, mark_price)


class Margins(NamedTuple):
    maintenance: Decimal | None
    """None: an instrument's tiers are not known."""
    ratio: Decimal | None
    """Of the cross positions; None where they require nothing."""


UNKNOWN = Margins(None, None)


def margined(
    cash: Decimal,
    positions: "Sequence[Position]",
    views: list[PositionView],
    listings: Listings,
    fee_rate: Decimal | None,
) -> Margins:
    """Sets the liquidation prices in `views`, those of `positions`, anew where what they depend on changed."""
    free, total, needed = cash, ZERO, ZERO
    needs: list[Need] = []
    for position, view in zip(positions, views, strict=True):
        need = position.need or _need(position, view, listings, fee_rate)
        if need is None:
            return UNKNOWN
        needs.append(need)
        total += need.maintenance
        if position.margin_mode == "cross":
            free += view.unrealised_pnl
            needed += need.required
        else:
            free -= _isolated(position)
    carrying = free - needed
    for n, (position, need) in enumerate(zip(positions, needs, strict=True)):
        view = views[n]
        if position.margin_mode == "cross":
            # cash and the others' profit, less what the others require
            views[n] = _shown(position, view, need, carrying - view.unrealised_pnl + need.required)
        else:
            views[n] = _shown(position, view, need, _isolated(position))
    return Margins(total, quotient(free, needed) if needed else None)


def _need(position: "Position", view: PositionView, listings: Listings, fee_rate: Decimal | None) -> Need | None:
    """Kept until what is shown of the position changes; None where the instrument is not known."""
    terms = listings.get(position.instrument)
    if terms is not None:
        terms = terms if fee_rate is None else terms._replace(fee_rate=max(ZERO, fee_rate))
        position.need = need_of(position.quantity, position.cost, view.mark_price, terms)
    return position.need


def _isolated(position: "Position") -> Decimal:
    return initial_margin(position.cost, Decimal(1), position.leverage)


def _shown(position: "Position", view: PositionView, need: Need, carried_by: Decimal) -> PositionView:
    """The view with its liquidation price; the same view where that did not move."""
    price = need.liquidation_price(carried_by)
    if price == view.liquidation_price:
        return view
    position.shown = PositionView.made(**(view.__dict__ | {"liquidation_price": price}))
    return position.shown
