from types import SimpleNamespace

import httpx
import pytest
from aiokafka.structs import TopicPartition
from arena.exits import Exit, Stopped
from arena.resting import Rest, feed_ended

PARTITION = TopicPartition("orders.v1", 0)


def fed(*facts: tuple[str, int]) -> Rest:
    rest = Rest()
    for kind, number in facts:
        rest.rounds.add(SimpleNamespace(type=kind, round=number))
    return rest


def test_a_run_rests_when_feed_and_rounds_are_over_and_no_topic_grew_for_a_while() -> None:
    rest = fed(("market_snapshot", 1), ("round_closed", 1))

    assert not rest.look(10.0, {PARTITION: 5}, feed_over=True)
    assert not rest.look(11.9, {PARTITION: 5}, feed_over=True)
    assert not rest.look(12.0, {PARTITION: 6}, feed_over=True)
    assert rest.look(14.0, {PARTITION: 6}, feed_over=True)


def test_silence_is_not_rest_while_the_feed_goes_on() -> None:
    rest = fed(("market_snapshot", 1), ("round_closed", 1))
    rest.look(10.0, {PARTITION: 5}, feed_over=False)

    assert not rest.look(60.0, {PARTITION: 5}, feed_over=False)


def test_a_round_that_is_shown_but_not_closed_keeps_it_awake_and_is_named_in_the_end() -> None:
    rest = fed(("round_closed", 1), ("market_snapshot", 2))
    rest.look(0.0, {PARTITION: 5}, feed_over=True)

    assert not rest.look(120.0, {PARTITION: 5}, feed_over=True)
    with pytest.raises(Stopped, match="last round shown is 2, the last closed 1, the feed is over") as failure:
        rest.look(121.0, {PARTITION: 5}, feed_over=True)
    assert failure.value.code is Exit.NOT_DRAINED


def test_a_feed_that_ended_before_the_first_round_rests_too() -> None:
    rest = fed()
    rest.look(0.0, {PARTITION: 0}, feed_over=True)

    assert rest.look(2.0, {PARTITION: 0}, feed_over=True)


async def test_the_feeds_end_is_read_from_its_metrics() -> None:
    for told, expected in (("market_data_feed_ended 1.0\n", True), ("market_data_feed_ended 0.0\n", False)):
        answer = httpx.MockTransport(lambda _, told=told: httpx.Response(200, text=told))
        async with httpx.AsyncClient(transport=answer) as http:
            assert await feed_ended(http, 1) is expected
    async with httpx.AsyncClient() as http:
        assert not await feed_ended(http, 1)
