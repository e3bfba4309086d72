"""Sums without rounding. What must be rounded, is rounded here."""

from collections.abc import Sequence
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    localcontext,
)
from typing import Any

ZERO = Decimal()
_EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
_DIVISION = Decimal("1e-12")
_DIVIDING = Context(prec=50, rounding=ROUND_HALF_EVEN)
"""38 digits before the twelve places: more than any sum of wire values has."""
WIDE = Context(prec=50, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow, DivisionByZero])
"""For what is no sum: roots, powers, means."""
_WIRE_PLACES = 18
_WIRE = Decimal("1e-18")


def exact() -> Any:
    """A context in which sums and products of wire values keep every digit (Python's own keeps 28)."""
    return localcontext(_EXACT)


def product(quantity: Decimal, price: Decimal) -> Decimal:
    """quantity * price, exact unless that has more places than the wire carries."""
    value = quantity * price
    if len(str(value)) <= _WIRE_PLACES:
        return value  # too short to have too many places, and as_tuple is slow
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return value if exponent >= -_WIRE_PLACES else value.quantize(_WIRE, context=_EXACT)


def quotient(value: Decimal, divisor: Decimal) -> Decimal:
    """value / divisor to 12 places."""
    return _DIVIDING.divide(value, divisor).quantize(_DIVISION, context=_DIVIDING)


def mean(values: Sequence[Decimal]) -> Decimal | None:
    """To 12 places; None of none."""
    return quotient(sum(values, ZERO), Decimal(len(values))) if values else None


def share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """whole * part / of, to 12 places toward zero: what stays of the whole has its sign."""
    return (_DIVIDING.divide(whole * part, of)).quantize(_DIVISION, rounding=ROUND_DOWN, context=_DIVIDING)
