"""Decides whether a signal becomes an order. No clock, no random, no I/O: what is known of the world comes as Facts."""

from risk_gate.core.facts import Facts
from risk_gate.core.gate import RiskGate
from risk_gate.core.standing import Standing

__all__ = ["Facts", "RiskGate", "Standing"]
