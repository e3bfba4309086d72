"""Sums of money, to twelve places."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

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


def ratio(part: Decimal, of: Decimal) -> Decimal:
    return rounded(_CONTEXT.divide(part, of))


def is_multiple(value: Decimal, step: Decimal) -> bool:
    return _CONTEXT.remainder(value, step) == ZERO


def up_to_step(value: Decimal, step: Decimal) -> Decimal:
    return _CONTEXT.multiply((value / step).to_integral_value(ROUND_CEILING), step)


def down_to_step(value: Decimal, step: Decimal) -> Decimal:
    return _CONTEXT.multiply((value / step).to_integral_value(ROUND_FLOOR), step)
