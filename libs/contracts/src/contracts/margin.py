"""Margin of linear perpetuals: what the venue, the risk gate and the tracker reckon alike.

Money is in USD, quantities are base units, above zero is long, prices are USD for one unit. Both tier conventions are
one formula: maintenance = quantity * mark * rate - deduction. OKX finds the tier by contracts and deducts nothing;
Binance finds it by notional and deducts the cumulative amount, so that the margin has no step. A tier holds from above
its floor up to its cap. Sources: OKX help, maintenance margin and forced liquidation; Binance, liquidation protocols.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from contracts.market import InstrumentListed, MarginTier
from contracts.money import CONTEXT, ZERO, rounded, times

ONE = Decimal(1)
_UNBOUNDED = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class MarginPosition:
    """A position as far as its margin is concerned, valued at the mark price."""

    quantity: Decimal
    cost: Decimal
    """quantity * average entry, of the quantity's sign."""
    mark_price: Decimal
    tiers: tuple[MarginTier, ...]
    """As of `tiers_of`: never empty."""
    contract_value: Decimal = ONE
    fee_rate: Decimal = ZERO
    """Of the liquidation fee, held back beside the maintenance margin; zero where the venue holds nothing back."""

    @property
    def notional(self) -> Decimal:
        return times(abs(self.quantity), self.mark_price)

    @property
    def unrealised_pnl(self) -> Decimal:
        return times(self.quantity, self.mark_price) - self.cost

    @property
    def tier(self) -> int:
        return tier_at(self.tiers, self.quantity, self.mark_price, self.contract_value)

    @property
    def maintenance_margin(self) -> Decimal:
        tier = self.tiers[self.tier]
        return max(ZERO, times(self.notional, tier.maintenance_margin_rate) - tier.deduction)

    @property
    def liquidation_fee(self) -> Decimal:
        return times(self.notional, self.fee_rate)

    @property
    def required(self) -> Decimal:
        """Equity at or below it is liquidated."""
        return self.maintenance_margin + self.liquidation_fee


def tiers_of(instrument: InstrumentListed) -> tuple[MarginTier, ...]:
    """The instrument's own; where none are listed, one tier at half the initial margin of its highest leverage.

    That is Hyperliquid's rule for what it lists without a table.
    """
    if instrument.tiers:
        return instrument.tiers
    rate = rounded(CONTEXT.divide(ONE, 2 * instrument.leverage_max))
    whole = MarginTier(
        floor=ZERO, cap=_UNBOUNDED, leverage_max=instrument.leverage_max, maintenance_margin_rate=rate, deduction=ZERO
    )
    return (whole,)


def tier_at(tiers: tuple[MarginTier, ...], quantity: Decimal, price: Decimal, contract_value: Decimal = ONE) -> int:
    """Counted from 0; beyond the last cap it is the last."""
    for number, tier in enumerate(tiers[:-1]):
        if abs(quantity) <= largest(tier, price, contract_value):
            return number
    return len(tiers) - 1


def largest(tier: MarginTier, price: Decimal, contract_value: Decimal = ONE) -> Decimal:
    """The largest position of the tier at this price, base units."""
    return _size(tier.cap, tier, price, contract_value)


def initial_margin(quantity: Decimal, price: Decimal, leverage: Decimal) -> Decimal:
    """|quantity| * price / leverage: on the mark in cross margin, on the average entry in isolated."""
    return rounded(CONTEXT.divide(CONTEXT.multiply(abs(quantity), price), leverage))


def collateral(cash: Decimal, others: Iterable[MarginPosition] = ()) -> Decimal:
    """What carries one position: the isolated margin, or the cash of a cross account with all but it settled."""
    return cash + sum((each.unrealised_pnl - each.required for each in others), ZERO)


def margin_ratio(equity: Decimal, required: Decimal) -> Decimal | None:
    """Equity over maintenance margin and liquidation fees: at or below 1 is liquidated. None: nothing is required."""
    return rounded(CONTEXT.divide(equity, required)) if required else None


def liquidation_price(position: MarginPosition, carried_by: Decimal) -> Decimal | None:
    """The mark price at which equity is down to maintenance margin and fee, all else as it is.

    `carried_by` is the position's `collateral`. Where the price crosses into another tier on its way, that tier's rate
    decides. None where no price above zero liquidates.
    """
    is_long = position.quantity > 0
    step = -1 if is_long else 1
    number = position.tier
    while True:
        price = _price_in(position, position.tiers[number], carried_by)
        last = not 0 <= number + step < len(position.tiers)
        if last or not _beyond(position, position.tiers[number], price):
            break
        number += step
    tier = position.tiers[number]
    if not is_long and number > position.tier:
        price = max(price, _boundary(position, tier.floor, tier))
    return rounded(price) if price > 0 else None


def bankruptcy_price(quantity: Decimal, cost: Decimal, margin: Decimal, fee_rate: Decimal = ZERO) -> Decimal:
    """Where closing all, fee paid, leaves nothing of `margin`: (E - s * M / Q) / (1 - s * fee)."""
    sign = ONE.copy_sign(quantity)
    return rounded(CONTEXT.divide(CONTEXT.divide(cost - margin, quantity), ONE - sign * fee_rate))


def _price_in(position: MarginPosition, tier: MarginTier, carried_by: Decimal) -> Decimal:
    """(cost - collateral - deduction) / (s * Q - Q * (rate + fee))."""
    rate = tier.maintenance_margin_rate + position.fee_rate
    slope = position.quantity - CONTEXT.multiply(abs(position.quantity), rate)
    return CONTEXT.divide(position.cost - carried_by - tier.deduction, slope)


def _beyond(position: MarginPosition, tier: MarginTier, price: Decimal) -> bool:
    """Whether the way to the price leaves the tier: falling makes a long smaller, rising makes a short larger."""
    if tier.unit == "contracts":
        return False
    if position.quantity > 0:
        return price <= _boundary(position, tier.floor, tier)
    return price > _boundary(position, tier.cap, tier)


def _boundary(position: MarginPosition, notional: Decimal, tier: MarginTier) -> Decimal:
    return CONTEXT.divide(notional, abs(position.quantity)) if tier.unit == "notional" else ZERO


def _size(bound: Decimal, tier: MarginTier, price: Decimal, contract_value: Decimal) -> Decimal:
    if tier.unit == "contracts":
        return CONTEXT.multiply(bound, contract_value)
    return CONTEXT.divide(bound, price)
