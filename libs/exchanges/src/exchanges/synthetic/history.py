"""One-minute bars that lead up to the feed's first prices: the walk run backwards, whole columns at once."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from exchanges.synthetic.parameters import CHARACTERS, Character
from exchanges.synthetic.prices import CORRELATION, COUNT, Floats
from exchanges.updates import Bar

MINUTE = timedelta(minutes=1)
_CALM_MINUTES = 90
"""How long volatility stays alike."""


def history(seed: int, before: datetime, days: int) -> Iterator[Bar]:
    """Bars of `days` whole days that end with the last full minute before `before`."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 2**32 + 1])))
    minutes = days * 24 * 60
    ends = before - timedelta(seconds=before.second, microseconds=before.microsecond)
    market, heat = rng.standard_normal(minutes), _heat(rng, minutes)
    for k in range(COUNT):
        own = np.sqrt(1 - CORRELATION[k] * CORRELATION[k]) * rng.standard_normal(minutes)
        moved = np.clip(CHARACTERS[k].sigma * 60**0.5 * heat * (CORRELATION[k] * market + own), -0.2, 0.2)
        yield from _bars(rng, CHARACTERS[k], ends, moved, heat)


def _heat(rng: np.random.Generator, minutes: int) -> Floats:
    """A moving average of sizes of shocks, about 1: calm hours and wild ones."""
    shocks = np.abs(rng.standard_normal(minutes + _CALM_MINUTES)) ** 3
    summed = np.cumsum(shocks)
    mean = (summed[_CALM_MINUTES:] - summed[:-_CALM_MINUTES]) / _CALM_MINUTES
    heat: Floats = np.clip(mean / 1.6, 0.4, 4.0)
    return heat


def _bars(rng: np.random.Generator, character: Character, ends: datetime, moved: Floats, heat: Floats) -> Iterator[Bar]:
    minutes, tick = len(moved), float(character.listing.tick_size)
    # The last close is the feed's first price; each close before is that one divided by the returns between.
    close = character.price / np.cumprod(np.concatenate([[1.0], 1 + moved[:0:-1]]))[::-1]
    opening = np.concatenate([[close[0] / (1 + moved[0])], close[:-1]])
    reach = np.abs(rng.standard_normal((2, minutes))) * (character.sigma * 60**0.5 * 0.5) * heat
    ticks = [
        np.maximum(np.rint(column / tick), 1)
        for column in (
            opening, np.maximum(opening, close) * (1 + reach[0]), np.minimum(opening, close) * (1 - reach[1]), close,
        )
    ]  # fmt: skip
    trades = np.maximum(rng.poisson(character.trades_a_second * 60, minutes), 1)
    volume = trades * character.trade_usd * heat * (0.5 + rng.random(minutes)) / close
    price, quantity = f"%.{character.listing.price_places}f", f"%.{character.listing.quantity_places}f"
    columns = [(column * tick).tolist() for column in ticks]
    opened_at = ends - minutes * MINUTE
    instrument = character.listing.instrument
    lot = 10.0**-character.listing.quantity_places
    for o, h, low, c, v, n in zip(*columns, np.maximum(volume, lot).tolist(), trades.tolist(), strict=True):
        yield Bar(
            instrument, opened_at, price % o, price % h, price % low, price % c, quantity % v, f"{v * c:.2f}", n
        )  # fmt: skip
        opened_at += MINUTE
