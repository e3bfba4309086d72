"""A stage that kills itself with SIGKILL between any two of its effects, and is started again at once.

The parent process has imported everything and forks a child a life; `quiet` (a file) ends the killing.
"""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import chassis.publish
import chassis.step
from chassis.keyed_stage import KeyedStage
from chassis.publish import Out
from chassis.service import serve, stage_app, timed_app
from chassis.settings import ServiceSettings
from chassis.step import Connection, Writing
from chassis.testing import contract, halted
from chassis.timed import MarketRecord
from contracts.base import Event
from contracts.types import EPOCH
from starlette.applications import Starlette

KILL_AT_AN_EFFECT = 0.03
KILL_WITHIN_S = 1.5
NOTHING = "own", "sum", "market", "last0", "last1", "passed"


@dataclass
class Tally:
    count: int = 0
    sum: int = 0


def micros_of(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)


class Timed:
    """Counts what it is handed, of both kinds; passes its own on."""

    merged = False
    watermark_topic: str | None = None

    def __init__(self, topic: str, out: str, *, ordered: bool) -> None:
        self._topic, self._out, self._ordered = topic, out, ordered
        self._tallies: dict[int, dict[str, int]] = {}

    def moment(self, partition: int) -> datetime | None:
        """Live: every tenth of a second of arena time is waited for, so that records are held when the kill comes."""
        last = self._tallies[partition]["passed"]
        return EPOCH + timedelta(microseconds=last - last % 100_000 + 100_000) if last else None

    async def load(self, db: Connection, partition: int) -> None:
        query = "select body from state where topic = $1 and partition = $2"
        body = await db.fetchval(query, self._topic, partition)
        self._tallies[partition] = json.loads(body) if body else dict.fromkeys(NOTHING, 0)

    def own(self, partition: int, event: Any) -> Sequence[Event | Out]:
        tally = self._tallies[partition]
        tally["own"], tally["sum"] = tally["own"] + 1, tally["sum"] + int(event.reason)
        return [Out(halted(int(event.reason), event.competitor_id), self._out)]

    def market(self, partition: int, record: MarketRecord) -> Sequence[Event | Out]:
        tally = self._tallies[partition]
        micros, last = micros_of(record.at), f"last{record.partition}"
        assert micros > tally[last], "market records come in order, each once"
        if self._ordered:
            assert micros > max(tally["last0"], tally["last1"]), "across partitions too"
        tally["market"], tally[last] = tally["market"] + 1, micros
        return ()

    def recall(self, partition: int, record: MarketRecord) -> None:
        assert micros_of(record.at) <= self._tallies[partition][f"last{record.partition}"]

    def passed(self, partition: int, through: datetime) -> Sequence[Event | Out]:
        tally = self._tallies[partition]
        assert micros_of(through) >= tally["passed"], "time never falls"
        tally["passed"] = micros_of(through)
        return ()

    def watermark(self, partition: int) -> bool:
        return False

    async def save(self, out: Writing) -> None:
        db = await out.connection()
        await db.executemany(
            "insert into state values ($1, $2, 'tally', $3) "
            "on conflict (topic, partition, key) do update set body = $3",
            [(self._topic, partition, json.dumps(tally)) for partition, tally in self._tallies.items()],
        )


def create_app(told: dict[str, Any], kill: Any) -> Starlette:
    for name, like in told["contracts"].items():
        contract(name, like)
    settings = ServiceSettings(kafka=told["kafka"], postgres=told["postgres"], log_level="error")
    if told["market"]:
        timed = Timed(told["reads"], told["says"], ordered=told["clock"] == "lockstep")
        kill_around(timed, "save", kill)
        return timed_app(
            told["service"], settings, own_topic=told["reads"], market_topics=told["market"], stage=timed,
            clock=lambda: told["clock"], hold_for_rounds=True,
        )  # fmt: skip

    def decide(tally: Tally, event: Any) -> Sequence[Event | Out]:
        tally.count, tally.sum = tally.count + 1, tally.sum + int(event.reason)
        return [Out(halted(int(event.reason), event.competitor_id), told["says"])]

    stage = KeyedStage(Tally, decide)
    kill_around(stage, "save", kill)
    return stage_app(told["service"], settings, topics=[told["reads"]], stage=stage)


def kill_around(owner: Any, name: str, kill: Any) -> None:
    effect = getattr(owner, name)

    async def deadly(*arguments: Any) -> Any:
        kill()
        result = await effect(*arguments)
        kill()
        return result

    setattr(owner, name, deadly)


def live(told: dict[str, Any], life: int) -> None:
    chance = random.Random(f"{told['seed']}/{told['service']}/{life}")
    quiet = Path(told["quiet"])

    def kill(share: float = KILL_AT_AN_EFFECT) -> None:
        if chance.random() < share and not quiet.exists():
            os.kill(os.getpid(), signal.SIGKILL)

    async def kill_some_time() -> None:
        await asyncio.sleep(chance.uniform(0.1, KILL_WITHIN_S))
        kill(1)

    kill_around(chassis.publish.Publisher, "hand_over", kill)
    kill_around(chassis.step, "acknowledged", kill)
    app = create_app(told, kill)
    inner = app.router.lifespan_context

    def lifespan(app: Starlette) -> Any:
        app.state.killer = asyncio.ensure_future(kill_some_time())
        return inner(app)

    app.router.lifespan_context = lifespan
    serve(lambda: app)


def main() -> None:
    told = json.loads(sys.argv[1])
    child = kills = 0
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while True:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            live(told, kills)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            print(kills, flush=True)
            sys.exit(os.waitstatus_to_exitcode(status))
        kills += 1


if __name__ == "__main__":
    main()
