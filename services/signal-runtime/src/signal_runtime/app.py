"""Wires the signal runtime. Run: `python -m signal_runtime`."""

from chassis.service import Background, Resources, service_app
from starlette.applications import Starlette

from signal_runtime.handlers import SERVICE, answering, broker_of, connect, run
from signal_runtime.inputs import TopicInputs
from signal_runtime.intake import Intake
from signal_runtime.models import bootstrap
from signal_runtime.records import Records
from signal_runtime.runtime import Limits, SignalRuntime
from signal_runtime.settings import Settings


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    inputs = TopicInputs(settings.kafka)
    registry = bootstrap(test_models=settings.test_models)
    limits = Limits(settings.concurrent_per_model, settings.inputs_within_s)

    async def work(resources: Resources) -> None:
        runtime = SignalRuntime(inputs, registry, Records(resources.objects), limits)
        intake = Intake(answering(runtime, resources), settings.at_work_max)
        broker = broker_of(settings)
        await run(resources, broker, connect(broker, intake, resources, settings), intake)

    readers: list[Background] = [lambda _, reader=reader: reader for reader in inputs.readers]  # type: ignore[misc]
    return service_app(SERVICE, settings, run=work, background=readers)
