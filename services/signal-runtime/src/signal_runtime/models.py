"""What answers: one protocol for every model, whatever it needs; and the registry that makes them by name."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from contracts.competition import CompetitorRegistered

from signal_runtime.core.decision import Decision, write_reply
from signal_runtime.core.models import baselines, hedge, mean_reversion, momentum, offline_llm, trend
from signal_runtime.core.parameters import BadParameter, read_parameters
from signal_runtime.core.view import View


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, as it came, and what that took."""

    text: str
    attempts: int = 1
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Decimal | None = None


class SignalModel(Protocol):
    name: str
    offline: bool
    """It asks nobody: the same view gives the same reply, and in lockstep it takes no time."""
    warm_up_bars: int
    """Three-minute bars before it can have an opinion; it holds until then."""

    async def answer(self, view: View) -> Reply:
        """May raise anything and take for ever: whoever asks sees to that."""


Make = Callable[[Mapping[str, str]], SignalModel]


class UnknownModel(LookupError):
    """No model is registered under that name."""


class Registry:
    def __init__(self) -> None:
        self._makers: dict[str, Make] = {}
        self._made: dict[str, SignalModel] = {}

    def register(self, name: str, make: Make) -> None:
        if name in self._makers:
            raise ValueError(f"{name}: is registered already")
        self._makers[name] = make

    def names(self) -> list[str]:
        return sorted(self._makers)

    def model_of(self, competitor: CompetitorRegistered) -> SignalModel:
        """The competitor's own, made once. Raises UnknownModel and BadParameter."""
        key = f"{competitor.key}/{competitor.config_sha256}"
        if key not in self._made:
            if competitor.model not in self._makers:
                raise UnknownModel(f"{competitor.model}: is none of {', '.join(self.names())}")
            self._made[key] = self._makers[competitor.model](competitor.parameters)
        return self._made[key]


class PureModel:
    """A pure function of the view: its text is there at once."""

    offline = True

    def __init__(self, name: str, warm_up_bars: int, say: Callable[[View], str]) -> None:
        self.name, self.warm_up_bars, self._say = name, warm_up_bars, say

    async def answer(self, view: View) -> Reply:
        return Reply(self._say(view))


def pure(name: str, warm_up_bars: int, parameters: type[Any], say: Callable[[Any, View], Decision | str]) -> Make:
    """A quant model's decision is written as a reply: every record has one format, every answer takes one path."""

    def make(written: Mapping[str, str]) -> SignalModel:
        read = read_parameters(parameters, written)

        def text(view: View) -> str:
            said = say(read, view)
            return said if isinstance(said, str) else write_reply(said)

        return PureModel(name, warm_up_bars, text)

    return make


class Misbehaving:
    """For tests of everything around a model."""

    offline = True
    warm_up_bars = 0

    def __init__(self, name: str, *, seconds: float = 0, error: str = "", text: str = "{}") -> None:
        self.name, self._seconds, self._error, self._text = name, seconds, error, text

    async def answer(self, view: View) -> Reply:  # noqa: ARG002  # it looks at nothing
        await asyncio.sleep(self._seconds)
        if self._error:
            raise RuntimeError(self._error)
        return Reply(self._text)


def bootstrap(*, test_models: bool = False) -> Registry:
    """Every model there is."""
    registry = Registry()
    for name, warm_up_bars, parameters, say in (
        ("momentum", momentum.WARM_UP_BARS, momentum.Parameters, momentum.decide),
        ("mean_reversion", mean_reversion.WARM_UP_BARS, mean_reversion.Parameters, mean_reversion.decide),
        ("trend", trend.WARM_UP_BARS, trend.Parameters, trend.decide),
        ("hedge", hedge.WARM_UP_BARS, hedge.Parameters, hedge.decide),
        ("buy_and_hold", 0, baselines.BuyAndHold, baselines.buy_and_hold),
        ("random", 0, baselines.Random, baselines.random),
        ("offline-llm", 0, offline_llm.Parameters, offline_llm.reply),
    ):
        registry.register(name, pure(name, warm_up_bars, parameters, say))
    if test_models:
        registry.register("slow", _slow)
        registry.register("broken", lambda _: Misbehaving("broken", error="it never worked"))
        registry.register("malformed", lambda _: Misbehaving("malformed", text="I am not sure."))
        registry.register("silent", lambda _: Misbehaving("silent", text=" "))
    return registry


def _slow(written: Mapping[str, str]) -> SignalModel:
    try:
        seconds = float(written.get("seconds", "3600"))
    except ValueError:
        raise BadParameter("seconds: must be a number") from None
    return Misbehaving("slow", seconds=seconds)
