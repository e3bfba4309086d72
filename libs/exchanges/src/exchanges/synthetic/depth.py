"""Books and trades around a path of prices, in whole ticks and lots."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchanges.synthetic.parameters import CHARACTERS, Character
from exchanges.synthetic.prices import COUNT, Floats, Path

LEVELS = 20
TRADES_MAX = 8
"""Of one instrument in one step."""

Ints = NDArray[np.int64]


def _grain(character: Character) -> float:
    """The power of ten that makes a mean level some hundred grains."""
    lots = character.level_usd / character.price / float(character.listing.lot_size)
    return 10.0 ** max(0, len(str(int(lots))) - 3)


_TICK = np.array([float(character.listing.tick_size) for character in CHARACTERS])
_LOT = np.array([float(character.listing.lot_size) for character in CHARACTERS])
_SPREAD = np.array([character.spread_bps for character in CHARACTERS]) * 1e-4
_GAP = np.array([character.level_bps for character in CHARACTERS]) * 1e-4
_LEVEL_USD = np.array([character.level_usd for character in CHARACTERS])
_TRADE_USD = np.array([character.trade_usd for character in CHARACTERS])
_TRADES = np.array([character.trades_a_second for character in CHARACTERS])
_GRAIN = np.array([_grain(character) for character in CHARACTERS])
"""Lots that sizes in the book are multiples of."""
_DEEPER = 1 + 0.12 * np.arange(LEVELS)


@dataclass
class Depth:
    """A block of books: (steps, instruments, sides, levels), bids first."""

    prices: list[Any]
    """In ticks."""
    quantities: list[Any]
    """In lots."""


def books(rng: np.random.Generator, path: Path) -> Depth:
    shape = (*path.mid.shape, 2, LEVELS)
    gaps = 1 + np.floor(rng.random(shape) * 2 * _gap_ticks(path)[:, :, None, None])
    gaps[..., 0] = 0
    away = np.cumsum(gaps, axis=-1)
    bid, ask = _touch(path)
    prices = np.empty(shape)
    prices[:, :, 0] = np.maximum(bid[..., None] - away[:, :, 0], 1)
    prices[:, :, 1] = ask[..., None] + away[:, :, 1]
    usd = (_LEVEL_USD / path.heat)[:, :, None, None] * (0.3 + 1.4 * rng.random(shape)) * _DEEPER
    grains = np.maximum(np.rint(usd / (path.mid * _LOT * _GRAIN)[:, :, None, None]), 1)
    return Depth(prices.astype(int).tolist(), (grains * _GRAIN[:, None, None]).astype(int).tolist())


def _gap_ticks(path: Path) -> Floats:
    """The mean distance of two levels beyond one tick; it grows with volatility."""
    ticks: Floats = np.maximum(path.mid * _GAP * path.heat / _TICK - 0.5, 0.0)
    return ticks


def _touch(path: Path) -> tuple[Floats, Floats]:
    half = path.mid * _SPREAD * path.heat / 2
    bid = np.floor((path.mid - half) / _TICK)
    return bid, np.maximum(np.ceil((path.mid + half) / _TICK), bid + 1)


@dataclass
class Prints:
    """A block of trades: how many in (steps, instruments), and for each its size and whether it bought."""

    counts: list[list[int]]
    quantities: list[Any]
    """In lots."""
    bought: list[Any]


def prints(rng: np.random.Generator, path: Path, seconds: float) -> Prints:
    steps = len(path.mid)
    counts = np.minimum(rng.poisson(_TRADES * seconds, (steps, COUNT)), TRADES_MAX)
    usd = rng.standard_exponential((steps, COUNT, TRADES_MAX)) * (_TRADE_USD * path.heat)[:, :, None]
    usd = usd * np.maximum(_TRADES * seconds / TRADES_MAX, 1)[None, :, None]
    lots = np.maximum(np.rint(usd / (path.mid * _LOT)[:, :, None]), 1)
    # More are bought than sold where the price stands above its value's mark, and the other way round.
    lean = 0.5 + np.clip((path.mid / path.mark - 1) * 2_000, -0.3, 0.3)
    bought = rng.random((steps, COUNT, TRADES_MAX)) < lean[:, :, None]
    return Prints(counts.tolist(), lots.astype(int).tolist(), bought.tolist())
