"""Decides whether a signal becomes an order. No clock, no random, no I/O: what is known of the world comes as Facts."""

from risk_gate.core.control import ControlState
from risk_gate.core.engine import Engine, Finding, rule
from risk_gate.core.exposure import Arena, arena, matrix
from risk_gate.core.facts import Case, Facts
from risk_gate.core.gate import RiskGate
from risk_gate.core.standing import Standing

__all__ = [
    "Arena",
    "Case",
    "ControlState",
    "Engine",
    "Facts",
    "Finding",
    "RiskGate",
    "Standing",
    "arena",
    "matrix",
    "rule",
]
