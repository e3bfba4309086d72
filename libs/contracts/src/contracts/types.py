"""The scalar types of the wire: everything has a bound, every decimal is a string, every time is UTC."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

DECIMAL_PATTERN = r"^-?[0-9]{1,20}(\.[0-9]{1,18})?$"
_written = re.compile(DECIMAL_PATTERN).match
_PLACES_MAX = 18


def plain(value: Decimal) -> str:
    """The decimal without an exponent: `0.0000001`, never `1E-7`."""
    text = str(value)  # half the cost of format, and nearly always the same
    return format(value, "f") if "E" in text else text


def _exact(value: Any) -> Decimal:
    if type(value) is str:
        if _written(value) is None:
            raise ValueError("a decimal is digits with at most 18 places, no exponent, no NaN")
        return Decimal(value)
    if type(value) is int:
        return Decimal(value)
    if type(value) is not Decimal:
        raise ValueError("a decimal is written as a string, never as a binary float")
    text = str(value)
    if len(text) <= _PLACES_MAX and text[-1].isdigit() and "E" not in text and "N" not in text:
        return value  # too short to have too many places; as_tuple costs three times as much
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_PLACES_MAX:
        raise ValueError(f"a decimal has at most {_PLACES_MAX} places and is finite")
    return value


class _Between:
    """One validator for a bounded decimal, at a third of the cost of pydantic's own chain."""

    def __init__(self, low: str, high: str, *, closed: bool = False, about: str) -> None:
        self._low, self._high, self._closed, self._about = Decimal(low), Decimal(high), closed, about

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._check, serialization=core_schema.plain_serializer_function_ser_schema(plain)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        opening = "from" if self._closed else "above"
        return {
            "type": "string",
            "pattern": DECIMAL_PATTERN,
            "description": f"{self._about}; {opening} {plain(self._low)} up to {plain(self._high)}",
        }

    def _check(self, value: Any) -> Decimal:
        number = _exact(value)
        if self._low < number <= self._high or (self._closed and number == self._low):
            return number
        opening = "from" if self._closed else "above"
        raise ValueError(f"must be {opening} {plain(self._low)} and at most {plain(self._high)}")


Price = Annotated[Decimal, _Between("0", "1e12", about="USD for one unit of the base asset")]
Quantity = Annotated[Decimal, _Between("0", "1e15", about="units of the base asset")]
Size = Annotated[Decimal, _Between("0", "1e15", closed=True, about="units of the base asset, or none")]
SignedQuantity = Annotated[Decimal, _Between("-1e15", "1e15", about="units of the base asset, above zero is long")]
Usd = Annotated[Decimal, _Between("-1e18", "1e18", about="US dollars, signed")]
UsdSize = Annotated[Decimal, _Between("0", "1e18", closed=True, about="US dollars")]
Rate = Annotated[Decimal, _Between("-1e6", "1e6", about="a ratio, 0.01 is one per cent")]
Leverage = Annotated[Decimal, _Between("1", "200", closed=True, about="notional divided by margin")]
Confidence = Annotated[Decimal, _Between("0", "1", closed=True, about="a probability")]
Sentiment = Annotated[Decimal, _Between("-1", "1", closed=True, about="from bad to good for the price")]
Number = Annotated[Decimal, _Between("-1e20", "1e20", about="an indicator or a measured number")]

Time = Annotated[AwareDatetime, AfterValidator(lambda value: value.astimezone(UTC))]
"""An instant, kept in UTC, written in RFC 3339."""

InstrumentId = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,16}(-[A-Z0-9]{1,16}){1,3}$", examples=["BTC-USDT-PERP"])]
CompetitorId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$", examples=["trend-1"])]
SeasonId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$", examples=["season-1"])]
Round = Annotated[int, Field(ge=1, le=100_000_000)]
Sequence = Annotated[int, Field(ge=0, le=2**62)]
Count = Annotated[int, Field(ge=0, le=2**40)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Label = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(max_length=4_000)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Side = Literal["buy", "sell"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
