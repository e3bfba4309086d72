"""The outermost layer: which host names are answered, whose sockets, and the headers every answer carries."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

_PROBES = ("/healthz", "/readyz", "/metrics")
"""Asked for by address, not by name."""
_POLICY = "; ".join([
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",  # the chart library writes a style element
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
])  # fmt: skip
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Edge:
    """A page of another site can neither be this site (host names) nor open its sockets (origins)."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app, self._hosts = app, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["path"] not in _PROBES and not self._knows(_hostname(f"//{headers.get('host', '')}")):
            await self._refuse(scope, receive, send)
        elif scope["type"] == "websocket" and not self._knows_origin(headers.get("origin")):
            await WebSocketClose(1008, "another origin")(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _knows(self, host: str | None) -> bool:
        return "*" in self._hosts or host in self._hosts

    def _knows_origin(self, origin: str | None) -> bool:
        """Programs send none; browsers always do."""
        return origin is None or self._knows(_hostname(origin))

    @staticmethod
    async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose(1008, "unknown host")(scope, receive, send)
            return
        refusal = PlainTextResponse("This site does not go by that host name.\n", status_code=421)
        await refusal(scope, receive, _with_headers(send))


def _hostname(url: str) -> str | None:
    try:
        name = urlsplit(url).hostname
    except ValueError:
        return None
    return f"[{name}]" if name and ":" in name else name


def _with_headers(send: Send) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sender
