"""A language model that is asked for real: one prompt, retries within the deadline, one repair, each call paid for."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from contracts.competition import DecisionRequested

from signal_runtime.adapters.gateway import Called, Down, Gateway
from signal_runtime.adapters.messages import Message
from signal_runtime.adapters.prices import price_usd
from signal_runtime.adapters.spending import Spending
from signal_runtime.adapters.transport import Exchange, retry_after_s
from signal_runtime.core import repair, retries
from signal_runtime.core.errors import BadReply
from signal_runtime.core.llm import LlmParameters
from signal_runtime.core.prompt import render
from signal_runtime.core.quotas import Spent
from signal_runtime.core.reply import parse_reply
from signal_runtime.core.retries import Over
from signal_runtime.core.view import View
from signal_runtime.rationales import Rationales
from signal_runtime.registry import Reply
from signal_runtime.turn import Call, Purpose, Turn, sha256_of


class LiveModel:
    offline = False
    warm_up_bars = 0

    def __init__(
        self,
        gateway: Gateway,
        parameters: LlmParameters,
        spending: Spending,
        rationales: Rationales,
        now: Callable[[], datetime],
        policy: retries.Policy | None = None,
    ) -> None:
        self.name = f"{gateway.provider.name}/{parameters.model}"
        self._gateway, self._parameters, self._spending = gateway, parameters, spending
        self._rationales = rationales
        self._now, self._policy = now, policy or retries.Policy()

    async def answer(self, view: View, turn: Turn) -> Reply:
        terms = replace(self._parameters.terms(), rationales=await self._rationales.of(view))
        prompt = render(view, terms)
        messages = [Message("system", prompt.system), Message("user", prompt.user)]
        over = await self._ask(view, turn, messages, prompt.estimated_tokens, "decision")
        if over is not None:
            return Reply(missed=over.reason, detail=over.detail)
        if (error := _error_in(turn.text or "")) is not None:
            # Whatever becomes of the repair: the last text that came is the answer, with its own error.
            again = _repairing(messages, turn.text or "", error, self._parameters)
            tokens = prompt.estimated_tokens + sum(len(message.text) for message in again[len(messages) :])
            await self._ask(view, turn, again, tokens, "repair")
        return Reply(turn.text)

    async def _ask(
        self, view: View, turn: Turn, messages: Sequence[Message], input_tokens: int, purpose: Purpose
    ) -> Over | None:
        """Until there is a text, in `turn.text`, or an end with its reason."""
        outcomes: list[retries.Outcome] = []
        while True:
            async with self._gateway.places:
                called = await self._paid_call(view.request, turn, messages, input_tokens, purpose)
            if isinstance(called, Over):
                return called
            if called.said is not None:
                turn.text = called.said.text
                return None
            outcomes.append(called.outcome)
            further = retries.after(
                outcomes,
                self._policy,
                left_s=turn.left_s(),
                retry_after_s=retry_after_s(called.wire.retry_after, self._now()),
                seed=f"{view.seed}|{purpose}",
            )
            if isinstance(further, Over):
                return self._named(further, called)
            await asyncio.sleep(further.wait_s)

    async def _paid_call(
        self, request: DecisionRequested, turn: Turn, messages: Sequence[Message], input_tokens: int, purpose: Purpose
    ) -> Called | Over:
        today, most = self._now().date(), self._most(input_tokens)
        if (exceeded := await self._spending.reserve(request, most, today)) is not None:
            return Over("quota_exceeded", exceeded.detail)
        called = Called(Exchange())
        try:
            await self._gateway.call(self._parameters, messages, called)
        except Down:
            await self._spending.settle(request, most, Spent(), today)
            return Over(
                "provider_down", f"{self._gateway.provider.name}: failed too often of late, not asked for a while"
            )
        finally:  # also where the deadline has cancelled it
            call = self._noted(turn, called, purpose)
        await turn.flush()
        if call is not None and (took := _took(call)) is not None:
            await self._spending.settle(request, most, took, today)
        return called

    def _noted(self, turn: Turn, called: Called, purpose: Purpose) -> Call | None:
        """None where nothing was sent."""
        wire, said = called.wire, called.said
        if not wire.request:
            return None
        reply = bytes(wire.reply)
        call = Call(
            purpose=purpose,
            outcome=called.outcome,
            status=wire.status,
            latency_ms=called.latency_ms,
            input_tokens=said.input_tokens if said else None,
            output_tokens=said.output_tokens if said else None,
            cost_usd=self._cost(called),
            request_sha256=sha256_of(wire.request),
            reply_sha256=sha256_of(reply) if reply else None,
        )
        turn.note(call, wire.request, reply)
        return call

    def _cost(self, called: Called) -> Decimal | None:
        said = called.said
        if said is None or said.input_tokens is None or said.output_tokens is None:
            return None
        return self._price(said.input_tokens, said.output_tokens, said.cached_tokens)

    def _most(self, input_tokens: int) -> Spent:
        output_tokens = self._parameters.max_tokens
        usd = self._price(input_tokens, output_tokens) or Decimal(0)
        return Spent(1, input_tokens + output_tokens, usd)

    def _price(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> Decimal | None:
        return price_usd(
            self._gateway.provider.prices,
            self._parameters.model,
            at=self._now(),
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_tokens=cached_tokens,
        )

    def _named(self, over: Over, called: Called) -> Over:
        """The provider's own words stay in the record: they may say more than everybody is to read."""
        status = f" (HTTP {called.wire.status})" if called.wire.status else ""
        return Over(over.reason, f"{over.detail}: {self._gateway.provider.name}{status}")


def _took(call: Call) -> Spent | None:
    """None: unknown, so what was reserved stays spent."""
    if call.free:
        return Spent(1)
    if call.input_tokens is None or call.output_tokens is None:
        return None
    return Spent(1, call.input_tokens + call.output_tokens, call.cost_usd or Decimal(0))


def _error_in(text: str) -> BadReply | None:
    try:
        parse_reply(text)
    except BadReply as error:
        return error
    return None


def _repairing(
    messages: Sequence[Message], reply: str, error: BadReply, parameters: LlmParameters
) -> Sequence[Message]:
    again = repair.asked_again(error, parameters.terms().language)
    return [*messages, Message("assistant", repair.shown(reply)), Message("user", again)]
