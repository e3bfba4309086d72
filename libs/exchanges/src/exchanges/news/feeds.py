"""RSS, Atom and JSON lines to articles. Whatever the bytes are, they cost bounded time and memory."""

import calendar
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

import feedparser

from exchanges.updates import News, OnChain

BYTES_MAX = 2_000_000
ARTICLES_MAX = 500
TEXT_MAX = 25_000


class BadFeed(ValueError):
    """The bytes are no feed; says why."""


class Article(NamedTuple):
    published_at: datetime
    """As its writer says."""
    update: News | OnChain

    @property
    def fingerprint(self) -> str:
        """The same words of the same source at the same time are one article."""
        return sha256("\x1f".join(map(str, self.update)).encode("utf-8", "replace")).hexdigest()[:24]


def articles(name: str, content: bytes) -> list[Article]:
    """Of JSON lines by the name, of a feed else; the first 500, those with a time. Raises BadFeed."""
    if len(content) > BYTES_MAX:
        raise BadFeed(f"{name}: {len(content)} bytes, at most {BYTES_MAX} are read")
    found = _of_lines(name, content) if name.endswith((".jsonl", ".json")) else _of_feed(name, content)
    return [article for _, article in zip(range(ARTICLES_MAX), found, strict=False)]


def _of_feed(name: str, content: bytes) -> Iterator[Article]:
    parsed: Any = feedparser.parse(content, sanitize_html=False, resolve_relative_uris=False)
    if not parsed.entries and (parsed.bozo or not parsed.version):
        raise BadFeed(f"{name}: neither RSS nor Atom ({type(parsed.get('bozo_exception')).__name__})")
    source = _text(parsed.feed.get("title")) or name
    for entry in parsed.entries:
        stamp = entry.get("published_parsed") or entry.get("updated_parsed")
        if stamp:
            at = datetime.fromtimestamp(calendar.timegm(stamp), UTC)
            yield Article(at, News(at, source, _text(entry.get("title")), _text(entry.get("summary"))))


def _of_lines(name: str, content: bytes) -> Iterator[Article]:
    """{"at", "source", "headline", "body"?} or {"at", "source", "metric", "asset", "value"} a line."""
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        if line.strip():
            yield _of_line(f"{name}:{number}", line)


def _of_line(where: str, line: str) -> Article:
    try:
        fields = json.loads(line)
        at = datetime.fromisoformat(fields["at"]).astimezone(UTC)
        if "metric" in fields:
            words = (_text(fields[key]) for key in ("source", "metric", "asset", "value"))
            return Article(at, OnChain(at, *words))
        return Article(at, News(at, _text(fields["source"]), _text(fields["headline"]), _text(fields.get("body"))))
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise BadFeed(f"{where}: {type(error).__name__}: {error}") from None


def _text(value: Any) -> str:
    """Cut just above what the quarantine reads: it refuses what is too long by that name."""
    return "" if value is None else str(value)[:TEXT_MAX]
