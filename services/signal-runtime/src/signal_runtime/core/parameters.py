"""A competitor's parameters: text on the wire, checked once here; a name that no one reads is an error."""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, get_args

T = TypeVar("T")


class BadParameter(ValueError):
    """The message names the parameter and what it must be."""


def read_parameters(into: type[T], written: Mapping[str, str]) -> T:
    """An instance of the dataclass `into`, whose fields are Decimal, int, bool or str, or null, and have defaults.

    A field's `metadata` may hold `low`, `high` (both included) or `choices`.
    """
    known = {field.name: field for field in fields(into)}  # type: ignore[arg-type]  # a dataclass, by contract
    if unknown := sorted(set(written) - set(known)):
        raise BadParameter(f"{unknown[0]}: is no parameter; there are {', '.join(known) or 'none'}")
    values = {name: _value(name, text, known[name].type, known[name].metadata) for name, text in written.items()}
    return into(**values)


def _value(name: str, text: str, kind: Any, bounds: Mapping[str, Any]) -> Any:
    value = _converted(name, text, kind)
    if "choices" in bounds and value not in bounds["choices"]:
        raise BadParameter(f"{name}: must be one of {', '.join(bounds['choices'])}")
    if "low" in bounds and not bounds["low"] <= value <= bounds["high"]:
        raise BadParameter(f"{name}: must be from {bounds['low']} and at most {bounds['high']}")
    return value


def _converted(name: str, text: str, kind: Any) -> Any:
    if optional := get_args(kind):
        kind = next(each for each in optional if each is not type(None))
    if kind is str:
        return text
    if kind is bool:
        if text not in ("true", "false"):
            raise BadParameter(f"{name}: must be true or false")
        return text == "true"
    try:
        value = Decimal(text)
        if not value.is_finite() or (kind is int and value != int(value)):
            raise InvalidOperation
    except InvalidOperation:
        raise BadParameter(f"{name}: must be a {'whole ' if kind is int else ''}number") from None
    return int(value) if kind is int else value
