"""How many tokens a text is, and what is left out where it is too long.

Tokenisers differ: some make one token of each digit. The estimate is cautious for all of them: four ASCII letters or
spaces are one token, every other character is one.
"""

from collections.abc import Sequence
from typing import NamedTuple

POINTS_MIN = 3
"""Bars that always stay."""
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ "
_LETTERS_AND_TAILS = _LETTERS + bytes(range(0x80, 0xC0))
"""Without the second and later bytes of a character in UTF-8, each counts once."""


def tokens(text: str) -> int:
    return -(-quarters(text) // 4)


def quarters(text: str) -> int:
    """Of a token; those of two texts add up."""
    others = len(text.encode().translate(None, _LETTERS_AND_TAILS))
    return len(text) + 3 * others


class Kept(NamedTuple):
    points: int
    news: int


def kept(fixed: int, rows: Sequence[int], news: Sequence[int], quarters_max: int) -> Kept:
    """First the oldest bars of all series go, one by one down to POINTS_MIN; then the oldest news.

    `rows[i]` is what the i-th newest bars of all series take together, `news` what each item takes, oldest first.
    """
    total, points = fixed + sum(rows) + sum(news), len(rows)
    while total > quarters_max and points > POINTS_MIN:
        points -= 1
        total -= rows[points]
    items = len(news)
    while total > quarters_max and items:
        total -= news[len(news) - items]
        items -= 1
    return Kept(points, items)
