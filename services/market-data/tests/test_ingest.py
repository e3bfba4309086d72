from datetime import UTC, datetime, timedelta

from exchanges.updates import Step, Trade
from market_data.ingest import split, with_beats

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def at(milliseconds: int) -> datetime:
    return T0 + timedelta(milliseconds=milliseconds)


def trade(milliseconds: int) -> Trade:
    return Trade(at(milliseconds), "BTC-USDT-PERP", str(milliseconds), "1", "1", "buy")


def test_live_time_passes_every_100_ms_between_the_feed_s_own_steps() -> None:
    steps = [Step(at(250), [trade(240)]), Step(at(400), [])]
    told = list(with_beats(steps, T0, timedelta(milliseconds=100)))

    assert [(step.at, len(step.updates), whole) for step, whole in told] == [
        (at(100), 0, False), (at(200), 0, False), (at(250), 1, True), (at(350), 0, False), (at(400), 0, True),
    ]  # fmt: skip


def test_a_step_is_split_with_its_moment_on_the_early_side() -> None:
    assert split([trade(1), trade(2), trade(3)], at(2)) == ([trade(1), trade(2)], [trade(3)])
