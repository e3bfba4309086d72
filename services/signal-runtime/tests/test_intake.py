import asyncio

from aiokafka import TopicPartition
from contracts.competition import DecisionRequested
from signal_runtime.intake import Intake
from signal_runtime.testing import request

FIRST, OTHER = TopicPartition("decisions.requested.v1", 0), TopicPartition("decisions.requested.v1", 1)


class Gate:
    """Handles a request when it is let through."""

    def __init__(self) -> None:
        self.began: list[tuple[str, int]] = []
        self._open: dict[tuple[str, int], asyncio.Future[None]] = {}

    async def __call__(self, request: DecisionRequested) -> None:
        self.began.append((request.competitor_id, request.round))
        await self._future(request.competitor_id, request.round)

    def let(self, name: str, number: int, error: Exception | None = None) -> None:
        future = self._future(name, number)
        future.set_exception(error) if error else future.set_result(None)

    def _future(self, name: str, number: int) -> "asyncio.Future[None]":
        return self._open.setdefault((name, number), asyncio.get_running_loop().create_future())


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_successor_reads_from_the_first_request_that_is_not_done() -> None:
    gate = Gate()
    intake = Intake(gate, 10)
    for offset, name in enumerate(["ann", "bob", "cid"], 5):
        await intake.take(FIRST, offset, request(name))
    await intake.take(OTHER, 9, request("dan"))
    gate.let("bob", 1)
    gate.let("dan", 1)
    await settled()

    assert intake.done_through() == {FIRST: 5, OTHER: 10}

    gate.let("ann", 1)
    await settled()
    assert intake.done_through() == {FIRST: 7, OTHER: 10}

    gate.let("cid", 1)
    await settled()
    intake.passed_over(FIRST, 8)
    assert intake.done_through() == {FIRST: 9, OTHER: 10}


async def test_a_competitors_requests_keep_their_order_and_hold_up_nobody_else() -> None:
    gate = Gate()
    intake = Intake(gate, 10)
    await intake.take(FIRST, 0, request("ann", 1))
    await intake.take(FIRST, 1, request("ann", 2))
    await intake.take(FIRST, 2, request("bob", 1))
    await settled()

    assert gate.began == [("ann", 1), ("bob", 1)]

    gate.let("ann", 1)
    await settled()
    assert gate.began[-1] == ("ann", 2)
    gate.let("ann", 2)
    gate.let("bob", 1)
    await intake.finish(1)


async def test_no_more_are_at_work_than_there_is_room_for() -> None:
    gate = Gate()
    intake = Intake(gate, 1)
    await intake.take(FIRST, 0, request("ann"))
    waiting = asyncio.create_task(intake.take(FIRST, 1, request("bob")))
    await settled()
    assert not waiting.done()

    gate.let("ann", 1)
    await waiting
    gate.let("bob", 1)
    await intake.finish(1)


async def test_a_failure_is_kept_and_its_request_is_not_done() -> None:
    gate = Gate()
    intake = Intake(gate, 10)
    await intake.take(FIRST, 3, request("ann"))
    gate.let("ann", 1, OSError("no store"))
    await settled()

    assert isinstance(intake.failure, OSError)
    assert intake.done_through() == {FIRST: 3}


async def test_what_does_not_finish_in_time_is_left_to_a_successor() -> None:
    gate = Gate()
    intake = Intake(gate, 10)
    await intake.take(FIRST, 3, request("ann"))

    await intake.finish(0.01)
    await settled()

    assert intake.done_through() == {FIRST: 3}
    assert intake.failure is None
