"""Logs, traces and metrics, wired once a process. (API skeleton; bodies follow.)"""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import CollectorRegistry

from chassis.settings import ServiceSettings


class Telemetry:
    log: structlog.stdlib.BoundLogger
    registry: CollectorRegistry

    def __init__(self, service: str, settings: ServiceSettings) -> None:
        raise NotImplementedError

    @contextmanager
    def span(self, name: str, traceparent: str = "", **attributes: str | int | float) -> Iterator[str]:
        """A span below `traceparent` (only if that is sampled); yields the traceparent for what it causes."""
        raise NotImplementedError

    def root(self, name: str, **attributes: str | int | float) -> str:
        """Begin a trace (by ratio) with a span that is over at once; returns its traceparent, empty if not sampled."""
        raise NotImplementedError

    def shutdown(self) -> None:
        """Write out what is buffered."""
        raise NotImplementedError
