"""What market-data says of itself at /metrics."""

from collections.abc import Iterator

from exchanges.venue import Venue
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from market_data.core.market import Market
from market_data.runner import Runner


class Metrics:
    def __init__(self, registry: CollectorRegistry, venue: Venue) -> None:
        self._registry = registry
        self.records = Counter("market_data_records", "Records published and acknowledged.", registry=registry)
        self.feed_ended = Gauge(
            "market_data_feed_ended", "1: nothing more will come from the venue.", registry=registry
        )
        defects = Gauge("market_data_defects", "Bad lines of the input, counted and passed over.", registry=registry)
        defects.set_function(lambda: float(venue.defects.counts.total()))

    def watch(self, runner: Runner, market: Market) -> None:
        self._registry.register(Suspended(market))
        time = Gauge("market_data_arena_time_seconds", "Where market time stands, since 1970.", registry=self._registry)
        time.set_function(lambda: float(runner.through.timestamp()))
        holding = Gauge("market_data_holding", "1: time stands until a round is closed.", registry=self._registry)
        holding.set_function(lambda: float(runner.holding))


class Suspended(Collector):
    """Only what is suspended at the moment has a sample."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def collect(self) -> Iterator[GaugeMetricFamily]:
        about = "1: no new orders in the instrument, its market data are not to be trusted."
        family = GaugeMetricFamily("market_data_suspended", about, labels=["instrument", "reason"])
        for instrument, reason in self._market.suspended.items():
            family.add_metric([instrument, reason], 1.0)
        yield family
