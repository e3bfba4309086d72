"""What operators ask for, and the checkpoints of the audit log."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.base import Event
from contracts.types import CompetitorId, InstrumentId, Label, Name, SeasonId, Sha256


class ControlBase(Event):
    """`competitor_id` null means the whole arena."""

    season_id: SeasonId
    competitor_id: CompetitorId | None = None
    instrument: InstrumentId | None = None
    operator: Name
    reason: Annotated[str, Field(min_length=1, max_length=500)]

    @property
    def key(self) -> str:
        return self.competitor_id or "arena"


class HaltRequested(ControlBase):
    topic: ClassVar[str] = "control.v1"
    type: Literal["halt_requested"] = "halt_requested"


class ResumeRequested(ControlBase):
    topic: ClassVar[str] = "control.v1"
    type: Literal["resume_requested"] = "resume_requested"


class FlattenRequested(ControlBase):
    topic: ClassVar[str] = "control.v1"
    type: Literal["flatten_requested"] = "flatten_requested"


class AuditCheckpoint(Event):
    """The Merkle root over the first `size` records of the log, signed."""

    topic: ClassVar[str] = "audit.v1"

    type: Literal["audit_checkpoint"] = "audit_checkpoint"
    log: Label
    size: Annotated[int, Field(ge=0, le=2**53)]
    root_sha256: Sha256
    key_id: Label
    signature: Annotated[str, Field(max_length=256)]

    @property
    def key(self) -> str:
        return self.log


ControlEvent = Annotated[HaltRequested | ResumeRequested | FlattenRequested, Field(discriminator="type")]
