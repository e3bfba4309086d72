"""How old a fill is when its frame leaves: Kafka's record time to the first socket that took the frame."""

import time
from collections import deque
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Histogram

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0)
_FRESH_S = 0.5
"""Sorting is not repeated for every client that comes."""


class FillLatency:
    """Percentiles over the last 10,000 fills; the histogram has them all."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._recent: deque[float] = deque(maxlen=10_000)
        self._ordered: list[float] = []
        self._ordered_at = -_FRESH_S
        self._histogram = Histogram(
            "dashboard_fill_to_frame_seconds", "Kafka record time of a fill until its frame was sent.",
            registry=registry, buckets=_BUCKETS_S,
        )  # fmt: skip

    def sent(self, recorded_ms: Sequence[int]) -> None:
        now_ms = time.time_ns() / 1e6
        for recorded in recorded_ms:
            latency = max(0.0, now_ms - recorded)
            self._recent.append(latency)
            self._histogram.observe(latency / 1e3)

    @property
    def count(self) -> int:
        return len(self._recent)

    def percentile(self, share: float) -> float | None:
        """Milliseconds, nearest rank; None before the first fill."""
        if time.monotonic() - self._ordered_at >= _FRESH_S or not self._ordered:
            self._ordered, self._ordered_at = sorted(self._recent), time.monotonic()
        ordered = self._ordered
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else None
