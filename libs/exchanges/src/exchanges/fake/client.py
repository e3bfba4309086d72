"""The fake exchange as a venue: what an adapter of a real one looks like."""

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from exchanges.trading import (
    Ambiguous,
    Answer,
    Holding,
    NewOrder,
    OrderReport,
    Refused,
    Taken,
    Throttled,
    Trade,
    Unavailable,
)

THROTTLED = (418, 429)
REASONS = ("rejected", "duplicate", "not_open", "clock")


class FakeTrading:
    """One account. `answer_within_s` bounds every request: after it the outcome is nobody's to tell."""

    venue = "fake"

    def __init__(self, url: str, account: str, answer_within_s: float = 10.0) -> None:
        self._url, self._account = url, account
        self._http = httpx.AsyncClient(base_url=url, timeout=answer_within_s, headers={"x-account": account})
        self._within_s = answer_within_s

    async def close(self) -> None:
        await self._http.aclose()

    async def place(self, order: NewOrder, stamp: datetime, window: timedelta) -> Answer:
        price = None if order.limit_price is None else str(order.limit_price)
        asked = order._asdict() | {
            "quantity": str(order.quantity), "limit_price": price, "stamp": stamp.timestamp(),
            "window_s": window.total_seconds(),
        }  # fmt: skip
        return await self._ordered("POST", "/orders", asked)

    async def cancel(self, client_order_id: str, instrument: str) -> Answer:  # noqa: ARG002  # other venues need it
        return await self._ordered("DELETE", f"/orders/{client_order_id}")

    async def _ordered(self, method: str, path: str, asked: dict[str, Any] | None = None) -> Answer:
        try:
            response = await self._http.request(method, path, json=asked)
        except httpx.HTTPError as error:
            return Ambiguous(repr(error))
        if response.status_code in THROTTLED:
            return Throttled(_retry_after(response), banned=response.status_code == 418)
        try:
            said = msgspec.json.decode(response.content)
            if response.status_code == 200:
                return Taken(said["venue_order_id"])
            if response.status_code == 400 and said["code"] in REASONS:
                return Refused(said["code"], said["detail"])
        except (msgspec.DecodeError, KeyError, TypeError):
            pass
        return Ambiguous(f"{response.status_code} {response.text[:100]}")

    async def order(self, client_order_id: str, instrument: str) -> OrderReport | None:  # noqa: ARG002  # as above
        response = await self._asked(f"/orders/{client_order_id}", not_found=True)
        return None if response is None else _report(response)

    async def open_orders(self) -> Sequence[OrderReport]:
        return [_report(each) for each in await self._asked("/orders")]

    async def closed_orders(self, since: datetime) -> Sequence[OrderReport]:
        return [_report(each) for each in await self._asked(f"/closed?since={since.timestamp()}")]

    async def trades(self, since: datetime) -> Sequence[Trade]:
        return [_trade(each) for each in await self._asked(f"/trades?since={since.timestamp()}")]

    async def holdings(self) -> Sequence[Holding]:
        return [Holding(name, Decimal(held)) for name, held in (await self._asked("/holdings")).items()]

    async def server_time(self) -> datetime:
        return datetime.fromtimestamp((await self._asked("/time"))["time"], UTC)

    async def _asked(self, path: str, *, not_found: bool = False) -> Any:
        """Only this venue's own `not found` is none; every other failure is no answer."""
        try:
            response = await self._http.get(path)
            said = msgspec.json.decode(response.content)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise Unavailable(repr(error)) from error
        if not_found and response.status_code == 404 and said.get("code") == "not_found":
            return None
        if response.status_code in THROTTLED:
            raise Unavailable("throttled", _retry_after(response))
        if response.status_code != 200:
            raise Unavailable(f"{response.status_code} {response.text[:100]}")
        return said

    async def stream(self) -> AsyncGenerator[OrderReport | Trade | None, None]:
        url = f"{self._url.replace('http', 'ws', 1)}/stream?account={self._account}"
        try:
            async with connect(url, open_timeout=self._within_s, ping_interval=None, close_timeout=1) as socket:
                yield None
                async for message in socket:
                    said = msgspec.json.decode(message)
                    match said["type"]:
                        case "order":
                            yield _report(said)
                        case "trade":
                            yield _trade(said)
                        case _:
                            yield None
        except (OSError, TimeoutError, WebSocketException, msgspec.DecodeError, KeyError) as error:
            raise Unavailable(repr(error)) from error
        raise Unavailable("the venue closed the stream")


def _report(said: dict[str, Any]) -> OrderReport:
    return OrderReport(
        said["client_order_id"], said["venue_order_id"], said["instrument"], said["status"], Decimal(said["filled"])
    )


def _trade(said: dict[str, Any]) -> Trade:
    return Trade(
        said["trade_id"], said["client_order_id"], said["instrument"], said["side"], Decimal(said["price"]),
        Decimal(said["quantity"]), Decimal(said["fee"]), said["liquidity"], datetime.fromtimestamp(said["at"], UTC),
    )  # fmt: skip


def _retry_after(response: httpx.Response) -> timedelta:
    try:
        return timedelta(seconds=float(response.headers.get("retry-after", "1")))
    except ValueError:
        return timedelta(seconds=1)
