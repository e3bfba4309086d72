"""Single fields of a decision: numbers, choices and texts as models write them, within their bounds."""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from contracts.money import CONTEXT

from signal_runtime.core.entries import Fields
from signal_runtime.core.errors import AmbiguousReply, BadField

PLACES = Decimal("1e-18")
PRICE_MAX, QUANTITY_MAX, USD_MAX = Decimal("1e12"), Decimal("1e15"), Decimal("1e18")
LEVERAGE_MAX = Decimal(200)
T = TypeVar("T", bound=str)

_NOTHING = frozenset({"", "null", "none", "n/a", "na", "-"})
_WIDE = str.maketrans("０１２３４５６７８９．－＋−，％＄", "0123456789.-+-,%$")
# "1,234" alone may be 1234 or 1.234; a point or a second group settles it.
_grouped = re.compile(r"^-?\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})$").match
_money = re.compile(r"\s*(?:USDT|USDC|USD)$", re.IGNORECASE)
_times = re.compile(r"\s*(?:x|×|倍)$", re.IGNORECASE)


def price(coin: str, fields: Fields, name: str) -> Decimal | None:
    """Zero is how models write "none"."""
    return number(coin, {name: _cut(fields.get(name), _money)}, name, Decimal(0), PRICE_MAX) or None


def usd(coin: str, fields: Fields, name: str) -> Decimal | None:
    return number(coin, {name: _cut(fields.get(name), _money)}, name, Decimal(0), USD_MAX)


def quantity(coin: str, fields: Fields) -> Decimal | None:
    """Signed; "0.12 BTC" of BTC is 0.12."""
    unit = re.compile(rf"\s*{re.escape(coin.partition('-')[0])}$", re.IGNORECASE)
    return number(coin, {"quantity": _cut(fields.get("quantity"), unit)}, "quantity", -QUANTITY_MAX, QUANTITY_MAX)


def leverage(coin: str, fields: Fields) -> Decimal | None:
    """ "10x" is 10."""
    return number(coin, {"leverage": _cut(fields.get("leverage"), _times)}, "leverage", Decimal(0), LEVERAGE_MAX)


def confidence(coin: str, fields: Fields) -> Decimal | None:
    """ "75%" is 0.75; 75 is out of its bounds, for it may be either."""
    said = fields.get("confidence")
    written = said.translate(_WIDE).strip() if isinstance(said, str) else ""
    if not written.endswith("%"):
        return number(coin, fields, "confidence", Decimal(0), Decimal(1))
    rate = number(coin, {"confidence": written[:-1]}, "confidence", Decimal(0), Decimal(100))
    return None if rate is None else CONTEXT.divide(rate, Decimal(100)).quantize(PLACES, context=CONTEXT).normalize()


def number(coin: str, fields: Fields, name: str, low: Decimal, high: Decimal) -> Decimal | None:
    """Null and what stands for it is None; more than 18 places are rounded."""
    value = fields.get(name)
    if value is None or (isinstance(value, str) and value.strip().casefold() in _NOTHING):
        return None
    found = value if isinstance(value, Decimal) else _written(coin, name, value)
    if not low <= found <= high:
        raise BadField(f"{coin}.{name}: must be from {low:f} and at most {high:f}")
    exponent = found.as_tuple().exponent
    return found.quantize(PLACES, context=CONTEXT) if isinstance(exponent, int) and exponent < -18 else found


def _cut(value: Any, unit: re.Pattern[str]) -> Any:
    return unit.sub("", value.strip()) if isinstance(value, str) else value


def _written(coin: str, name: str, value: Any) -> Decimal:
    if not isinstance(value, str) or len(value) > 40:
        raise BadField(f"{coin}.{name}: is {type(value).__name__}, not a number")
    written = value.translate(_WIDE).strip().replace("$", "", 1).strip()
    if _grouped(written):
        written = written.replace(",", "")
    elif "," in written:
        raise AmbiguousReply(f"{coin}.{name}: {value!r} has a comma that may be either")
    try:
        found = Decimal(written)
    except InvalidOperation:
        raise BadField(f"{coin}.{name}: {value!r} is not a number") from None
    if not found.is_finite() or "_" in written or not written.isascii():
        raise BadField(f"{coin}.{name}: {value!r} is not a number")
    return found


def choice(coin: str, fields: Fields, name: str, choices: Sequence[T]) -> T | None:
    value = fields.get(name)
    if value is None or (isinstance(value, str) and value.strip().casefold() in _NOTHING):
        return None
    said = "_".join(value.split()).replace("-", "_").casefold() if isinstance(value, str) else ""
    for one in choices:
        if said == one.casefold():
            return one
    raise BadField(f"{coin}.{name}: {str(value)[:40]!r} is none of {', '.join(choices)}")


def text(coin: str, fields: Fields, name: str, length_max: int) -> str:
    """Cut to its bound; without control characters and half surrogates, which no database keeps."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadField(f"{coin}.{name}: is {type(value).__name__}, not text")
    kept = (char for char in value if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
    return "".join(kept).strip()[:length_max]
