"""Of the log itself: what was committed is published, in order, once after repeats are dropped, and nothing else is."""

from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.step import unpack
from contracts.topics import TOPICS
from pnl_tracker.competition import partition_of

from arena.simulation.database import Move
from arena.simulation.invariants.base import Invariant
from arena.simulation.log import Record

_SAID_ONCE = ("signals.v1", "orders.v1", "executions.v1", "rounds.v1", "decisions.requested.v1")


class PublishedAsCommitted(Invariant):
    name = "published_as_committed"
    says = "a step's sources count without gaps; each number is one output, committed first, and then published"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._numbers: defaultdict[str, int] = defaultdict(int)
        self._offsets: dict[str, int] = {}
        self._waiting: defaultdict[tuple[str, int, str], deque[tuple[int, bytes]]] = defaultdict(deque)
        self._out: dict[tuple[str, int], bytes] = {}

    def committed(self, service: str, moves: Sequence[Move]) -> None:
        for move in moves:
            source = f"{service}/{move.topic}/{move.partition}"
            outs = unpack(move.staged)
            if move.sequence != self._numbers[source] + len(outs):
                self.fail(
                    f"{source}: committed up to {move.sequence}, {self._numbers[source]} and {len(outs)} more are due"
                )
            if move.next_offset < self._offsets.get(source, 0):
                self.fail(f"{source}: went back from {self._offsets[source]} to {move.next_offset}")
            for number, out in enumerate(outs, self._numbers[source] + 1):
                partitions = self.world.log.counts[out.topic]
                partition = partition_of(out.key.decode(), partitions) if out.partition is None else out.partition
                self._out[source, number] = out.value
                if dict(out.headers).get("ce_type") != b"arena.time_advanced":
                    self._waiting[out.topic, partition, source].append((number, out.value))
            self._numbers[source], self._offsets[source] = move.sequence, move.next_offset

    def lands(self, record: Record, source: str, sequence: int) -> None:
        if source not in self._numbers:
            if source.rpartition("/")[0] in _STEPS:
                self.fail(f"{source}/{sequence} was published before anything was committed")
            return
        committed = self._out.get((source, sequence))
        if committed != record.value:
            what = "was not committed" if committed is None else "was committed as something else"
            self.fail(f"{source}/{sequence} in {record.topic}[{record.partition}] {what}")
        waiting = self._waiting[record.topic, record.partition, source]
        if waiting and sequence > waiting[0][0]:
            self.fail(f"{source}: {sequence} landed in {record.topic}[{record.partition}], {waiting[0][0]} never did")
        if waiting and sequence == waiting[0][0]:
            waiting.popleft()

    def ends(self) -> None:
        for (topic, partition, source), waiting in self._waiting.items():
            if waiting:
                self.fail(f"{source}: {waiting[0][0]} was committed and never reached {topic}[{partition}]")


_STEPS = {
    f"{service}/{topic}"
    for service, topics in {
        "risk-gate": ("signals.v1", "control.v1"), "order-executor": ("orders.v1",), "pnl-tracker": ("executions.v1",),
        "competition": ("market.snapshots.v1", "orders.v1", "market.bars.v1"),
    }.items()
    for topic in topics
}  # fmt: skip


class OneIdOneEvent(Invariant):
    name = "one_id_one_event"
    says = "an event id is one event for ever, whoever says it how often"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._said: dict[tuple[str, Any], bytes] = {}

    def lands(self, record: Record, source: str, sequence: int) -> None:  # noqa: ARG002  # one form for all
        """Also what readers would drop: an answer that is given again is the same answer."""
        if record.topic in _SAID_ONCE:
            name = record.topic, dict(record.headers)["ce_id"]
            known = self._said.setdefault(name, record.value)
            if known != record.value:
                self.fail(f"{name[1].decode()} in {record.topic} was {known[:200]!r} and is {record.value[:200]!r}")


class Contracts(Invariant):
    name = "contracts"
    says = "nothing that a service says breaks its contract; its headers have its id and its time"

    def lands(self, record: Record, source: str, sequence: int) -> None:  # noqa: ARG002  # one form for all
        if record.topic not in TOPICS:
            reason = dict(record.headers).get("dl_reason", b"").decode()
            self.fail(f"dead letter in {record.topic}: {reason}")

    def sees(self, record: Record, event: Any) -> None:
        headers = dict(record.headers)
        said = headers["ce_id"].decode(), _time(headers["ce_time"])
        if said != (str(event.event_id), event.at):
            self.fail(f"{event.type} {event.event_id} of {event.at.isoformat()} has the headers {said}")


def _time(header: bytes) -> datetime | str:
    try:
        return datetime.fromisoformat(header.decode())
    except ValueError:
        return header.decode()
