"""How each service is begun: as its own `app.py` does it, but for the doors to people and to FastStream."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition
from chassis.service import Background, Resources, service_app, stage_app
from chassis.settings import ServiceSettings
from competition import app as competition
from competition.handlers import SeasonStage, topics
from competition.settings import Settings as CompetitionSettings
from contracts.competition import DecisionRequested
from contracts.signals import SignalProposed
from dashboard_api.handlers import DURABLE, ReadModel
from market_data import app as market_data
from market_data.settings import Settings as MarketSettings
from order_executor import app as order_executor
from order_executor.settings import Settings as ExecutorSettings
from pnl_tracker import app as pnl_tracker
from pnl_tracker.settings import Settings as TrackerSettings
from risk_gate import app as risk_gate
from risk_gate.settings import Settings as GateSettings
from signal_runtime.handlers import PARTS_MAX, SERVICE, _commit, _take, answering
from signal_runtime.inputs import TopicInputs
from signal_runtime.intake import Intake
from signal_runtime.records import Records
from signal_runtime.runtime import SignalRuntime
from starlette.applications import Starlette

from arena.simulation.competitors import DESK, Unreliable, desk
from arena.simulation.consumer import Consumer
from arena.simulation.process import CURRENT, Process
from arena.simulation.season import Plan

AT_WORK_MAX = 500
INPUTS_WITHIN_S = 120.0
Begin = Callable[[Plan, Process], Starlette]


def _settings(process: Process) -> dict[str, Any]:
    return {"kafka": "simulated", "postgres": "simulated", "instance": process.instance}


def _competition(plan: Plan, process: Process) -> Starlette:
    settings = CompetitionSettings(
        **_settings(process), season=Path("simulated"), starts_at=plan.starts_at, writer_wait_s=3_600
    )
    stage = SeasonStage(plan.file.season_id)
    background = [competition.single_writer(settings), competition.announcer(settings, plan.file, stage)]
    return stage_app("competition", settings, topics=topics(plan.clock), stage=stage, background=background)


def _market_data(plan: Plan, process: Process) -> Starlette:
    grid = plan.step_s * 1_000
    return market_data.create_app(
        MarketSettings(
            **_settings(process),
            seed=plan.seed,
            speed="max",
            end_after_s=plan.seconds,
            step_ms=grid,
            book_grid_ms=grid,
            mark_grid_ms=grid,
        )
    )


def _signal_runtime(plan: Plan, process: Process) -> Starlette:  # noqa: ARG001  # one form for all
    inputs = TopicInputs("simulated")

    async def work(resources: Resources) -> None:
        runtime = SignalRuntime(inputs, Unreliable(process.faults), Records(resources.objects), now=process.now)
        await _answer(Intake(_with_desk(answering(runtime, resources), inputs, resources), AT_WORK_MAX), resources)

    readers: list[Background] = [lambda _, reader=reader: reader for reader in inputs.readers]  # type: ignore[misc]
    return service_app(SERVICE, ServiceSettings(**_settings(process)), run=work, background=readers)


async def _answer(intake: Intake, resources: Resources) -> None:
    """In the place of FastStream's subscriber: hands records on, commits what is done, ends with a failure."""
    process = CURRENT.get()
    consumer: Any = Consumer(process, process.world.log, process.world.group(SERVICE))
    consumer.subscribe([DecisionRequested.topic])
    while True:
        polled: Mapping[TopicPartition, Any] = await consumer.getmany(timeout_ms=200)
        for records in polled.values():
            for record in records:
                await _take(intake, resources, record)
        if intake.failure is not None:
            raise intake.failure
        await _commit(consumer, intake)


def _with_desk(answer: Any, inputs: TopicInputs, resources: Resources) -> Any:
    """Signals from outside: what a desk says is kept before it is sent, as an answer is."""

    async def handle(request: DecisionRequested) -> None:
        if not request.competitor_id.startswith(f"{DESK}-"):
            await answer(request)
            return
        path = f"desk/{request.competitor_id}/{request.round}.json"
        kept = await resources.objects.get(path)
        if kept is None:
            season = await inputs.season(request, INPUTS_WITHIN_S)
            try:
                said = desk(await inputs.view(request, season, INPUTS_WITHIN_S))
            except (LookupError, TimeoutError):
                await answer(request)
                return
            kept = json.dumps([part.model_dump(mode="json") for part in said]).encode()
            if not await resources.objects.put_new(path, kept):
                kept = await resources.objects.get(path) or kept
        parts = [SignalProposed.model_validate(part) for part in json.loads(kept)]
        await resources.publisher.send(parts, f"{SERVICE}/{request.competitor_id}", request.round * PARTS_MAX + 1)

    return handle


def _dashboard(plan: Plan, process: Process) -> Starlette:  # noqa: ARG001  # one form for all
    """The read model alone: the page and its stream ask it, they change nothing."""
    return stage_app("dashboard-api", ServiceSettings(**_settings(process)), topics=DURABLE, stage=ReadModel())


BEGIN: Mapping[str, Begin] = {
    "competition": _competition,
    "market-data": _market_data,
    "signal-runtime": _signal_runtime,
    "risk-gate": lambda _, process: risk_gate.create_app(GateSettings(**_settings(process))),
    "order-executor": lambda _, process: order_executor.create_app(ExecutorSettings(**_settings(process))),
    "pnl-tracker": lambda plan, process: pnl_tracker.create_app(
        TrackerSettings(**_settings(process), leaderboard_apart_s=_apart(plan), reports_apart_s=_apart(plan))
    ),
    "dashboard-api": _dashboard,
}
SHARED = ("risk-gate", "order-executor", "pnl-tracker", "dashboard-api", "signal-runtime")
"""Services of which a second worker may come."""


def _apart(plan: Plan) -> float:
    return 20.0 if plan.clock == "live" else 2.0


async def live(plan: Plan, process: Process) -> None:
    """The process's whole life: ends with what ended its loop."""
    assert CURRENT.get() is process
    app = BEGIN[process.service](plan, process)
    async with app.router.lifespan_context(app):
        resources: Resources = app.state.resources
        ended = process.loop.create_future()
        resources.on_end = lambda: None if ended.done() else ended.set_result(None)
        if not resources.ended:
            await ended
    if resources.failure is not None:
        raise resources.failure
