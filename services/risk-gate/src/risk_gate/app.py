"""Wires the risk gate. Run: `python -m risk_gate`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.service import Resources, stage_app
from starlette.applications import Starlette

from risk_gate.handlers import TOPICS, Gate
from risk_gate.settings import Settings
from risk_gate.views import Views


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    views = Views(settings.kafka, wait_live_s=settings.wait_live_s, wait_lockstep_s=settings.wait_lockstep_s)
    gate = Gate(views)

    @asynccontextmanager
    async def counted(resources: Resources) -> AsyncIterator[None]:
        resources.telemetry.registry.register(gate.rejections)
        yield

    return stage_app("risk-gate", settings, topics=TOPICS, stage=gate, background=[*views.readers(), counted])
