"""Feeds as they are out there, over a real HTTP server."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from exchanges.news import BadFeed, FolderSource, UrlSource, articles, open_source
from exchanges.updates import News, OnChain

RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>The Wire</title>
<item><title>Bitcoin &amp; co. jump</title><description>&lt;b&gt;Up&lt;/b&gt;</description>
<pubDate>Wed, 25 Nov 2026 10:00:00 GMT</pubDate></item>
<item><title>No date</title></item></channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Atoms</title><entry><title>Ether slides</title>
<updated>2026-11-25T11:30:00+01:00</updated><summary>Down</summary></entry></feed>"""
AT = datetime(2026, 11, 25, 10, tzinfo=UTC)


def test_rss_and_atom_are_read_in_utc_and_markup_is_left_to_the_quarantine() -> None:
    assert [article.update for article in articles("wire.xml", RSS)] == [
        News(AT, "The Wire", "Bitcoin & co. jump", "<b>Up</b>")
    ]
    assert [article.update for article in articles("atoms", ATOM)] == [
        News(AT.replace(minute=30), "Atoms", "Ether slides", "Down")
    ]


def test_lines_hold_news_and_figures_about_chains() -> None:
    lines = (
        b'{"at": "2026-11-25T10:00:00Z", "source": "desk", "headline": "Calm"}\n\n'
        b'{"at": "2026-11-25T10:00:00Z", "source": "glass", "metric": "hash_rate", "asset": "BTC", "value": 700}\n'
    )
    assert [article.update for article in articles("desk.jsonl", lines)] == [
        News(AT, "desk", "Calm"),
        OnChain(AT, "glass", "hash_rate", "BTC", "700"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("wire.xml", b"<html><body>Not found</body></html>", "neither RSS nor Atom"),
        ("wire.xml", b"\x00\xff\xfe", "neither RSS nor Atom"),
        ("wire.xml", b"x" * 2_000_001, "at most 2000000"),
        ("desk.jsonl", b'{"at": "yesterday", "source": "desk", "headline": "Calm"}', "desk.jsonl:1: ValueError"),
        ("desk.jsonl", b'{"source": "desk"}', "desk.jsonl:1: KeyError"),
        ("desk.jsonl", b"[1]", "desk.jsonl:1: TypeError"),
        ("desk.jsonl", b"[" * 100_000, "RecursionError"),
    ],
)
def test_what_is_no_feed_says_why(name: str, content: bytes, says: str) -> None:
    with pytest.raises(BadFeed, match=says):
        articles(name, content)


def test_an_entity_bomb_costs_nothing() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12)
    )
    bomb += b'] ><rss version="2.0"><channel><item><title>&m;</title></item></channel></rss>'
    try:
        found = articles("bomb.xml", bomb)
    except BadFeed:
        return
    assert sum(len(str(article.update)) for article in found) < 100_000


async def test_a_folder_is_read_in_order_and_an_unchanged_file_once(tmp_path: Path) -> None:
    (tmp_path / "b.xml").write_bytes(RSS)
    (tmp_path / "a.atom").write_bytes(ATOM)
    (tmp_path / "notes.txt").write_text("not a feed")
    source = open_source(str(tmp_path))
    assert isinstance(source, FolderSource)
    assert [article.update.source for article in await source.read()] == ["Atoms", "The Wire"]
    assert await source.read() == []


class Answers(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:  # the library's name
        self.asked.append(self.headers.get("if-none-match", ""))
        status = {"/gone": 500, "/moved": 302}.get(self.path, 200)
        if self.headers.get("if-none-match") == '"1"':
            status = 304
        self.send_response(status)
        self.send_header("etag", '"1"')
        self.send_header("location", "/feed")
        self.end_headers()
        if status == 200:
            self.wfile.write(b"x" * 3_000_000 if self.path == "/huge" else RSS)

    def log_message(self, format: str, *args: object) -> None:  # its default writes to stderr
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Answers.asked.clear()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


async def test_a_url_is_asked_for_what_is_new(server: str) -> None:
    source = UrlSource(f"{server}/feed")
    assert len(await source.read()) == 1
    assert await source.read() == []
    assert Answers.asked == ["", '"1"']


@pytest.mark.parametrize(
    ("path", "says"), [("/gone", "HTTP 500"), ("/moved", "HTTP 302"), ("/huge", "more than 2000000 bytes")]
)
async def test_a_url_that_answers_badly_says_how(server: str, path: str, says: str) -> None:
    with pytest.raises(BadFeed, match=says):
        await UrlSource(f"{server}{path}").read()


@pytest.mark.parametrize("where", ["ftp://example.org/x", "https://user:secret@example.org/", "/no/such/folder"])
def test_a_source_that_cannot_be_is_refused_at_the_start(where: str) -> None:
    with pytest.raises(ValueError, match="news"):
        open_source(where)
