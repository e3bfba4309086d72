"""The wire to a provider: what went over it is written down byte by byte, and no reply is read beyond its bound.

Compression is refused, for a bound on the wire is none on what it unpacks to; redirects are not followed, for the key
would go with them. Where a provider says the key back, it is struck out before anybody sees it.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx2


@dataclass(slots=True)
class Exchange:
    """One call as it went over the wire, filled while it goes on."""

    request: bytes = b""
    status: int | None = None
    """Null: no answer has begun."""
    retry_after: str | None = None
    reply: bytearray = field(default_factory=bytearray)
    whole: bool = False
    """It was read to its end."""
    cut: bool = False
    """It was longer than is read."""


exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
"""Of the call that this task makes."""


SECRET_LENGTH_MIN = 12
"""What local servers take for a key ("x", "none") is no secret, and may be part of any word."""


class ReplyCutOff(httpx2.TransportError):
    """Longer than is read, or packed."""


class RecordingTransport(httpx2.AsyncBaseTransport):
    def __init__(self, inner: httpx2.AsyncBaseTransport, reply_bytes_max: int, secret: str | None) -> None:
        self._inner, self._bytes_max = inner, reply_bytes_max
        self._secret = secret.encode() if secret and len(secret) >= SECRET_LENGTH_MIN else None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        under_way = exchange.get() or Exchange()
        request.headers["accept-encoding"] = "identity"
        under_way.request = await request.aread()
        response = await self._inner.handle_async_request(request)
        under_way.status = response.status_code
        under_way.retry_after = response.headers.get("retry-after")
        try:
            await self._read(response, under_way)
        finally:
            await response.aclose()
        kept = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in _FRAMING]
        return httpx2.Response(response.status_code, headers=kept, content=bytes(under_way.reply), request=request)

    async def _read(self, response: httpx2.Response, under_way: Exchange) -> None:
        try:
            await self._bounded(response, under_way)
        finally:
            if self._secret:
                under_way.reply = bytearray(bytes(under_way.reply).replace(self._secret, b"[key]"))

    async def _bounded(self, response: httpx2.Response, under_way: Exchange) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            under_way.cut = True
            raise ReplyCutOff("the reply is packed although plain text was asked for")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        async for chunk in response.stream:
            under_way.reply += chunk
            if len(under_way.reply) > self._bytes_max:
                del under_way.reply[self._bytes_max - len(self._secret or b"") :]  # no first half of the key at its end
                under_way.cut = True
                raise ReplyCutOff(f"more than {self._bytes_max} bytes")
        under_way.whole = True

    async def aclose(self) -> None:
        await self._inner.aclose()


_FRAMING = frozenset({"content-length", "transfer-encoding", "content-encoding"})
"""Said of the bytes on the wire; the body handed on is read already."""


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds, or a date of HTTP; whatever else is passed over."""
    if header is None:
        return None
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(header) - now).total_seconds(), 0.0)
    except (ValueError, TypeError):  # no date, or one without a zone
        return None
