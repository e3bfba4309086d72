"""Ordered checks: each a pure function of one case, which says whether it holds and the two numbers that decided.

A check is added by registering it, `Engine.registered`; there is no other way into a verdict.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple

from contracts.orders import Check, RejectionCode

from risk_gate.core.facts import Case

Kind = Literal["enter", "reduce", "amend", "exits", "cancel"]
"""What a signal does to the risk: `enter` may raise it (so may an amend that asks for more); the others never do."""
EVERYTHING: frozenset[Kind] = frozenset({"enter", "reduce", "amend", "exits", "cancel"})


class Finding(NamedTuple):
    passed: bool
    value: Decimal | int | None = None
    limit: Decimal | int | None = None
    words: str = ""
    """In place of the rule's own."""


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    code: RejectionCode
    words: str
    """What is said to the rejected; `{value}` and `{limit}` stand for the numbers."""
    judge: Callable[[Case], Finding | None]
    """None: the rule does not apply to this case."""
    unit: str
    kinds: frozenset[Kind]


def rule(
    code: RejectionCode, words: str, *kinds: Kind, unit: str = ""
) -> Callable[[Callable[[Case], Finding | None]], Rule]:
    """A rule of the function's name; without kinds it is for all of them."""

    def named(judge: Callable[[Case], Finding | None]) -> Rule:
        return Rule(judge.__name__, code, words, judge, unit, frozenset(kinds) or EVERYTHING)

    return named


@dataclass(frozen=True, slots=True)
class Rejection:
    code: RejectionCode
    check: Check
    detail: str


@dataclass(slots=True)
class Verdict:
    checks: list[Check] = field(default_factory=list)
    """Every rule that was applied, the one that rejected last."""
    rejection: Rejection | None = None


class Engine:
    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._of: dict[Kind, tuple[Rule, ...]] = {
            kind: tuple(each for each in self.rules if kind in each.kinds) for kind in EVERYTHING
        }

    def registered(self, new: Rule, *, before: str | None = None) -> "Engine":
        """With one check more: before the one named, else the last."""
        names = [each.name for each in self.rules]
        place = len(names) if before is None else names.index(before)
        return Engine([*self.rules[:place], new, *self.rules[place:]])

    def judge(self, case: Case) -> Verdict:
        """Up to the first rule that rejects."""
        verdict = Verdict()
        for each in self._of[case.kind]:
            finding = each.judge(case)
            if finding is None:
                continue
            check = _check(each, finding)
            verdict.checks.append(check)
            if not finding.passed:
                verdict.rejection = Rejection(each.code, check, _said(each, finding))
                break
        return verdict


def plain(number: Decimal | int | None) -> str:
    """As people read it: no exponent, no zeros at the end, eight places at most."""
    if number is None:
        return "unknown"
    text = format(Decimal(number), "f")
    if "." not in text:
        return text
    return format(round(Decimal(text), 8), "f").rstrip("0").rstrip(".")


def percent(share: Decimal) -> str:
    return f"{plain(round(share * 100, 2))} %"


def _check(each: Rule, finding: Finding) -> Check:
    value, limit = _number(finding.value), _number(finding.limit)
    return Check.made(rule=each.name, passed=finding.passed, value=value, limit=limit, unit=each.unit)


def _said(each: Rule, finding: Finding) -> str:
    words = finding.words or each.words
    return words.format(value=plain(finding.value), limit=plain(finding.limit))[:500]


def _number(value: Decimal | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)
