"""Wires the executors. Run: `python -m order_executor`."""

from chassis.service import Background, timed_app
from chassis.timed import TimedStage
from starlette.applications import Starlette

from order_executor.exchange.side import ExchangeSide
from order_executor.executors import Executors
from order_executor.handlers import MARKET_TOPICS, OWN_TOPIC, PaperVenue
from order_executor.settings import Settings
from order_executor.terms import Announced


def create_app(settings: Settings | None = None) -> Starlette:
    settings, announced = settings or Settings(), Announced()
    paper = PaperVenue(announced.terms)
    stage: TimedStage = paper
    background: list[Background] = [announced.seasons, announced.instruments]
    if settings.exchange_url is not None:
        side = ExchangeSide(settings)
        stage = Executors(paper, side.venue, settings.exchange_seasons)
        background.append(side.open)
    return timed_app(
        "order-executor",
        settings,
        own_topic=OWN_TOPIC,
        market_topics=MARKET_TOPICS,
        stage=stage,
        clock=announced.clock,
        hold_for_rounds=True,
        background=background,
    )
