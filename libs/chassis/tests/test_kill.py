"""Two stages in a row, one plain and one timed, killed with SIGKILL at random points while events flow: exact sums."""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from chassis.migrate import migrate
from chassis.testing import World, halted, mark, watermark
from contracts.topics import dead_letter_topic
from contracts.wire import decode

SECONDS = float(os.environ.get("CHASSIS_KILL_SECONDS", "20"))
SEED = os.environ.get("CHASSIS_KILL_SEED") or str(random.SystemRandom().randrange(10**6))
COMPETITORS = [f"c{n}" for n in range(12)]
PARTITIONS = 2


async def start(told: dict[str, Any]) -> asyncio.subprocess.Process:
    script = Path(__file__).with_name("killed_stage.py")
    return await asyncio.create_subprocess_exec(
        sys.executable, str(script), json.dumps(told), stdout=asyncio.subprocess.PIPE
    )


async def feed(world: World, topic: str, market: str, says: str) -> tuple[list[int], int]:
    """Events at some hundred a second, market records a millisecond of arena time apart, with their watermarks."""
    numbers, marks = [0], 0
    await world.send(topic, halted(0, COMPETITORS[0]))
    await world.records(says, 1, within_s=120)  # both stages are up
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        some = range(len(numbers), len(numbers) + 20)
        await world.send(topic, *[halted(n, COMPETITORS[n % 12]) for n in some])
        numbers += some
        for partition in range(PARTITIONS):  # partitions take turns in the last digit: no two records at one time
            at = [(2 * (marks + n) + partition) / 1000 for n in range(1, 6)]
            name = f"I{partition}-USDT-PERP"
            await world.send(market, *[mark(second, name) for second in at], partition=partition)
        marks += 5
        for partition in range(PARTITIONS):
            time_now = watermark((2 * marks + 1) / 1000, partition, closed_round=marks // 50)
            await world.send(market, time_now, partition=partition)
        await asyncio.sleep(0.02)
    return numbers, marks * PARTITIONS


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["lockstep", "live"])
async def test_killed_at_random_points_nothing_is_lost_and_nothing_doubled(
    world: World, tmp_path: Path, clock: str
) -> None:
    print(f"seed {SEED}, {SECONDS:.0f} s")  # to repeat it: CHASSIS_KILL_SEED, CHASSIS_KILL_SECONDS
    reads, between, says = [await world.topic("orders.v1", PARTITIONS, tag=tag) for tag in ("-in", "-between", "-out")]
    market = await world.topic("market.marks.v1", PARTITIONS)
    timed = f"{world.service}-timed"
    timed_dsn = await asyncio.to_thread(migrate, world.admin_dsn, timed, password="of-no-value")
    await world.create(dead_letter_topic(timed), 1)
    quiet = tmp_path / "quiet"
    like = {reads: "orders.v1", between: "orders.v1", says: "orders.v1", market: "market.marks.v1"}
    common = {"kafka": world.kafka, "seed": SEED, "quiet": str(quiet), "contracts": like, "clock": clock}
    first = {"service": world.service, "postgres": world.dsn, "reads": reads, "says": between, "market": []}
    second = {"service": timed, "postgres": timed_dsn, "reads": between, "says": says, "market": [market]}
    stages = [await start(common | told) for told in (first, second)]
    try:
        numbers, marks = await feed(world, reads, market, says)
        quiet.touch()
        said = [decode(says, record.value) for record in await world.records(says, len(numbers), within_s=60)]
        tallies = await finished(world.admin_dsn, timed, len(numbers), marks)
    finally:
        for stage in stages:
            stage.send_signal(signal.SIGTERM)
        kills = [int(await stage.stdout.read()) for stage in stages if stage.stdout]
        codes = [await stage.wait() for stage in stages]
    print(f"{kills} kills, {len(numbers)} events, {marks} market records")
    assert codes == [0, 0]
    assert min(kills) >= 2, "the test kills"
    assert Counter(int(event.reason) for event in said) == Counter(numbers)
    for competitor in COMPETITORS:
        mine = [int(event.reason) for event in said if event.competitor_id == competitor]
        assert mine == sorted(mine), "in order"
    states = {row["key"]: json.loads(row["body"]) for row in await world.fetch("select key, body from state")}
    for n, competitor in enumerate(COMPETITORS):
        assert states[competitor] == {"count": len(numbers[n::12]), "sum": sum(numbers[n::12])}
    assert sum(tally["sum"] for tally in tallies) == sum(numbers)


async def finished(admin_dsn: str, service: str, own: int, marks: int) -> list[dict[str, int]]:
    """The timed stage's tallies when both kinds are complete: every unit has every market record."""
    db = await asyncpg.connect(admin_dsn)
    try:
        async with asyncio.timeout(60):
            while True:
                rows = await db.fetch(f'select body from "{service.replace("-", "_")}".state')
                tallies = [json.loads(row["body"]) for row in rows]
                if sum(t["own"] for t in tallies) >= own and all(t["market"] >= marks for t in tallies):
                    break
                await asyncio.sleep(0.1)
    finally:
        await db.close()
    assert [tally["market"] for tally in tallies] == [marks] * PARTITIONS
    assert sum(tally["own"] for tally in tallies) == own
    return tallies
