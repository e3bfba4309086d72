"""Logs, traces and metrics, wired once a process."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from contracts.base import Event
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from chassis.logs import configure_logs
from chassis.settings import ServiceSettings
from chassis.spans_file import SpansFile

_SAMPLED = frozenset("13579bdf")
"""Last digits of a traceparent whose sampled bit is set."""
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_SPANS_QUEUED_MAX = 20_000
_SCOPE = InstrumentationScope("chassis")
_WRITTEN = TraceFlags(TraceFlags.SAMPLED)


class Span:
    """A span that is written when it ends.

    The SDK's own is made for what is added to it on the way, at three times the cost; a stage makes one a record.
    """

    __slots__ = ("_attributes", "_began_ns", "_context", "_name", "_parent", "_provider", "traceparent")

    def __init__(self, name: str, parent: str, attributes: dict[str, str], provider: "Provider") -> None:
        self._name, self._attributes, self._provider, self._began_ns = name, attributes, provider, time.time_ns()
        self._parent, ids = parent_of(parent), provider.traces.id_generator
        trace_id = ids.generate_trace_id() if self._parent is None else self._parent.trace_id
        self._context = SpanContext(trace_id, ids.generate_span_id(), is_remote=False, trace_flags=_WRITTEN)
        self.traceparent = traceparent_of(self._context)

    def end(self) -> None:
        span = ReadableSpan(
            self._name, self._context, self._parent, self._provider.traces.resource, self._attributes,
            start_time=self._began_ns, end_time=time.time_ns(), instrumentation_scope=_SCOPE,
        )  # fmt: skip
        for processor in self._provider.processors:
            processor.on_end(span)


class Telemetry:
    def __init__(self, service: str, settings: ServiceSettings) -> None:
        self.log = configure_logs(service, settings)
        self._provider = _provider(service, settings)
        self._tracer = self._provider.traces.get_tracer(_SCOPE.name)
        disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs has no types
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Info("arena_service", "Which replica this is.", registry=registry).info(
            {"service": service, "instance": settings.instance}
        )
        self.records = Counter("arena_step_records", "Records taken from the broker.", registry=registry)
        self.batches = Counter("arena_step_batches", "Polls handled.", registry=registry)
        self.dead_letters = Counter("arena_dead_letters", "Records set aside.", ["topic"], registry=registry)
        self.batch_seconds = _histogram("arena_step_batch_seconds", "One poll, from take to hand-over.", registry)
        self.commit_seconds = _histogram("arena_step_commit_seconds", "The step's transaction.", registry)
        self.publish_seconds = _histogram("arena_publish_wait_seconds", "Waiting for acknowledgements.", registry)
        self.lag = Gauge("arena_consumer_lag", "Records behind the end.", ["topic", "partition"], registry=registry)
        self.lag_seconds = Gauge(
            "arena_consumer_lag_seconds", "Age of the last record taken, 0 at the end.", ["topic", "partition"],
            registry=registry,
        )  # fmt: skip
        self.clock_jump = Gauge(
            "arena_clock_jump_seconds", "By which the wall clock jumped within the last minute.", registry=registry
        )
        self.state_size = Gauge("arena_state_objects", "Objects held in memory.", ["kind"], registry=registry)

    def batch(self, records: int, seconds: float) -> None:
        self.records.inc(records)
        self.batches.inc()
        self.batch_seconds.observe(seconds)

    def begin(self, name: str, event: Event) -> Span | None:
        """A span below the event's; None where its trace is not sampled or nobody here would write it."""
        parent = event.traceparent
        if not self._provider.processors or not parent or parent[-1] not in _SAMPLED:
            return None
        return Span(name, parent, {"event_id": str(event.event_id), "key": event.key}, self._provider)

    @contextmanager
    def span(self, name: str, traceparent: str = "", **attributes: str | int | float) -> Iterator[str]:
        """A span below `traceparent` (only if that is sampled); yields the traceparent for what it causes."""
        if not self._provider.processors or not traceparent or traceparent[-1] not in _SAMPLED:
            yield traceparent
            return
        span = self._tracer.start_span(name, context_of(traceparent), attributes=attributes)
        with trace.use_span(span, end_on_exit=True):
            yield traceparent_of(span.get_span_context())

    def root(self, name: str, **attributes: str | int | float) -> str:
        """Begin a trace (by ratio) with a span that is over at once; returns its traceparent."""
        span = self._tracer.start_span(name, trace.set_span_in_context(trace.INVALID_SPAN), attributes=attributes)
        span.end()
        return traceparent_of(span.get_span_context())

    def shutdown(self) -> None:
        """Write out what is buffered."""
        self._provider.traces.shutdown()


def parent_of(traceparent: str) -> SpanContext | None:
    """None where it is no traceparent: the span then begins a trace of its own."""
    try:
        _, trace_id, span_id, flags = traceparent.split("-")
        return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    except ValueError:
        return None


def context_of(traceparent: str) -> Context | None:
    parent = parent_of(traceparent)
    return None if parent is None else trace.set_span_in_context(NonRecordingSpan(parent))


def traceparent_of(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


class Provider(NamedTuple):
    traces: TracerProvider
    processors: Sequence[SpanProcessor]
    """Those that write: without any, no span below another is made."""


def _provider(service: str, settings: ServiceSettings) -> Provider:
    sampler = ParentBased(TraceIdRatioBased(settings.trace_ratio))
    resource = Resource({"service.name": service, "service.instance.id": settings.instance})
    provider = Provider(
        TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False), _writers(service, settings)
    )
    for processor in provider.processors:
        provider.traces.add_span_processor(processor)
    return provider


def _writers(service: str, settings: ServiceSettings) -> list[SpanProcessor]:
    writers: list[SpanProcessor] = []
    if settings.otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # megabytes, where unused

        collector = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
        writers.append(BatchSpanProcessor(collector, _SPANS_QUEUED_MAX))
    if settings.traces_file:
        file = SpansFile(settings.traces_file, service)
        writers.append(BatchSpanProcessor(file, _SPANS_QUEUED_MAX, schedule_delay_millis=200))
    return writers


def _histogram(name: str, about: str, registry: CollectorRegistry) -> Histogram:
    return Histogram(name, about, registry=registry, buckets=_SECONDS)
