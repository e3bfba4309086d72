"""Wires the signal runtime. Run: `python -m signal_runtime`."""

from chassis.objects import ObjectStore
from chassis.service import Background, Resources, service_app
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from signal_runtime.adapters.enrol import Live
from signal_runtime.adapters.providers import providers_of
from signal_runtime.adapters.spending import Spending
from signal_runtime.handlers import SERVICE, answering, broker_of, connect, run
from signal_runtime.inputs import TopicInputs
from signal_runtime.intake import Intake
from signal_runtime.models import bootstrap
from signal_runtime.rationales import Rationales
from signal_runtime.records import Records
from signal_runtime.runtime import Limits, SignalRuntime, wall_clock
from signal_runtime.settings import Settings


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    inputs = TopicInputs(settings.kafka)
    objects = ObjectStore(settings.object_store)
    live = Live(
        providers_of(settings),
        Spending(objects, settings.quota),
        Rationales(Records(objects)),
        wall_clock,
        settings.concurrent_per_provider,
        settings.reply_bytes_max,
    )
    registry = bootstrap(live=live, test_models=settings.test_models)
    limits = Limits(settings.concurrent_per_model, settings.inputs_within_s)

    async def work(resources: Resources) -> None:
        resources.telemetry.log.info("models", **{each["name"]: each["answers"] for each in registry.described()})
        runtime = SignalRuntime(inputs, registry, Records(resources.objects), limits)
        intake = Intake(answering(runtime, resources), settings.at_work_max)
        broker = broker_of(settings)
        try:
            await run(resources, broker, connect(broker, intake, resources, settings), intake)
        finally:
            await registry.close()

    async def models(_: Request) -> JSONResponse:
        return JSONResponse({"models": registry.described()})

    readers: list[Background] = [lambda _, reader=reader: reader for reader in inputs.readers]  # type: ignore[misc]
    return service_app(SERVICE, settings, run=work, background=readers, routes=[Route("/models", models)])
