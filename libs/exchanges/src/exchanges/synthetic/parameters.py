"""What the six instruments are like."""

from typing import NamedTuple

from exchanges.listing import LISTINGS, Listing

SECONDS_A_YEAR = 365 * 86_400


class Character(NamedTuple):
    base: str
    price: float
    """USD where the feed begins."""
    volatility: float
    """Of a year, 0.5 is 50 per cent."""
    correlation: float
    """Share of the common factor in a return."""
    spread_bps: float
    """In calm; it widens with volatility."""
    level_bps: float
    """Mean distance of two levels of the book."""
    level_usd: float
    """Mean notional of the best level; deeper levels hold more, all hold less when volatility is high."""
    trades_a_second: float
    trade_usd: float
    open_interest_usd: float

    @property
    def listing(self) -> Listing:
        return LISTINGS[self.base]

    @property
    def sigma(self) -> float:
        """Standard deviation of a second's return."""
        return self.volatility / float(SECONDS_A_YEAR**0.5)


CHARACTERS = (
    Character("BTC", 68_000.0, 0.50, 0.90, 0.3, 0.15, 120_000, 1.6, 6_000, 6e9),
    Character("ETH", 3_500.0, 0.65, 0.85, 0.4, 0.2, 90_000, 1.4, 4_500, 4e9),
    Character("SOL", 165.0, 0.90, 0.75, 0.9, 0.7, 50_000, 1.0, 2_500, 1e9),
    Character("BNB", 590.0, 0.55, 0.70, 0.6, 0.3, 40_000, 0.8, 2_500, 5e8),
    Character("XRP", 0.55, 0.85, 0.65, 2.0, 1.9, 40_000, 0.9, 2_000, 6e8),
    Character("DOGE", 0.14, 1.00, 0.70, 1.2, 0.8, 35_000, 0.9, 1_800, 7e8),
)

# GARCH(1,1) of a second: variance' = (1 - a - b) * mean + a * return^2 + b * variance, half-life about 12 minutes.
GARCH_A = 0.02
GARCH_B = 0.979
SQUARED_MAX = 60.0
"""Times the mean variance: what a jump adds to volatility at most."""
VARIANCE_MAX = 25.0
"""Times the mean: volatility never passes five times its normal."""
TREND_PERSISTENCE = 1 - 1 / 1_800
"""Drift is remembered for half an hour."""
TREND_SHARE = 0.025
"""Standard deviation of the drift, in units of a second's volatility."""
NOISE_PERSISTENCE = 0.93
NOISE_BPS = 0.35
"""What pushes the traded price off its value, and is forgotten within a quarter of a minute."""
PREMIUM_PERSISTENCE = 1 - 1 / 7_200
PREMIUM_BPS = 4.0
"""Standard deviation of the perpetual's premium over its index."""
JUMPS_A_SECOND = 1 / 5_400
"""Of the whole market; each instrument has as many of its own."""
JUMP_SIGMAS = 30.0
RETURN_MAX = 0.05
INTEREST = 0.0001
FUNDING_CLAMP = 0.0005
FUNDING_MAX = 0.02
HEADLINES_A_SECOND = 1 / 1_800
