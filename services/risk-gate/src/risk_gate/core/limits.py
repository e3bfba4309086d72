"""What the season allows in size, and what the account can bear.

Only orders that may take on risk are held against these: a competitor may always get out.
"""

from decimal import Decimal

from contracts.margin import tier_at
from contracts.market import InstrumentListed, MarginTier
from contracts.money import ZERO, times

from risk_gate.core.engine import Finding, rule
from risk_gate.core.facts import Case


@rule("LEVERAGE_ABOVE_MAX", "", "enter", unit="x")
def leverage_max(case: Case) -> Finding:
    """The least of the season's, the instrument's, and that of the tier which the position would be in."""
    order = case.order
    tier = tier_of(order.instrument, order.size, order.basis)
    caps = {"the season": order.rules.leverage_max, "the instrument": order.instrument.leverage_max}
    if tier is not None:
        caps["the tier of so large a position"] = tier.leverage_max
    whose = min(caps, key=lambda name: caps[name])
    words = f"leverage {{value}} is above {{limit}}, the most that {whose} allows"
    return Finding(order.leverage <= caps[whose], order.leverage, caps[whose], words)


@rule(
    "POSITION_ABOVE_MAX", "a position of {value} is beyond the instrument's last tier, which ends at {limit}", "enter"
)
def tiers_end(case: Case) -> Finding | None:
    order = case.order
    if not order.opened or not order.instrument.tiers:
        return None
    last = order.instrument.tiers[-1]
    size = in_unit(last, order.instrument, order.size, order.basis)
    return Finding(size <= last.cap, size, last.cap)


def tier_of(instrument: InstrumentListed, size: Decimal, price: Decimal) -> MarginTier | None:
    """The first whose cap holds a position of so many base units, the last where none does."""
    tiers = instrument.tiers
    return tiers[tier_at(tiers, size, price, instrument.contract_value)] if tiers else None


def in_unit(tier: MarginTier, instrument: InstrumentListed, size: Decimal, price: Decimal) -> Decimal:
    return size / instrument.contract_value if tier.unit == "contracts" else times(size, price)


@rule(
    "NOTIONAL_BELOW_MIN",
    "an order of {value} USD is less than {limit} USD, the least that is allowed",
    "enter",
    unit="USD",
)
def notional_min(case: Case) -> Finding:
    value, limit = case.order.notional, case.order.instrument.notional_min
    return Finding(value >= limit, value, limit)


@rule(
    "NOTIONAL_ABOVE_MAX",
    "an order of {value} USD is more than {limit} USD, the most that is allowed",
    "enter",
    unit="USD",
)
def notional_max(case: Case) -> Finding:
    value, limit = case.order.notional, case.order.rules.order_notional_max
    return Finding(value <= limit, value, limit)


@rule(
    "POSITION_ABOVE_MAX",
    "a position of {value} USD is more than {limit} USD, the most that is allowed",
    "enter",
    unit="USD",
)
def position_max(case: Case) -> Finding | None:
    """Whichever of the round's orders fill; one that only reduces may leave any size behind."""
    order = case.order
    if not order.opened:
        return None
    value, limit = times(order.size, order.basis), order.rules.position_notional_max
    return Finding(value <= limit, value, limit)


@rule("POSITIONS_ABOVE_MAX", "it would be {value} open positions, {limit} are allowed", "enter")
def positions_max(case: Case) -> Finding | None:
    """Market orders that close count as filled, and every order that may open one does."""
    order, since = case.order, case.standing.since_opening
    names = {each.instrument for each in order.portfolio.positions} | set(since)
    taken = {name for name in names if case.held(name) != ZERO or case.standing.round_orders(name).opens}
    if order.name in taken or not order.opened:
        return None
    value, limit = len(taken) + 1, order.rules.positions_max
    return Finding(value <= limit, value, limit)


@rule(
    "MARGIN_INSUFFICIENT",
    "the worst fill in the band takes {value} USD of margin, {limit} USD are free",
    "enter",
    unit="USD",
)
def margin(case: Case) -> Finding | None:
    """Free margin of the round's portfolio, less what the orders approved since may use up."""
    order = case.order
    if not order.opened:
        return None
    free = order.portfolio.margin_available - case.standing.approved_margin + order.margin_released
    return Finding(order.margin_needed <= free, order.margin_needed, free)
