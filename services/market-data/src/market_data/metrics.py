"""What market-data says of itself at /metrics."""

from functools import partial
from typing import get_args

from exchanges.venue import Venue
from prometheus_client import CollectorRegistry, Counter, Gauge

from market_data.core.instrument import Instrument
from market_data.core.market import Market
from market_data.core.trust import Suspension
from market_data.runner import Runner


class Metrics:
    def __init__(self, registry: CollectorRegistry, venue: Venue) -> None:
        self._registry = registry
        self.records = Counter("market_data_records", "Records published and acknowledged.", registry=registry)
        self.feed_ended = Gauge(
            "market_data_feed_ended", "1: nothing more will come from the venue.", registry=registry
        )
        self.news_failures = Counter("market_data_news_failures", "A source could not be read.", registry=registry)
        defects = Gauge("market_data_defects", "Bad lines of the input, counted and passed over.", registry=registry)
        defects.set_function(lambda: float(venue.defects.counts.total()))

    def watch_market(self, market: Market) -> None:
        refused = Gauge("market_data_news_refused", "News that the quarantine kept.", registry=self._registry)
        refused.set_function(lambda: float(market.refused.total()))
        suspended = Gauge(
            "market_data_suspended",
            "1: no new orders in the instrument, its market data are not to be trusted.",
            ["instrument", "reason"],
            registry=self._registry,
        )
        for name, known in market.instruments.items():
            for reason in get_args(Suspension):
                of_it = partial(_is_suspended, known, reason)
                suspended.labels(name, reason).set_function(of_it)

    def watch(self, runner: Runner) -> None:
        time = Gauge("market_data_arena_time_seconds", "Where market time stands, since 1970.", registry=self._registry)
        time.set_function(lambda: float(runner.through.timestamp()))
        holding = Gauge("market_data_holding", "1: time stands until a round is closed.", registry=self._registry)
        holding.set_function(lambda: float(runner.holding))


def _is_suspended(known: Instrument, reason: Suspension) -> float:
    return float(known.trust.suspended == reason)
