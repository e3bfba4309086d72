"""The walk of values: correlated returns, volatility clusters, jumps, a slow drift, a premium.

Only additions, multiplications, divisions and square roots of float64 are used, no exp, no matrix product: these round
alike on every machine, so the same seed gives the same bytes everywhere (numpy is pinned: its streams are its own).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchanges.synthetic import parameters as p

Floats = NDArray[np.float64]
COUNT = len(p.CHARACTERS)
SIGMA = np.array([character.sigma for character in p.CHARACTERS])
CORRELATION = np.array([character.correlation for character in p.CHARACTERS])
_OWN = np.sqrt(1 - CORRELATION * CORRELATION)


@dataclass
class Walk:
    """Where the walk stands, one number an instrument."""

    value: Floats
    """What the market is worth: the index price."""
    variance: Floats
    """Of a second's return."""
    trend: Floats
    noise: Floats
    premium: Floats
    open_interest: Floats
    """USD."""
    premium_sum: Floats
    """Since the funding interval began."""
    premium_count: int = 0

    @classmethod
    def begin(cls) -> "Walk":
        return cls(
            value=np.array([character.price for character in p.CHARACTERS]),
            variance=SIGMA * SIGMA,
            trend=np.zeros(COUNT),
            noise=np.zeros(COUNT),
            premium=np.full(COUNT, 0.0001),
            open_interest=np.array([character.open_interest_usd for character in p.CHARACTERS]),
            premium_sum=np.zeros(COUNT),
        )

    def dump(self) -> dict[str, Any]:
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(self).items()}

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> "Walk":
        values: dict[str, Any] = {k: np.array(v) if isinstance(v, list) else v for k, v in dumped.items()}
        return cls(**values)


@dataclass
class Shocks:
    """The randomness of a block of steps: (steps, instruments) each, `market` (steps,)."""

    market: Floats
    own: Floats
    trend: Floats
    noise: Floats
    premium: Floats
    interest: Floats
    jump: Floats
    """In units of sigma, nearly always 0."""

    @classmethod
    def draw(cls, rng: np.random.Generator, steps: int, seconds: float) -> "Shocks":
        own, trend, noise, premium, interest = rng.standard_normal((5, steps, COUNT))
        market = rng.standard_normal(steps)
        return cls(market, own, trend, noise, premium, interest, _jumps(rng, steps, seconds))


def _jumps(rng: np.random.Generator, steps: int, seconds: float) -> Floats:
    """Those of the whole market and each instrument's own."""
    happens = rng.random((steps, COUNT + 1)) < p.JUMPS_A_SECOND * seconds
    sizes = rng.standard_normal((steps, COUNT + 1)) * p.JUMP_SIGMAS
    jumps = np.where(happens, sizes, 0.0)
    together: Floats = jumps[:, :1] + jumps[:, 1:]
    return together


@dataclass
class Path:
    """What a block of steps came to: (steps, instruments) each."""

    index: Floats
    mark: Floats
    mid: Floats
    heat: Floats
    """Volatility as a multiple of its normal."""
    funding: Floats
    open_interest: Floats
    """USD."""


def advance(walk: Walk, shocks: Shocks, seconds: float, funding_ends: NDArray[np.bool_]) -> Path:
    """Move the walk by a block; `funding_ends` marks the steps with which a new funding interval begins."""
    rows = [_step(walk, shocks, i, seconds, bool(funding_ends[i])) for i in range(len(shocks.market))]
    return Path(*(np.array(column) for column in zip(*rows, strict=True)))


def _step(walk: Walk, shocks: Shocks, i: int, seconds: float, funding_ends: bool) -> tuple[Floats, ...]:
    root = seconds**0.5
    sigma = np.sqrt(walk.variance)
    jump = shocks.jump[i] * SIGMA
    drift = walk.trend * seconds
    moved = sigma * root * (CORRELATION * shocks.market[i] + _OWN * shocks.own[i]) + drift + jump
    moved = np.clip(moved, -p.RETURN_MAX, p.RETURN_MAX)
    walk.value = walk.value * (1 + moved)
    _cluster(walk, moved * moved / seconds)
    walk.trend = walk.trend * p.TREND_PERSISTENCE + SIGMA * (_TREND_SHOCK * shocks.trend[i])
    walk.noise = walk.noise * p.NOISE_PERSISTENCE + (p.NOISE_BPS * 1e-4) * shocks.noise[i]
    walk.premium = walk.premium * p.PREMIUM_PERSISTENCE + _PREMIUM_SHOCK * shocks.premium[i]
    walk.open_interest = walk.open_interest * (1 + np.clip(3e-5 * root * shocks.interest[i], -0.01, 0.01))
    if funding_ends:
        walk.premium_sum, walk.premium_count = np.zeros(COUNT), 0
    walk.premium_sum = walk.premium_sum + walk.premium
    walk.premium_count += 1
    mark = walk.value * (1 + walk.premium)
    mid = walk.value * (1 + walk.premium + walk.noise)
    heat = np.sqrt(walk.variance) / SIGMA
    return walk.value, mark, mid, heat, funding_rate(walk.premium_sum / walk.premium_count), walk.open_interest


_TREND_SHOCK = p.TREND_SHARE * (1 - p.TREND_PERSISTENCE**2) ** 0.5
_PREMIUM_SHOCK = p.PREMIUM_BPS * 1e-4 * (1 - p.PREMIUM_PERSISTENCE**2) ** 0.5


def _cluster(walk: Walk, squared: Floats) -> None:
    mean = SIGMA * SIGMA
    felt = np.minimum(squared, p.SQUARED_MAX * mean)
    variance = (1 - p.GARCH_A - p.GARCH_B) * mean + p.GARCH_A * felt + p.GARCH_B * walk.variance
    walk.variance = np.minimum(variance, p.VARIANCE_MAX * mean)


def funding_rate(premium: Floats) -> Floats:
    """Binance's: F = P + clamp(I - P, -0.05 %, 0.05 %), P the interval's average premium, I = 0.01 %."""
    clamped = np.clip(p.INTEREST - premium, -p.FUNDING_CLAMP, p.FUNDING_CLAMP)
    rate: Floats = np.clip(premium + clamped, -p.FUNDING_MAX, p.FUNDING_MAX)
    return rate
