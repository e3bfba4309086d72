"""Telemetry that is not kept: a simulation has its own figures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from prometheus_client import CollectorRegistry


class _Metric:
    """Any metric: whatever is told to it is forgotten."""

    def labels(self, *values: object) -> "_Metric":  # noqa: ARG002
        return self

    def inc(self, amount: float = 1) -> None:
        """Forgotten."""

    set = observe = inc

    def set_function(self, of: object) -> None:
        """Nobody asks."""

    @contextmanager
    def time(self) -> Iterator[None]:
        yield


_METRIC = _Metric()


class Quiet:
    """In the place of `chassis.telemetry.Telemetry`: no trace is sampled."""

    log = structlog.get_logger("simulation")
    records = batches = dead_letters = batch_seconds = commit_seconds = publish_seconds = lag = state_size = _METRIC
    lag_seconds = clock_jump = _METRIC

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def batch(self, records: int, seconds: float) -> None:
        """Forgotten."""

    def begin(self, name: str, event: Any) -> None:
        """No span."""

    @contextmanager
    def span(self, name: str, traceparent: str = "", **attributes: Any) -> Iterator[str]:  # noqa: ARG002
        yield traceparent

    def root(self, name: str, **attributes: Any) -> str:  # noqa: ARG002
        return ""

    def shutdown(self) -> None:
        """Nothing is buffered."""
