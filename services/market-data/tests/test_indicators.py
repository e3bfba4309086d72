"""Against the definitions, written out again here without TA-Lib."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from market_data.core.snapshot import number
from market_data.indicators import compute

# A saw with a drift: changes of every size and both signs.
CLOSES = [100.0 + (7 * n) % 11 + n * 0.25 for n in range(70)]
HIGHS = [close + 1 + n % 3 for n, close in enumerate(CLOSES)]
LOWS = [close - 1 - n % 2 for n, close in enumerate(CLOSES)]


def ema(closes: Sequence[float], period: int) -> list[float | None]:
    value = sum(closes[:period]) / period
    out: list[float | None] = [None] * (period - 1) + [value]
    for close in closes[period:]:
        value += (close - value) * 2 / (period + 1)
        out.append(value)
    return out


def wilder(values: Sequence[float], period: int) -> list[float]:
    smooth = [sum(values[:period]) / period]
    for value in values[period:]:
        smooth.append((smooth[-1] * (period - 1) + value) / period)
    return smooth


def rsi(closes: Sequence[float], period: int) -> list[float | None]:
    changes = [b - a for a, b in pairwise(closes)]
    ups = wilder([max(change, 0.0) for change in changes], period)
    downs = wilder([max(-change, 0.0) for change in changes], period)
    return [None] * period + [100 * up / (up + down) for up, down in zip(ups, downs, strict=True)]


def atr(period: int) -> list[float | None]:
    ranges = [
        max(high - low, abs(high - before), abs(low - before))
        for high, low, before in zip(HIGHS[1:], LOWS[1:], CLOSES, strict=False)
    ]
    return [None] * period + list(wilder(ranges, period))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ema20", ema(CLOSES, 20)),
        ("ema50", ema(CLOSES, 50)),
        ("rsi7", rsi(CLOSES, 7)),
        ("rsi14", rsi(CLOSES, 14)),
        ("atr3", atr(3)),
        ("atr14", atr(14)),
    ],
)
def test_an_indicator_is_its_definition_and_null_until_warm(name: str, expected: list[float | None]) -> None:
    found = getattr(compute(HIGHS, LOWS, CLOSES), name)

    assert [value is None for value in found] == [value is None for value in expected]
    assert [value for value in found if value is not None] == pytest.approx([v for v in expected if v is not None])


def test_macd_is_the_fast_average_less_the_slow_one() -> None:
    found = compute(HIGHS, LOWS, CLOSES).macd
    fast, slow = ema(CLOSES, 12), ema(CLOSES, 26)

    assert found[:25] == [None] * 25
    assert found[25] == pytest.approx((fast[25] or 0) - (slow[25] or 0))
    assert found[-1] == pytest.approx((fast[-1] or 0) - (slow[-1] or 0))


def test_an_average_by_hand() -> None:
    # 19 closes of 10 and one of 30: 220 / 20; then 11 + (53 - 11) * 2 / 21
    closes = [10.0] * 19 + [30.0, 53.0]

    assert compute(closes, closes, closes).ema20[18:] == [None, pytest.approx(11.0), pytest.approx(15.0)]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_bars_give_nothing_made_up(count: int) -> None:
    found = compute(HIGHS[:count], LOWS[:count], CLOSES[:count])

    assert all(values == [None] * count for values in vars(found).values())


def test_a_number_keeps_its_full_precision_to_18_places() -> None:
    assert number(105.27272727272728) == Decimal("105.27272727272728")
    assert number(1.2345678901234567e-05) == Decimal("0.000012345678901235")
    assert number(None) is None
