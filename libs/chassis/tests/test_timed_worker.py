"""What a worker does between its assignments, without a broker."""

import asyncio
from typing import Any
from unittest.mock import AsyncMock, MagicMock

from aiokafka import TopicPartition
from chassis.step import Partition, Position
from chassis.timed import TimedStage
from chassis.timed_worker import TimedWorker

OWN, MARKET = TopicPartition("orders.v1", 0), TopicPartition("market.marks.v1", 0)


def worker_of(market: Any) -> TimedWorker:
    step = MagicMock(lock=asyncio.Lock())
    step.take_over = AsyncMock(return_value=Position(Partition(*OWN), 0, 0, 0, b"", {}))
    stage = MagicMock(spec=TimedStage)
    own = MagicMock(assignment=MagicMock(return_value=set()))
    return TimedWorker(
        "stage", own, OWN.topic, MagicMock(), market, MagicMock(), step, stage, MagicMock(), MagicMock(),
        clock=lambda: None, hold_for_rounds=False, max_records=1,
    )  # fmt: skip


async def test_a_worker_that_lost_all_its_partitions_before_its_first_turn_goes_on() -> None:
    """Found by `arena simulate`: it ended with `min() arg is an empty sequence`."""
    market = MagicMock(offsets={MARKET: 0}, take=AsyncMock(), rewind=AsyncMock())
    market.balance.return_value = 0
    worker = worker_of(market)
    await worker.on_partitions_assigned({OWN})
    await worker.on_partitions_revoked({OWN})

    await worker._turn({}, {})
    assert market.rewind.await_count == 0  # nobody needs the market from anywhere

    await worker.on_partitions_assigned({OWN})
    await worker._turn({}, {})
    assert market.rewind.await_count == 1
