from types import SimpleNamespace

import pytest
from aiokafka.structs import TopicPartition
from arena.exits import Exit, Stopped
from arena.resting import Rest

PARTITION = TopicPartition("orders.v1", 0)


def test_a_run_rests_when_the_last_round_is_closed_and_no_topic_grew_for_a_while() -> None:
    rest = Rest()
    rest.rounds.add(SimpleNamespace(type="market_snapshot", round=1))
    rest.rounds.add(SimpleNamespace(type="round_closed", round=1))

    assert not rest.look(10.0, {PARTITION: 5}, 3.0, feed_over=False)
    assert not rest.look(12.9, {PARTITION: 5}, 3.0, feed_over=False)
    assert not rest.look(13.0, {PARTITION: 6}, 3.0, feed_over=False)
    assert rest.look(16.0, {PARTITION: 6}, 3.0, feed_over=False)


def test_a_round_that_is_shown_but_not_closed_keeps_it_awake_and_is_named_in_the_end() -> None:
    rest = Rest()
    rest.rounds.add(SimpleNamespace(type="round_closed", round=1))
    rest.rounds.add(SimpleNamespace(type="market_snapshot", round=2))
    rest.look(0.0, {PARTITION: 5}, 3.0, feed_over=False)

    assert not rest.look(120.0, {PARTITION: 5}, 3.0, feed_over=False)
    with pytest.raises(Stopped, match="round 2 is open, the last closed is 1") as failure:
        rest.look(124.0, {PARTITION: 5}, 3.0, feed_over=False)
    assert failure.value.code is Exit.NOT_DRAINED


def test_before_the_first_round_silence_is_not_rest_unless_the_feed_is_over() -> None:
    rest = Rest()
    rest.look(0.0, {PARTITION: 0}, 3.0, feed_over=False)

    assert not rest.look(5.0, {PARTITION: 0}, 3.0, feed_over=False)
    assert rest.look(6.0, {PARTITION: 0}, 3.0, feed_over=True)
