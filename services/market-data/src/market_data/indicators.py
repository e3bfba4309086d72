"""Indicators by TA-Lib: pure functions of closed bars. None until there are bars enough; never a value made up.

EMA: seeded with the simple average of its first `n` closes. MACD: EMA 12 less EMA 26. RSI and ATR: Wilder's.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import talib

from market_data.core.snapshot import Indicators, Series


def compute(highs: Sequence[float], lows: Sequence[float], closes: Sequence[float]) -> Indicators:
    high, low, close = np.array(highs), np.array(lows), np.array(closes)
    return Indicators(
        ema20=ema(close, 20),
        ema50=ema(close, 50),
        macd=macd(close),
        rsi7=_warm(talib.RSI, close, period=7),
        rsi14=_warm(talib.RSI, close, period=14),
        atr3=_warm(talib.ATR, high, low, close, period=3),
        atr14=_warm(talib.ATR, high, low, close, period=14),
    )


def ema(close: Any, period: int) -> Series:
    return _warm(talib.EMA, close, period=period)


def macd(close: Any) -> Series:
    return [
        None if fast is None or slow is None else fast - slow
        for fast, slow in zip(ema(close, 12), ema(close, 26), strict=True)
    ]


def _warm(function: Callable[..., Any], *columns: Any, period: int) -> Series:
    if not len(columns[0]):
        return []  # TA-Lib refuses nothing at all
    return [None if np.isnan(value) else float(value) for value in function(*columns, timeperiod=period)]
