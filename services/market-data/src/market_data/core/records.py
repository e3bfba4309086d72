"""The hot events as records. Their JSON is written directly: ten times cheaper than by a model, and the same bytes."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha1
from typing import NamedTuple

from contracts.base import NAMESPACE
from contracts.market import BookUpdated, MarkUpdated, NewsPublished, TradePrinted
from contracts.topics import dead_letter_topic
from contracts.wire import Encoded, Headers

Levels = Sequence[tuple[str, str]]
"""(price, quantity) as plain decimals."""


class Quote(NamedTuple):
    sequence: int
    bids: Levels
    asks: Levels


class Marked(NamedTuple):
    mark_price: str | None
    index_price: str | None
    last_price: str | None
    funding_rate: str | None
    next_funding_at: datetime | None
    open_interest: str | None


@lru_cache(maxsize=64)  # the events of one step share their time
def written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def named(*parts: str) -> str:
    """`contracts.base.named_id` as text, at a third of the cost."""
    name = NAMESPACE.bytes + "|".join(("market-data", *parts)).encode()
    digits = sha1(name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def book_record(venue: str, at: datetime, instrument: str, quote: Quote, suspended: str | None = None) -> Encoded:
    event_id = named(venue, "book", instrument, time := written(at), *([suspended] if suspended else ()))
    value = (
        f'{{"event_id":"{event_id}","at":"{time}","instrument":"{instrument}","type":"book_updated","venue":"{venue}",'
        f'"sequence":{quote.sequence},"bids":[{_levels(quote.bids)}],"asks":[{_levels(quote.asks)}],'
        f'"suspended":{_quoted(suspended)}}}'
    )
    return _record(BookUpdated.topic, instrument, event_id, "arena.book_updated", time, value)


def _levels(levels: Levels) -> str:
    return ",".join([f'["{price}","{quantity}"]' for price, quantity in levels])


def trade_record(
    venue: str, at: datetime, instrument: str, trade_id: str, price: str, quantity: str, aggressor: str
) -> Encoded:
    event_id = named(venue, "trade", instrument, trade_id)
    time = written(at)
    value = (
        f'{{"event_id":"{event_id}","at":"{time}","instrument":"{instrument}","type":"trade_printed","venue":"{venue}",'
        f'"venue_trade_id":"{trade_id}","price":"{price}","quantity":"{quantity}","aggressor":"{aggressor}"}}'
    )
    return _record(TradePrinted.topic, instrument, event_id, "arena.trade_printed", time, value)


def mark_record(venue: str, at: datetime, instrument: str, mark: Marked) -> Encoded:
    event_id = named(venue, "mark", instrument, time := written(at))
    funding_at = None if mark.next_funding_at is None else written(mark.next_funding_at)
    value = (
        f'{{"event_id":"{event_id}","at":"{time}","instrument":"{instrument}","type":"mark_updated","venue":"{venue}",'
        f'"mark_price":"{mark.mark_price}","index_price":{_quoted(mark.index_price)},'
        f'"last_price":{_quoted(mark.last_price)},"funding_rate":{_quoted(mark.funding_rate)},'
        f'"next_funding_at":{_quoted(funding_at)},"open_interest":{_quoted(mark.open_interest)}}}'
    )
    return _record(MarkUpdated.topic, instrument, event_id, "arena.mark_updated", time, value)


def dead_letter(at: datetime, reason: str, raw: Sequence[str]) -> Encoded:
    """News that the quarantine refused, as it came: a JSON list of its fields."""
    event_id = named("dead-letter", written(at), *raw)
    topic = dead_letter_topic("market-data")
    record = _record(topic, raw[0][:64], event_id, "arena.news_refused", written(at), json.dumps(raw))
    origin = [("dl_reason", reason.encode()[:2_000]), ("dl_topic", NewsPublished.topic.encode())]
    return record._replace(partition=0, headers=[*record.headers, *origin])


def _quoted(text: str | None) -> str:
    return "null" if text is None else f'"{text}"'


def _record(topic: str, key: str, event_id: str, kind: str, time: str, value: str) -> Encoded:
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", kind.encode()),
        ("ce_time", time.encode()),
        ("content-type", b"application/json"),
    ]
    return Encoded(topic, None, key.encode(), value.encode(), headers)
