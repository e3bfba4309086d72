"""Closed trades as Alpha Arena published them: `{"trades": [row, …]}` or the list alone, gzipped or not."""

import json
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from contracts.base import Model
from contracts.types import Name, Price, SignedQuantity, Usd
from contracts.wire import explain
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from arena import packed

BYTES_MAX = 64_000_000
ROWS_MAX = 100_000
_PLACE = Decimal("1e-18")
_WIDE = Context(prec=100, rounding=ROUND_HALF_EVEN)


class BadRow(NamedTuple):
    number: int
    """Counted from 1."""
    reason: str
    """The field and the rule."""


def _number(value: Any) -> Decimal:
    """A JSON number; where it has more places than the wire carries, they are noise of a binary float."""
    if type(value) is not Decimal:
        raise ValueError("must be a JSON number")
    if not value.is_finite():
        raise ValueError("must be finite")
    is_small = value.adjusted() < 20  # others are refused by their bound
    return value.quantize(_PLACE, context=_WIDE).normalize(_WIDE) if is_small else value


def _seconds(value: Any) -> float:
    seconds = _number(value)
    if not 0 <= seconds < 10**11:
        raise ValueError("must be Unix seconds")
    return float(seconds)


_Number = BeforeValidator(_number)
Seconds = Annotated[float, BeforeValidator(_seconds)]


class Row(Model):
    """A round trip. Quantities are signed as the side is, or not signed at all; other columns are passed over."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    model_id: Name
    symbol: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,16}$")]
    side: Literal["long", "short"]
    quantity: Annotated[SignedQuantity, _Number]
    entry_price: Annotated[Price, _Number]
    exit_price: Annotated[Price, _Number]
    entry_commission_dollars: Annotated[Usd, _Number]
    exit_commission_dollars: Annotated[Usd, _Number]
    realized_net_pnl: Annotated[Usd, _Number]
    entry_time: Seconds
    exit_time: Seconds
    exit_closed_pnl: Annotated[Usd, _Number] | None = None
    """What the venue says the exit realised, less the exit's commission."""
    entry_sz: Annotated[SignedQuantity, _Number] | None = None
    exit_sz: Annotated[SignedQuantity, _Number] | None = None

    @property
    def sign(self) -> int:
        return 1 if self.side == "long" else -1

    @property
    def size(self) -> Decimal:
        return abs(self.quantity)

    @model_validator(mode="after")
    def _is_whole(self) -> "Row":
        rules = [
            (not self.quantity, "quantity: must not be zero"),
            (self.side == "long" and self.quantity < 0, "quantity: must be above zero where side is long"),
            (self.entry_sz not in (None, self.size), "entry_sz: must be the size of quantity"),
            (self.exit_sz not in (None, self.size), "exit_sz: must be the size of quantity"),
            (self.exit_time < self.entry_time, "exit_time: must not be before entry_time"),
        ]
        if broken := [message for is_broken, message in rules if is_broken]:
            raise ValueError("; ".join(broken))
        return self


def read(path: Path) -> Iterator[tuple[int, Row] | BadRow]:
    """Each row with its number. Raises Unreadable before the first."""
    seen: dict[str, int] = {}
    for number, value in enumerate(_rows(path), start=1):
        try:
            row = Row.model_validate(value)
        except ValidationError as error:
            yield BadRow(number, explain(error).replace("Value error, ", "").removeprefix("value: "))
            continue
        if row.id in seen:
            yield BadRow(number, f"id: stands in row {seen[row.id]} too")
            continue
        seen[row.id] = number
        yield number, row


def _rows(path: Path) -> list[Any]:
    try:
        # NaN and Infinity are no JSON, but Python writes them: they are read so that their row can be named
        text = packed.content(path, BYTES_MAX).decode("utf-8-sig")
        found = json.loads(text, parse_float=_parsed, parse_int=_parsed, parse_constant=_parsed)
    except (ValueError, RecursionError) as error:
        raise packed.Unreadable(f"not JSON: {error}") from None
    rows = found.get("trades") if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise packed.Unreadable("neither a list of trades nor an object with one in `trades`")
    if len(rows) > ROWS_MAX:
        raise packed.Unreadable(f"{len(rows)} trades, at most {ROWS_MAX} are read")
    return rows


def _parsed(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return Decimal("NaN")
