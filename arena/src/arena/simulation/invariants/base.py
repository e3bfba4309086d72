"""The checker sees every record as it lands, and every commit; the first thing that does not hold ends the run."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from contracts.wire import BadRecord, decode

from arena.simulation.database import Move
from arena.simulation.log import Record

if TYPE_CHECKING:
    from arena.simulation.world import World

TRACE_RECORDS = 4_000
_NAME_LENGTH = 6
"""Shorter words name nothing."""


class Violation(NamedTuple):
    name: str
    seed: int
    at: str
    """The simulated wall clock."""
    detail: str


class Broken(Exception):
    """It does not hold; the message says what was seen."""


class Invariant:
    name: ClassVar[str]
    says: ClassVar[str]

    def __init__(self, world: "World") -> None:
        self.world, self.plan = world, world.plan

    def sees(self, record: Record, event: Any) -> None:
        """A record that was not sent before; not a watermark."""

    def lands(self, record: Record, source: str, sequence: int) -> None:
        """Every record, those that are sent again too."""

    def committed(self, service: str, moves: Sequence[Move]) -> None:
        """A step's commit."""

    def ends(self) -> None:
        """Everything is at rest."""

    def fail(self, detail: str) -> None:
        raise Broken(detail)


class Checker:
    def __init__(self, world: "World", invariants: Sequence[type[Invariant]]) -> None:
        self._world = world
        self._invariants = [kind(world) for kind in invariants]
        self._seen: dict[tuple[str, int, str], int] = {}
        self.violation: Violation | None = None
        self.events = 0
        """Records that were not sent before, watermarks apart."""
        self.trace: deque[Record] = deque(maxlen=TRACE_RECORDS)
        world.log.watchers.append(self._lands)
        for database in world.databases:
            database.watchers.append(self._committed)

    def ends(self) -> None:
        for who, error in self._world.failures:
            self._note("progress" if isinstance(error, TimeoutError) else "no_exception", f"{who}: {error!r}")
        self._ask(lambda invariant: invariant.ends())

    def related(self, most: int = 25) -> list[str]:
        """The last records that share a competitor, an order or a source with what is broken; else simply the last."""
        assert self.violation is not None
        words = {word.strip("'(),:;") for word in self.violation.detail.split()} - {""}
        names = {word.encode() for word in words if len(word) >= _NAME_LENGTH}
        near = [each for each in self.trace if any(name in each.value or name in each.key for name in names)]
        return [_line(each) for each in (near or list(self.trace))[-most:]]

    def _lands(self, record: Record) -> None:
        headers = dict(record.headers)
        kind = headers["ce_type"]
        if kind == b"arena.time_advanced":
            return
        source, sequence = headers["ce_source"].decode(), int(headers["ce_sequence"])
        self._ask(lambda invariant: invariant.lands(record, source, sequence))
        where = record.topic, record.partition, source
        if sequence <= self._seen.get(where, -1):
            return
        self._seen[where] = sequence
        self.events += 1
        self.trace.append(record)
        try:
            event = decode(record.topic, record.value)
        except (BadRecord, KeyError) as error:
            self._note("contracts", f"{record.topic}[{record.partition}] {record.offset}: {error}")
            return
        self._ask(lambda invariant: invariant.sees(record, event))

    def _committed(self, service: str, moves: Sequence[Move]) -> None:
        self._ask(lambda invariant: invariant.committed(service, moves))

    def _ask(self, question: Any) -> None:
        if self.violation is not None:
            return
        for invariant in self._invariants:
            try:
                question(invariant)
            except Broken as broken:
                self._note(invariant.name, str(broken))
                return

    def _note(self, name: str, detail: str) -> None:
        if self.violation is None:
            at = self._world.loop.now().isoformat()
            self.violation = Violation(name, self._world.plan.seed, at, detail[:500])
            self._world.stop()


def _line(record: Record) -> str:
    headers = dict(record.headers)
    said = headers["ce_source"].decode(), headers["ce_sequence"].decode()
    return f"{record.topic}[{record.partition}] {record.offset} {'/'.join(said)} {record.value.decode()[:400]}"
