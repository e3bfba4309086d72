"""A server on 127.0.0.1 that speaks as OpenAI and as Anthropic do, and misbehaves as providers do.

The name of the model in the request says how it behaves: one of `CASES`, or `<first>+<second>`: the first time one way,
from then on the other. `<case>#<anything>` is a model of its own. A name it does not know behaves well.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

GOOD = (
    '{"BTC": {"signal": "buy_to_enter", "quantity": 0.1, "leverage": 2, "stop_loss": 950, "profit_target": 1100, '
    '"confidence": 0.7, "justification": "The trend is up."}}'
)
ENTRY: dict[str, Any] = {"signal": "buy_to_enter", "quantity": 0.1, "leverage": 2, "stop_loss": 950}
SLOW_S = 0.1


@dataclass(frozen=True, slots=True)
class Behaviour:
    text: str = GOOD
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    """It never answers where it is infinite."""
    drops: bool = False
    """The connection, in the middle of the reply."""
    body: bytes | None = None
    """Instead of an answer in the provider's format."""


def _btc(**changes: Any) -> str:
    return json.dumps({"BTC": {**ENTRY, **changes}})


CASES: dict[str, Behaviour] = {
    "good": Behaviour(),
    "slow": Behaviour(wait_s=SLOW_S),
    "never": Behaviour(wait_s=float("inf")),
    "limited": Behaviour(status=429, headers={"retry-after": "0"}),
    "limited-long": Behaviour(status=429, headers={"retry-after": "3600"}),
    "failing": Behaviour(status=500),
    "forbidden": Behaviour(status=401),
    "moved": Behaviour(status=307, headers={"location": "/elsewhere"}),
    "packed": Behaviour(headers={"content-encoding": "gzip"}),
    "dropping": Behaviour(drops=True),
    "unreadable": Behaviour(body=b'{"id": "x", "choices": [{"mess'),
    "fenced": Behaviour(text=f"I have looked at it.\n```json\n{GOOD}\n```"),
    "truncated": Behaviour(text=GOOD[:60]),
    "prose": Behaviour(text="I would rather wait and see."),
    "empty": Behaviour(text=""),
    "types": Behaviour(text=_btc(quantity=["a", "lot"])),
    "unknown-coin": Behaviour(text=GOOD.replace("BTC", "PEPE")),
    "out-of-range": Behaviour(text=_btc(leverage=100_000)),
    "not-a-number": Behaviour(text='{"BTC": {"signal": "buy_to_enter", "quantity": NaN, "leverage": 2}}'),
    "huge": Behaviour(text="A" * 1_048_576),
}


class ProviderServer:
    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.requests: list[tuple[str, Mapping[str, str], Any]] = []
        """Path, headers and body of each, the latest last."""
        self.connections: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def openai(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def anthropic(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.connections.add(task)
        task.add_done_callback(self.connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (asked := await _read(reader)) is not None:
                self.requests = [*self.requests[-999:], asked]
                path, headers, body = asked
                key = headers.get("authorization", headers.get("x-api-key", ""))
                if not await _answer(writer, self._behaviour(str(body["model"])), path, key, body):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _behaviour(self, model: str) -> Behaviour:
        self.asked[model] += 1
        first, _, then = model.partition("#")[0].partition("+")
        return CASES.get(then if then and self.asked[model] > 1 else first, CASES["good"])


@asynccontextmanager
async def provider_server() -> AsyncIterator[ProviderServer]:
    made = ProviderServer()
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0, backlog=1_000)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in made.connections:
            task.cancel()
        await asyncio.gather(*made.connections, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> tuple[str, Mapping[str, str], Any] | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return head[0].split(" ")[1], headers, json.loads(body)


async def _answer(writer: asyncio.StreamWriter, how: Behaviour, path: str, key: str, asked: Any) -> bool:
    """Whether the connection goes on."""
    if how.wait_s == float("inf"):
        await asyncio.Event().wait()
    await asyncio.sleep(how.wait_s)
    form = _FORMS["messages" if path.endswith("/messages") else "completions"]
    body = how.body or (form(how.text, asked) if how.status == 200 else _error(how.status, key))
    extra = "".join(f"{name}: {value}\r\n" for name, value in how.headers.items())
    head = f"HTTP/1.1 {how.status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
    writer.write(head.encode() + (body[: len(body) // 2] if how.drops else body))
    await writer.drain()
    return not how.drops


def _error(status: int, key: str) -> bytes:
    """As providers do, it says more than it should."""
    return json.dumps({"error": {"message": f"this is a {status}, and your key is {key}", "type": "test"}}).encode()


def _completion(text: str, asked: Any) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 1_000, "completion_tokens": 200, "total_tokens": 1_200}
    said = {"id": "c", "object": "chat.completion", "created": 1, "model": asked["model"], "choices": [choice]}
    return json.dumps({**said, "usage": usage}).encode()


def _message(text: str, asked: Any) -> bytes:
    usage = {"input_tokens": 1_000, "output_tokens": 200}
    said = {"id": "m", "type": "message", "role": "assistant", "model": asked["model"], "stop_reason": "end_turn"}
    content = [{"type": "text", "text": text}]
    return json.dumps({**said, "stop_sequence": None, "content": content, "usage": usage}).encode()


_FORMS: dict[str, Callable[[str, Any], bytes]] = {"completions": _completion, "messages": _message}
