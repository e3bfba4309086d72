"""A season as its organiser writes it: YAML, every key known, every error with file, field and rule."""

from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from contracts.canonical import canonical_bytes
from contracts.competition import Breaker, Clock, ExposureCap, Kind, SeasonRules, TradingWindow
from contracts.types import CompetitorId, Label, Name, SeasonId, Time
from contracts.wire import explain
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

FILE_BYTES_MAX = 1_000_000
BASELINES = ("buy_and_hold", "random")


class BadSeason(ValueError):
    """The season file breaks a rule; the message names the file, the field and the rule."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rules(SeasonRules):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("windows", "exposure", "breakers", mode="before")
    @classmethod
    def _keys_are_known(cls, value: Any, about: ValidationInfo) -> Any:
        """What is read off the wire passes over unknown keys; what an organiser writes does not."""
        known = _ENTRIES[str(about.field_name)].model_fields
        entries = value if isinstance(value, list) else ()
        for key in (key for entry in entries if isinstance(entry, dict) for key in entry):
            if key not in known:
                raise ValueError(f"{key}: there is no such key, only {', '.join(known)}")
        return value


_ENTRIES: dict[str, type[BaseModel]] = {"windows": TradingWindow, "exposure": ExposureCap, "breakers": Breaker}


def _written(value: Any) -> Any:
    """`period: 20` in the file is the text `20` on the wire."""
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int) else value


Parameter = Annotated[str, BeforeValidator(_written), Field(max_length=200)]


class Competitor(_Strict):
    competitor_id: CompetitorId
    name: Name
    mark: Annotated[str, Field(pattern=r"^[A-Z0-9]{2}$")]
    hue: Annotated[int, Field(ge=0, le=11)] | None = None
    """Null: the next free one of the twelve, in the order of the file."""
    kind: Kind
    model: Label
    parameters: Annotated[dict[Label, Parameter], Field(max_length=50)] = Field(default={})
    owner: Name = "arena"
    version: Annotated[Label, BeforeValidator(_written)] = "1"
    active: bool = True


class SeasonFile(_Strict):
    season_id: SeasonId
    name: Name
    venue: Label
    clock: Clock
    starts_at: Time | None = None
    """Null: told by COMPETITION_STARTS_AT, or what the season's first start was told."""
    ends_at: Time | None = None
    rules: Rules
    competitors: Annotated[tuple[Competitor, ...], Field(min_length=1, max_length=10_000)]

    @model_validator(mode="after")
    def _each_once(self) -> "SeasonFile":
        uniques: list[tuple[str, Sequence[Hashable]]] = [
            ("rules.instruments", self.rules.instruments),
            ("competitors: competitor_id", [entry.competitor_id for entry in self.competitors]),
            ("competitors: mark", [entry.mark for entry in self.competitors]),
        ]
        for field, values in uniques:
            if repeated := [value for value, count in Counter(values).items() if count > 1]:
                raise ValueError(f"{field}: must be unique, {repeated[0]} stands there more than once")
        return self

    @model_validator(mode="after")
    def _has_its_baselines(self) -> "SeasonFile":
        """What everyone is held against takes part in every season."""
        there = {entry.model for entry in self.competitors if entry.kind == "baseline" and entry.active}
        if missing := [model for model in BASELINES if model not in there]:
            raise ValueError(f"competitors: every season has an active baseline of the model {missing[0]}")
        return self

    @model_validator(mode="after")
    def _ends_after_start(self) -> "SeasonFile":
        if self.starts_at is not None and self.ends_at is not None and self.ends_at <= self.starts_at:
            raise ValueError("ends_at: must be after starts_at")
        return self


class _Loader(yaml.SafeLoader):
    """Decimals and times stay text, so that neither passes through a float; a repeated key is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if repeated := [key for key, count in Counter(keys).items() if count > 1]:
            raise yaml.MarkedYAMLError(problem=f"{repeated[0]}: stands there twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


_TEXT = ("tag:yaml.org,2002:float", "tag:yaml.org,2002:timestamp")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _TEXT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_season(path: Path) -> SeasonFile:
    """The season of the file. Raises BadSeason."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise BadSeason(f"{path}: more than {FILE_BYTES_MAX} bytes")
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  # a SafeLoader
    except OSError as error:
        raise BadSeason(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadSeason(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    try:
        return SeasonFile.model_validate(content)
    except ValidationError as error:
        raise BadSeason(f"{path}: {explain(error)}") from None


def parameters_bytes(competitor: Competitor) -> bytes:
    """What a competitor's `config_sha256` is of: everything that decides how it answers."""
    return canonical_bytes(competitor.model_dump(mode="json", include={"kind", "model", "parameters", "version"}))
