"""Chance as a pure function: the same seed and label give the same draw on every machine."""

import hashlib
from decimal import Decimal

_STEPS = 2**40


def draw(seed: str, label: str) -> Decimal:
    """From 0 up to but not 1, in 2^40 equal steps, to 12 places."""
    digest = hashlib.sha256(f"{seed}|{label}".encode()).digest()
    return (Decimal(int.from_bytes(digest[:5], "big")) / _STEPS).quantize(Decimal("1e-12"), "ROUND_DOWN")
