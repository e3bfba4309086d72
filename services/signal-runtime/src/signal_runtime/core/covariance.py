"""How a book's parts move together, and how much risk each brings.

With r[k] the returns k bars ago and decay d, the covariance of i and j is sum(d^k * r_i[k] * r_j[k]) / sum(d^k): the
exponentially weighted one of RiskMetrics, about a mean of zero. For weights x (notional over equity, above zero long)
the variance of the book is x'Cx; what i contributes to it is x_i * (Cx)_i, and the contributions add up to it.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

Vector = Sequence[Decimal]
Matrix = Sequence[Vector]
ZERO = Decimal(0)


def returns(closes: Vector) -> list[Decimal]:
    """Of bar to bar, oldest first as the closes are."""
    return [after / before - 1 for before, after in pairwise(closes)]


def ewma(series: Sequence[Vector], decay: Decimal) -> list[list[Decimal]]:
    """Of returns, oldest first, all of one length above zero."""
    length = len(series[0])
    weights = [decay**age for age in range(length - 1, -1, -1)]
    total = sum(weights, ZERO)
    return [
        [sum((w * a * b for w, a, b in zip(weights, one, other, strict=True)), ZERO) / total for other in series]
        for one in series
    ]


def contributions(book: Vector, covariance: Matrix) -> list[Decimal]:
    return [
        weight * sum((c * x for c, x in zip(row, book, strict=True)), ZERO)
        for weight, row in zip(book, covariance, strict=True)
    ]


def reduced(book: Vector, covariance: Matrix, variance_max: Decimal) -> list[Decimal]:
    """The book with a variance of at most `variance_max`: who contributes most is cut first, no further than needed.

    Cutting i from x_i towards zero, the variance is a quadratic in it: a * x^2 + 2b * x + c. Where it does not reach
    the maximum i is cut to the least there is, and the next one follows; of equals the first. Parts that were cut to
    what offset others may then offset too little: what is still above the maximum is scaled down to it as a whole. No
    part grows or changes sides.
    """
    left, after = set(range(len(book))), list(book)
    while left and sum(parts := contributions(after, covariance), ZERO) > variance_max:
        most = max(sorted(left), key=lambda index: parts[index])
        if parts[most] <= 0:
            break
        after[most] = _cut(after, covariance, most, variance_max)
        left.remove(most)
    variance = sum(contributions(after, covariance), ZERO)
    return after if variance <= variance_max else [x * (variance_max / variance).sqrt() for x in after]


def _cut(book: Vector, covariance: Matrix, index: int, variance_max: Decimal) -> Decimal:
    """Sides are mirrored so that x is above zero; the larger root is the smaller cut."""
    side = 1 if book[index] > 0 else -1
    others = [ZERO if each == index else weight for each, weight in enumerate(book)]
    a = covariance[index][index]
    b = side * sum((c * x for c, x in zip(covariance[index], others, strict=True)), ZERO)
    c = sum(contributions(others, covariance), ZERO)
    discriminant = b * b - a * (c - variance_max)
    least = max(-b / a, ZERO)
    root = (discriminant.sqrt() - b) / a if discriminant >= 0 else least
    return side * min(max(root, least), abs(book[index]))
