"""Wires the tracker. Run: `python -m pnl_tracker`."""

from chassis.service import timed_app
from starlette.applications import Starlette

from pnl_tracker.board import telling
from pnl_tracker.competition import Competition
from pnl_tracker.evaluating import evaluating
from pnl_tracker.handlers import MARKET_TOPICS, OWN_TOPIC, READS, Tracker
from pnl_tracker.instruments import Instruments
from pnl_tracker.reporter import reporting
from pnl_tracker.settings import Settings

MAX_RECORDS = 2_000
"""Taken in one poll where it lags: a transaction costs the same for few as for many."""


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    competition, instruments = Competition(), Instruments()
    tracker = Tracker(competition, instruments)
    board = telling(settings.leaderboard_apart_s, lambda: tracker.keeps(0))
    return timed_app(
        "pnl-tracker",
        settings,
        own_topic=OWN_TOPIC,
        market_topics=MARKET_TOPICS,
        stage=tracker,
        clock=competition.clock,
        background=[
            competition.read,
            instruments.read,
            board,
            reporting(settings.reports_apart_s, tracker),
            evaluating(settings.evaluated_every_rounds, lambda: tracker.keeps(0)),
        ],
        max_records=MAX_RECORDS,
        reads=READS,
    )
