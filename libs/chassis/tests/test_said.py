"""After a restore a stage decides anew what it had decided, and says only what is not on the topics."""

from chassis.said import Said
from chassis.testing import executed, halted, watermark
from contracts.base import Event
from contracts.portfolios import LeaderboardUpdated
from contracts.topics import TOPICS
from contracts.wire import encode


def added(said: Said, *events: Event) -> Said:
    for event in events:
        record = encode(event)
        said.add(record.topic, record.key, dict(record.headers))
    return Said.unpacked(said.packed())


def board(second: float) -> LeaderboardUpdated:
    like = halted(int(second * 10), seconds=second)
    return LeaderboardUpdated(
        event_id=like.event_id, at=like.at, season_id="s", seq=int(second), rows=(), books_balanced=True
    )


def test_an_event_is_covered_once_by_its_id_whatever_its_time() -> None:
    said = added(Said(), halted(1, seconds=5), halted(2, seconds=3))

    assert said.covers(encode(halted(2, seconds=3)))
    assert not said.covers(encode(halted(3, seconds=1)))
    assert said.covers(encode(halted(1, seconds=5)))
    assert not said, "nothing is left to look for"


def test_of_a_compacted_topic_everything_up_to_the_last_said_is_covered() -> None:
    assert TOPICS["leaderboard.v1"].compacted
    said = added(Said(), board(3))  # the boards of the seconds 1 and 2 were compacted away

    assert [said.covers(encode(board(second))) for second in (1, 2, 3, 4)] == [True, True, True, False]


def test_one_that_was_said_and_is_not_caused_again_does_not_hold_back_what_is_later() -> None:
    said = added(Said(), board(3))

    assert [said.covers(encode(board(second))) for second in (2, 3.5, 4)] == [True, False, False]


def test_watermarks_fall_elsewhere_each_time_and_go_on_behind_the_last_said() -> None:
    said = added(Said(), executed(1, seconds=1), watermark(2))

    assert [said.covers(encode(watermark(second))) for second in (0.5, 1.5, 2.5, 3)] == [True, True, False, False]
