"""What every event on the wire shares."""

from functools import cache
from hashlib import sha1
from typing import Any, ClassVar, Self
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from contracts.types import CompetitorId, InstrumentId, Round, SeasonId, Time

NAMESPACE = UUID("6e6f6631-0000-5000-8000-6172656e6121")
"""The root of all ids: events without a cause on the wire name themselves below it."""


_VERSION_5 = 5 << 76 | 0b10 << 62
_UNVERSIONED = ~(0xF << 76 | 0b11 << 62)


@cache
def _names(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def named_id(*parts: object) -> UUID:
    """The id of an event that no other event caused: the same logical fields give the same id."""
    return uuid5(NAMESPACE, "|".join(map(str, parts)))


def child_of(parent: UUID, name: int | str) -> UUID:
    """uuid5, at half its cost."""
    digest = sha1(parent.bytes + str(name).encode(), usedforsecurity=False).digest()
    return UUID(int=int.from_bytes(digest[:16]) & _UNVERSIONED | _VERSION_5)


class Model(BaseModel):
    """A frozen value. Unknown fields are passed over, so that readers outlive additions."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def made(cls, **fields: Any) -> Self:
        """A value of all its fields, unchecked, at a tenth of the cost: for cores that reckon from checked values.

        They are written in the order given here; an event's begin with event_id and at (`wire.encode` sees to it).

        Whoever reads it off the wire checks it all the same; the tests of such a core validate what it made.
        """
        model = cls.__new__(cls)
        object.__setattr__(model, "__dict__", fields)
        object.__setattr__(model, "__pydantic_fields_set__", _names(cls))
        object.__setattr__(model, "__pydantic_extra__", None)
        object.__setattr__(model, "__pydantic_private__", None)
        return model


class Event(Model):
    """A fact. A consumer derives a new event, it never edits one."""

    topic: ClassVar[str]

    event_id: UUID
    at: Time
    """Arena time: wall-clock time in a live season, the recording's time in lockstep."""
    traceparent: SkipJsonSchema[str] = Field(default="", exclude=True, max_length=128)
    """W3C trace context; it travels in the header of that name, never in the value."""

    @property
    def key(self) -> str:
        """What the event is about: events with one key keep their order."""
        raise NotImplementedError

    def child_id(self, index: int | str) -> UUID:
        """The id of the index-th event this one causes: same cause, same id."""
        return child_of(self.event_id, index)


class InstrumentEvent(Event):
    instrument: InstrumentId

    @property
    def key(self) -> str:
        return self.instrument


class SeasonEvent(Event):
    season_id: SeasonId

    @property
    def key(self) -> str:
        return self.season_id


class CompetitorEvent(Event):
    season_id: SeasonId
    competitor_id: CompetitorId

    @property
    def key(self) -> str:
        return self.competitor_id


class DecisionEvent(CompetitorEvent):
    """Belongs to one competitor's decision in one round."""

    round: Round
