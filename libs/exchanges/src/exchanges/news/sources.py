"""A feed's URL, a feed's file or a folder of them, read again and again; what did not change costs nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import httpx

from exchanges.news.feeds import BYTES_MAX, Article, BadFeed, articles

TIMEOUT_S = 10.0
FILES_MAX = 200
SUFFIXES = (".xml", ".rss", ".atom", ".jsonl", ".json")


class NewsSource(Protocol):
    name: str

    async def read(self) -> list[Article]:
        """What is there now, whether or not it was there before. Raises BadFeed, OSError or httpx.HTTPError."""


class UrlSource:
    def __init__(self, url: str, client: httpx.AsyncClient | None = None) -> None:
        address = httpx.URL(url)
        if address.scheme not in ("https", "http") or not address.host or address.userinfo:
            raise ValueError("news: a URL is https://… without user and password")
        self.name = address.host
        self._url = address
        # No redirects: a source that moves is named anew by the operator, not by whoever answers.
        self._client = client or httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        self._etag = ""

    async def read(self) -> list[Article]:
        headers = {"if-none-match": self._etag} if self._etag else {}
        async with self._client.stream("GET", self._url, headers=headers) as response:
            if response.status_code == httpx.codes.NOT_MODIFIED:
                return []
            if response.status_code != httpx.codes.OK:
                raise BadFeed(f"{self.name}: HTTP {response.status_code}")
            content = b""
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > BYTES_MAX:
                    raise BadFeed(f"{self.name}: more than {BYTES_MAX} bytes")
            found = articles(self.name, content)
            self._etag = response.headers.get("etag", "")[:256]
            return found


class FolderSource:
    """One file, or every file of a folder with a known ending, in order of their names."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise ValueError(f"news: {path} is not there")
        self.name, self._path = path.name or str(path), path
        self._read: dict[Path, tuple[int, int]] = {}

    async def read(self) -> list[Article]:
        return [article for path in self._changed() for article in self._articles(path)]

    def _changed(self) -> Iterator[Path]:
        folder = self._path.is_dir()
        paths = sorted(p for p in self._path.iterdir() if p.suffix in SUFFIXES) if folder else [self._path]
        if len(paths) > FILES_MAX:
            raise BadFeed(f"{self.name}: {len(paths)} files, at most {FILES_MAX} are read")
        for path in paths:
            found = path.stat()
            state = found.st_mtime_ns, found.st_size
            if self._read.get(path) != state:
                self._read[path] = state
                yield path

    def _articles(self, path: Path) -> list[Article]:
        with path.open("rb") as file:
            return articles(path.name, file.read(BYTES_MAX + 1))


def open_source(where: str) -> NewsSource:
    """`https://…` or a path. Raises ValueError."""
    return UrlSource(where) if "://" in where else FolderSource(Path(where))
