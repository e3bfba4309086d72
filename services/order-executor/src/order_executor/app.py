"""Wires the paper venue. Run: `python -m order_executor`."""

from chassis.service import timed_app
from starlette.applications import Starlette

from order_executor.handlers import MARKET_TOPICS, OWN_TOPIC, PaperVenue
from order_executor.settings import Settings
from order_executor.terms import Announced


def create_app(settings: Settings | None = None) -> Starlette:
    announced = Announced()
    return timed_app(
        "order-executor",
        settings or Settings(),
        own_topic=OWN_TOPIC,
        market_topics=MARKET_TOPICS,
        stage=PaperVenue(announced.terms),
        clock=announced.clock,
        hold_for_rounds=True,
        background=[announced.seasons, announced.instruments],
    )
