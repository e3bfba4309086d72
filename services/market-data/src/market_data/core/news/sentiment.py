"""What a text's own words say about a price: counted, so that nothing written in it can argue."""

import re
from decimal import Decimal

_GOOD_WORDS = (
    "rally rallies rallied surge surges surged soar soars soared jump jumps jumped gain gains gained rise rises rose "
    "rising climb climbs climbed rebound rebounds recover recovers recovery record bullish breakout approve approves "
    "approved approval adopt adopts adoption inflow inflows upgrade upgrades partnership launch launches accumulate "
    "accumulates buyers optimism strong wins beats"
)
_BAD_WORDS = (
    "crash crashes crashed plunge plunges plunged tumble tumbles tumbled slump slumps slide slides slid drop drops "
    "dropped fall falls fell falling decline declines declined sink sinks sank bearish selloff liquidation "
    "liquidations hack hacked exploit exploited breach stolen theft ban bans banned lawsuit sues sued fraud probe "
    "outflow outflows bankruptcy bankrupt insolvent default halt halts halted outage delist delists delisted reject "
    "rejects rejected fear fears weak sellers downgrade unwound loses losses"
)
_GOOD_ZH = ("上涨", "大涨", "飙升", "反弹", "突破", "新高", "看涨", "利好", "批准", "流入", "增持")
_BAD_ZH = (
    "下跌",
    "暴跌",
    "大跌",
    "跳水",
    "崩盘",
    "新低",
    "看跌",
    "利空",
    "黑客",
    "被盗",
    "流出",
    "破产",
    "禁止",
    "清算",
)
_DENIALS = "no not never without denies deny denied unlikely fails avoid avoids"
_GOOD, _BAD, _NOT = (frozenset(words.split()) for words in (_GOOD_WORDS, _BAD_WORDS, _DENIALS))
_words = re.compile(r"[a-z']+").findall
_PLACES = Decimal("0.01")


def sentiment(text: str) -> tuple[Decimal, Decimal]:
    """(from -1 to 1, confidence): (good - bad) / (good + bad), and n / (n + 2) of n words that count; (0, 0) of none.

    A word of denial just before one that counts turns it round.
    """
    words = _words(text.casefold())
    good = sum(text.count(word) for word in _GOOD_ZH)
    bad = sum(text.count(word) for word in _BAD_ZH)
    for before, word in zip(["", *words], words, strict=False):
        says = (word in _GOOD) - (word in _BAD)
        says = -says if before in _NOT else says
        good, bad = good + (says > 0), bad + (says < 0)
    count = good + bad
    if not count:
        return Decimal(0), Decimal(0)
    return (Decimal(good - bad) / count).quantize(_PLACES), (Decimal(count) / (count + 2)).quantize(_PLACES)
