"""Exact products; only what has to be is rounded, to twelve places, half to even: the same in every core."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

ZERO = Decimal(0)
PLACES = 12
_PLACE = Decimal(1).scaleb(-PLACES)
CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN)
"""Wide enough for the largest quantity times the largest price, with its places."""


def rounded(value: Decimal) -> Decimal:
    return value.quantize(_PLACE, context=CONTEXT).normalize(CONTEXT)


def times(*factors: Decimal) -> Decimal:
    product = Decimal(1)
    for factor in factors:
        product = CONTEXT.multiply(product, factor)
    return rounded(product)


def ratio(part: Decimal, of: Decimal) -> Decimal:
    return rounded(CONTEXT.divide(part, of))


def share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """`whole` * `part` / `of`."""
    return rounded(CONTEXT.divide(CONTEXT.multiply(whole, part), of))
