"""Wires the risk gate. Run: `python -m risk_gate`."""

from chassis.service import stage_app
from starlette.applications import Starlette

from risk_gate.handlers import TOPICS, Gate
from risk_gate.settings import Settings
from risk_gate.views import Views


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    views = Views(settings.kafka, wait_live_s=settings.wait_live_s, wait_lockstep_s=settings.wait_lockstep_s)
    return stage_app("risk-gate", settings, topics=TOPICS, stage=Gate(views), background=views.readers())
