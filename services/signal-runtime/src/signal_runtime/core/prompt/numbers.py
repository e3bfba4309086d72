"""How numbers and times are written: to the step of what they measure, never with an exponent."""

from datetime import datetime
from decimal import Decimal

from contracts.types import plain

DASH = "–"
"""In a table: not yet available."""


def places(step: Decimal) -> int:
    """Decimals of a price or lot step: 0.10 has one, 10 has none."""
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "a step is finite"
    return max(-exponent, 0)


def fixed(value: Decimal | None, decimals: int, absent: str = DASH) -> str:
    return absent if value is None else f"{value:z.{decimals}f}"


def exact(value: Decimal | None, absent: str) -> str:
    """As it is, without the zeros at its end."""
    return absent if value is None else plain(value.normalize())


def usd(value: Decimal) -> str:
    return f"{value:z.2f}"


def percent(rate: Decimal) -> str:
    """0.0005 is 0.05."""
    return plain((rate * 100).normalize())


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
