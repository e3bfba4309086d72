"""What a rule says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from contracts.orders import Check, RejectionCode

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Rejection:
    code: RejectionCode
    check: Check
    detail: str = ""


Rule = Callable[[Subject], Check | Rejection | None]
"""None: the rule does not apply to this order."""


def held_against(
    rule: str,
    code: RejectionCode,
    *,
    passed: bool,
    value: Decimal | int | None = None,
    limit: Decimal | int | None = None,
    unit: str = "",
    detail: str = "",
) -> Check | Rejection:
    check = Check(rule=rule, passed=passed, value=_number(value), limit=_number(limit), unit=unit)
    return check if passed else Rejection(code, check, detail)


def apply(rules: Sequence[Rule[Subject]], subject: Subject, checks: list[Check]) -> Rejection | None:
    """Rules in order, up to the first that rejects; `checks` keeps every one that was applied."""
    for rule in rules:
        result = rule(subject)
        if isinstance(result, Rejection):
            checks.append(result.check)
            return result
        if result is not None:
            checks.append(result)
    return None


def _number(value: Decimal | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)
