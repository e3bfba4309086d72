"""Within which prices an instrument may trade now.

A season with a `price_band` has mark * (1 ± band). Else the price limit rule of OKX for perpetuals is in force
(okx.com/help/6974388462605), ten minutes and more after the listing:

    highest = min(max(index, index * (1 + Y) + premium), index * (1 + Z))
    lowest  = max(min(index, index * (1 - Y) + premium), index * (1 - Z))

with Y 2 %, Z 5 % for its first tier of assets and Y 4 %, Z 8 % for the others. The premium is the contract's average
price less the index over the last minutes; the venue's mark is the index plus just such an average, so it is
mark - index. Without an index the mark stands for it.
"""

from decimal import Decimal
from typing import NamedTuple

from contracts.competition import PRICE_LIMIT_MAX, SeasonRules
from contracts.market import InstrumentListed
from contracts.money import ZERO, times

from risk_gate.core.steps import down_to_step, up_to_step

FIRST_TIER = frozenset({"BTC", "DOT", "EOS", "ETH", "LINK", "LTC", "SOL", "XRP"})
NEAR, FAR = Decimal("0.02"), Decimal("0.05")
OTHERS_NEAR, OTHERS_FAR = Decimal("0.04"), PRICE_LIMIT_MAX


class Band(NamedTuple):
    lowest: Decimal
    highest: Decimal


def band(rules: SeasonRules, instrument: InstrumentListed, mark: Decimal, index: Decimal | None) -> Band:
    """USD, on ticks inside the exact bounds, never below one tick."""
    bounds = _around(mark, rules.price_band) if rules.price_band is not None else _okx(instrument, mark, index)
    tick = instrument.tick_size
    return Band(max(tick, up_to_step(bounds.lowest, tick)), max(tick, down_to_step(bounds.highest, tick)))


def _around(price: Decimal, share: Decimal) -> Band:
    return Band(times(price, 1 - share), times(price, 1 + share))


def _okx(instrument: InstrumentListed, mark: Decimal, index: Decimal | None) -> Band:
    is_first = instrument.base in FIRST_TIER
    index = mark if index is None else index
    near = _around(index, NEAR if is_first else OTHERS_NEAR)
    far = _around(index, FAR if is_first else OTHERS_FAR)
    premium = mark - index
    return Band(
        max(min(index, near.lowest + premium), far.lowest, ZERO), min(max(index, near.highest + premium), far.highest)
    )
