"""A stage whose state is one object a key: events in, events out, changed objects saved as JSON."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from contracts.base import Event
from pydantic import TypeAdapter

from chassis.step import Connection, Out, Partition, Writing

State = TypeVar("State")
Where = tuple[str, int, str]

SAVE = """
insert into state select * from unnest($1::text[], $2::int[], $3::text[], $4::jsonb[])
on conflict (topic, partition, key) do update set body = excluded.body
"""


class KeyedStage(Generic[State]):
    """`state` is a dataclass or model whose fields all have defaults; `decide` changes it in place.

    Override `prepare` to await what the decisions need.
    """

    def __init__(
        self,
        state: type[State],
        decide: Callable[[State, Any], Sequence[Event | Out]],
        *,
        key: Callable[[Any], str] = lambda event: event.key,
    ) -> None:
        self._new, self._decide, self._key = state, decide, key
        self._codec = TypeAdapter(state)
        self._states: dict[Where, State] = {}
        self._changed: set[Where] = set()

    async def load(self, db: Connection, partition: Partition) -> None:
        self._states = {where: state for where, state in self._states.items() if where[:2] != partition}
        for row in await db.fetch("select key, body from state where topic = $1 and partition = $2", *partition):
            self._states[*partition, row["key"]] = self._codec.validate_json(row["body"])

    async def prepare(self, events: Sequence[Event]) -> None:
        """Nothing to wait for."""

    def decide(self, partition: Partition, event: Event) -> Sequence[Event | Out]:
        where = (*partition, self._key(event))
        state = self._states.get(where)
        if state is None:
            state = self._states[where] = self._new()
        self._changed.add(where)
        return self._decide(state, event)

    async def save(self, out: Writing) -> None:
        rows = [(*where, self._codec.dump_json(self._states[where]).decode()) for where in sorted(self._changed)]
        out.rows(SAVE, rows)
        self._changed.clear()

    def sizes(self) -> dict[str, int]:
        return {"keys": len(self._states)}
