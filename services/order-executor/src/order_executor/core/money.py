"""Exact sums; only divisions and fees are rounded, to twelve places, half to even."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

ZERO = Decimal(0)
_PLACES = Decimal("1e-12")
# Wide enough for the largest quantity times the largest price, with its places.
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN)


def rounded(value: Decimal) -> Decimal:
    return value.quantize(_PLACES, context=_CONTEXT).normalize(_CONTEXT)


def times(*factors: Decimal) -> Decimal:
    product = Decimal(1)
    for factor in factors:
        product = _CONTEXT.multiply(product, factor)
    return rounded(product)


def share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """`whole` * `part` / `of`."""
    return rounded(_CONTEXT.divide(_CONTEXT.multiply(whole, part), of))
