"""Caps of exposure: one competitor's, or the arena's, in all instruments or in a correlated group of them.

The arena's totals are those of the round's opening, so that no verdict depends on whose signal came first; only this
competitor's own orders of the round are added, whichever of them fill. An order that adds to no total passes even where
that is above its cap.
"""

from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple

from contracts.competition import ExposureCap
from contracts.money import ZERO, times

from risk_gate.core.engine import Finding, rule
from risk_gate.core.facts import Case


class Exposure(NamedTuple):
    gross: Decimal
    net: Decimal
    """USD; the largest, either way, that the round's orders can lead to."""


@rule("PORTFOLIO_MISSING", "the portfolios of {value} competitors as of this round are missing", "enter")
def arena_known(case: Case) -> Finding | None:
    if not any(cap.scope == "arena" for cap in case.order.rules.exposure):
        return None
    arena = case.facts.arena
    missing = None if arena is None else arena.missing
    return Finding(missing == 0, missing, 0)


@rule("EXPOSURE_ABOVE_MAX", "", "enter", unit="USD")
def exposure(case: Case) -> Finding | None:
    """Of all caps that concern the instrument the one that is broken, else the one that is nearest."""
    order = case.order
    nearest: Finding | None = None
    for cap in order.rules.exposure:
        if cap.instruments and order.name not in cap.instruments:
            continue
        for finding in _held_against(cap, case):
            if not finding.passed:
                return finding
            if nearest is None or _use(finding) > _use(nearest):
                nearest = finding
    return nearest


def _held_against(cap: ExposureCap, case: Case) -> list[Finding]:
    names = cap.instruments or case.order.rules.instruments
    before, after = _exposure(cap, case, names, ZERO), _exposure(cap, case, names, case.order.signed)
    kinds = (("gross", cap.gross_max, before.gross, after.gross), ("net", cap.net_max, before.net, after.net))
    whose = "the whole arena's" if cap.scope == "arena" else "the"
    return [
        Finding(
            value <= limit or value <= earlier, value, limit,
            f"{whose} {kind} exposure of {cap.name} would be {{value}} USD, at most {{limit}} USD are allowed",
        )
        for kind, limit, earlier, value in kinds
        if limit is not None
    ]  # fmt: skip


def _exposure(cap: ExposureCap, case: Case, names: Collection[str], order: Decimal) -> Exposure:
    """With an order of so many base units in the case's instrument."""
    gross = lowest = highest = ZERO
    for name in names:
        shortest, longest = case.extremes(name)
        if name == case.order.name:
            shortest, longest = shortest + min(ZERO, order), longest + max(ZERO, order)
        if shortest or longest:
            price = _price(case, name)
            gross += times(max(abs(shortest), abs(longest)), price)
            lowest, highest = lowest + times(shortest, price), highest + times(longest, price)
    if cap.scope == "arena":
        others = _others(case, names)
        gross, lowest, highest = gross + others.gross, lowest + others.net, highest + others.net
    return Exposure(gross, max(abs(lowest), abs(highest)))


def _others(case: Case, names: Collection[str]) -> Exposure:
    arena = case.facts.arena
    assert arena is not None
    mine = arena.matrix.cells.get(case.signal.competitor_id, {})
    own = [mine.get(name, ZERO) for name in names]
    return Exposure(arena.matrix.gross(names) - sum(map(abs, own), ZERO), arena.matrix.net(names) - sum(own, ZERO))


def _price(case: Case, name: str) -> Decimal:
    """The order's own; else the mark of the portfolio, or of this round's last order there."""
    if name == case.order.name:
        return case.order.basis
    position = case.position_in(name)
    return case.standing.round_orders(name).mark if position is None else position.mark_price


def _use(finding: Finding) -> Decimal:
    assert finding.value is not None
    assert finding.limit is not None
    return Decimal(finding.value) / Decimal(finding.limit) if finding.limit else Decimal(finding.value)
