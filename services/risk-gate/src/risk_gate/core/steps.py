"""Quantities and prices in the steps of an instrument."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from contracts.money import CONTEXT, ZERO


def is_multiple(value: Decimal, step: Decimal) -> bool:
    return CONTEXT.remainder(value, step) == ZERO


def up_to_step(value: Decimal, step: Decimal) -> Decimal:
    return CONTEXT.multiply((value / step).to_integral_value(ROUND_CEILING), step)


def down_to_step(value: Decimal, step: Decimal) -> Decimal:
    return CONTEXT.multiply((value / step).to_integral_value(ROUND_FLOOR), step)
