"""The fake exchange's HTTP and WebSocket side, and how it misbehaves."""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from exchanges.fake.faults import Fault, Faults, Op
from exchanges.fake.truth import TrueOrder, TrueTrade, Truth

HEARTBEAT_S = 0.2
FUTURE_S = 1.0
"""How far ahead of the venue's clock a request's stamp may be."""


class Cut(Response):
    """The connection ends without an answer: a length is promised that never comes, and the server hangs up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # the protocol's
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})


class Exchange:
    def __init__(self, seed: int | None = None) -> None:
        self.truth, self.faults = Truth(), Faults(seed)
        self.offset_s = 0.0
        self.calls: dict[str, int] = {}
        self.ignored = 0
        """Requests that came although silence was asked for."""
        self._closed_until = self._silent_until = self._gap_until = self._double_until = 0.0
        self._streams: dict[WebSocket, str] = {}

    @property
    def now(self) -> float:
        return time.time() + self.offset_s

    # orders

    async def place(self, account: str, request: Request, fault: Fault | None) -> Response:
        asked = await request.json()
        if (refusal := self._untimely(asked)) is not None:
            return refusal
        if fault is not None and fault.kind == "reject":
            return _no("rejected", "INSUFFICIENT_MARGIN")
        order = self.truth.place(account, asked, self.now)
        if order is None:
            return _no("duplicate", "the id is in use")
        if fault is not None and fault.kind == "hide":
            order.hidden_until = self.now + fault.seconds
        if fault is not None and fault.kind == "stale_view":
            order.stale_until, order.stale = self.now + fault.seconds, ("open", Decimal(0))
        if fault is None or fault.kind != "hide":
            await self._tell(account, order.said(self.now))
        await self._told_trades(account, order, self.truth.work(account, order, self.now))
        return JSONResponse({"venue_order_id": order.venue_order_id})

    def _untimely(self, asked: dict[str, Any]) -> Response | None:
        age = self.now - asked["stamp"]
        if -FUTURE_S <= age <= asked["window_s"]:
            return None
        return _no("clock", f"the stamp is {age:.3f} s old, the window {asked['window_s']} s")

    async def cancel(self, account: str, request: Request, fault: Fault | None) -> Response:
        order = self.truth.account(account).latest(request.path_params["name"])
        if order is None or order.status != "open":
            return _no("not_open", "no such open order")
        if fault is not None and fault.kind == "race":
            trades = list(self.truth.fill(account, order, order.remaining, self.now))
            cancelled = order.said(self.now) | {"status": "cancelled", "filled": str(order.filled - trades[0].quantity)}
            await self._tell(account, cancelled)
            await self._told_trades(account, order, trades, told=cancelled)
            return JSONResponse({"venue_order_id": order.venue_order_id})
        order.status = "cancelled"
        await self._tell(account, order.said(self.now))
        return JSONResponse({"venue_order_id": order.venue_order_id})

    # questions

    async def order(self, account: str, request: Request, _: Fault | None) -> Response:
        order = self.truth.account(account).latest(request.path_params["name"])
        if order is None or self.now < order.hidden_until:
            return _no("not_found", "no such order", 404)
        return JSONResponse(order.said(self.now))

    async def orders(self, account: str, request: Request, _: Fault | None) -> Response:
        is_open, since = request.url.path == "/orders", float(request.query_params.get("since", 0))
        shown = [
            said
            for order in self.truth.account(account).orders
            if self.now >= order.hidden_until
            and order.at >= since
            and ((said := order.said(self.now))["status"] == "open") == is_open
        ]
        return JSONResponse(shown)

    async def trades(self, account: str, request: Request, _: Fault | None) -> Response:
        since, known = float(request.query_params["since"]), self.truth.account(account)
        hidden = {order.client_order_id for order in known.orders if self.now < order.hidden_until}
        found = [each.said() for each in known.trades if each.at >= since and each.client_order_id not in hidden]
        return JSONResponse(found)

    async def holdings(self, account: str, _: Request, __: Fault | None) -> Response:
        return JSONResponse({name: str(held) for name, held in self.truth.account(account).holdings().items()})

    async def time(self, _: str, __: Request, ___: Fault | None) -> Response:
        return JSONResponse({"time": self.now})

    # how it misbehaves

    def serving(self, op: Op, answer: Callable[[str, Request, Fault | None], Awaitable[Response]]) -> Any:
        async def handle(request: Request) -> Response:
            self.calls[op] = self.calls.get(op, 0) + 1
            if self.now < self._closed_until:
                self.ignored += 1
                self._closed_until += 1
                return self._silence(418, self._closed_until - self.now)
            fault = self.faults.next(op)
            if fault is None:
                return await answer(request.headers["x-account"], request, None)
            return await self._failing(fault, request, answer)

        return handle

    async def _failing(
        self, fault: Fault, request: Request, answer: Callable[[str, Request, Fault | None], Awaitable[Response]]
    ) -> Response:
        account = request.headers["x-account"]
        match fault.kind:
            case "drop":
                return Cut()
            case "error_before":
                return Response("unavailable", 503)
            case "throttle" | "ban":
                self._closed_until = self.now + fault.seconds
                return self._silence(429 if fault.kind == "throttle" else 418, fault.seconds)
            case "late_arrival":
                await request.body()
                await asyncio.sleep(fault.seconds)
        await self.disturb(fault)
        answered = await answer(account, request, fault)
        match fault.kind:
            case "lose_answer" | "hide":
                return Cut()
            case "error_after":
                return Response("unavailable", 503)
            case "garbage":
                return Response("<html>", 200)
            case "late_answer":
                await asyncio.sleep(fault.seconds)
        return answered

    def _silence(self, status: int, seconds: float) -> Response:
        return JSONResponse({"code": "throttled"}, status, {"retry-after": f"{seconds:.3f}"})

    async def disturb(self, fault: Fault) -> None:
        until = self.now + fault.seconds
        match fault.kind:
            case "silent_stream":
                self._silent_until = until
            case "gap":
                self._gap_until = until
            case "double_trades":
                self._double_until = until
            case "cut_streams":
                for stream in list(self._streams):
                    await stream.close(1000)

    # the stream

    async def stream(self, socket: WebSocket) -> None:
        await socket.accept()
        self._streams[socket] = socket.query_params["account"]
        listening = asyncio.create_task(_until_gone(socket))
        try:
            while not listening.done():
                if self.now >= self._silent_until:
                    await socket.send_json({"type": "heartbeat"})
                await asyncio.wait({listening}, timeout=HEARTBEAT_S)
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            listening.cancel()
            self._streams.pop(socket, None)

    async def _tell(self, account: str, said: dict[str, Any]) -> None:
        if self.now < max(self._gap_until, self._silent_until):
            return
        for socket, about in list(self._streams.items()):
            if about == account:
                try:
                    await socket.send_json(said)
                except (WebSocketDisconnect, RuntimeError):
                    self._streams.pop(socket, None)

    async def _told_trades(
        self, account: str, order: TrueOrder, trades: Iterable[TrueTrade], told: dict[str, Any] | None = None
    ) -> None:
        before = order.status
        for trade in trades:
            for _ in range(2 if self.now < self._double_until else 1):
                await self._tell(account, trade.said())
        if told is None and (order.status != before or order.filled):
            await self._tell(account, order.said(self.now))

    # the test's own side

    async def script(self, request: Request) -> Response:
        """A fault; of a stream it happens at once."""
        fault = Fault.model_validate(await request.json())
        if fault.kind in ("silent_stream", "gap", "cut_streams", "double_trades"):
            await self.disturb(fault)
        else:
            self.faults.add(fault)
        return JSONResponse({})

    async def behave(self, _: Request) -> Response:
        self.faults.clear()
        self._closed_until = self._silent_until = self._gap_until = self._double_until = 0.0
        return JSONResponse({})

    async def set(self, request: Request) -> Response:
        asked = await request.json()
        self.offset_s = asked.get("offset_s", self.offset_s)
        self.truth.fill_share = Decimal(asked.get("fill_share", self.truth.fill_share))
        return JSONResponse({})

    async def fill(self, request: Request) -> Response:
        """A resting order is met."""
        asked = await request.json()
        order = self.truth.account(asked["account"]).latest(asked["client_order_id"])
        assert order is not None
        trades = list(self.truth.fill(asked["account"], order, Decimal(asked["quantity"]), self.now))
        await self._told_trades(asked["account"], order, trades)
        return JSONResponse({})

    async def told(self, _: Request) -> Response:
        accounts = {
            name: {
                "orders": account.orders,
                "trades": account.trades,
                "holdings": account.holdings(),
            }
            for name, account in self.truth.accounts.items()
        }
        told = msgspec.json.encode({"accounts": accounts, "calls": self.calls, "ignored": self.ignored})
        return Response(told, media_type="application/json")

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/orders", self.serving("place", self.place), methods=["POST"]),
                Route("/orders/{name}", self.serving("cancel", self.cancel), methods=["DELETE"]),
                Route("/orders/{name}", self.serving("order", self.order)),
                Route("/orders", self.serving("open", self.orders)),
                Route("/closed", self.serving("closed", self.orders)),
                Route("/trades", self.serving("trades", self.trades)),
                Route("/holdings", self.serving("holdings", self.holdings)),
                Route("/time", self.serving("time", self.time)),
                WebSocketRoute("/stream", self.stream),
                Route("/test/fault", self.script, methods=["POST"]),
                Route("/test/behave", self.behave, methods=["POST"]),
                Route("/test/set", self.set, methods=["POST"]),
                Route("/test/fill", self.fill, methods=["POST"]),
                Route("/test/truth", self.told),
            ]
        )


async def _until_gone(socket: WebSocket) -> None:
    try:
        while True:
            await socket.receive_text()
    except (WebSocketDisconnect, RuntimeError):
        return


def _no(reason: str, detail: str, status: int = 400) -> Response:
    return JSONResponse({"code": reason, "detail": detail}, status)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m exchanges.fake", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, help="draw faults from it; without one it behaves until it is told")
    given = parser.parse_args()
    uvicorn.run(Exchange(given.seed).app(), host="127.0.0.1", port=given.port, log_level="critical", lifespan="off")
