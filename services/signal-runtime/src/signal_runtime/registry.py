"""What answers: one protocol for every model, whatever it needs; and the registry that makes them by name."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from contracts.competition import CompetitorRegistered
from contracts.signals import MissReason

from signal_runtime.core.decision import Decision, write_reply
from signal_runtime.core.parameters import read_parameters
from signal_runtime.core.view import View
from signal_runtime.turn import Turn


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, as it came; without text, why it said nothing."""

    text: str | None = None
    missed: MissReason | None = None
    detail: str = ""


class SignalModel(Protocol):
    name: str
    """What answers, as the events name it."""
    offline: bool
    """It asks nobody: the same view gives the same reply, and in lockstep it takes no time."""
    warm_up_bars: int
    """Three-minute bars before it can have an opinion; it holds until then."""

    async def answer(self, view: View, turn: Turn) -> Reply:
        """May raise anything and take for ever: whoever asks sees to that."""


Make = Callable[[Mapping[str, str]], SignalModel]
Close = Callable[[], Awaitable[None]]
Answers = Literal["computed", "offline", "live"]
"""Who answers under a name: a model of our own, the stand-in of a provider without a key, the provider."""


class UnknownModel(LookupError):
    """No model is registered under that name."""


class Registry:
    def __init__(self) -> None:
        self._makers: dict[str, Make] = {}
        self._made: dict[str, SignalModel] = {}
        self._answers: dict[str, Answers] = {}
        self._closing: list[Close] = []

    def register(self, name: str, make: Make, answers: Answers = "computed", close: Close | None = None) -> None:
        if name in self._makers:
            raise ValueError(f"{name}: is registered already")
        self._makers[name], self._answers[name] = make, answers
        if close is not None:
            self._closing.append(close)

    def names(self) -> list[str]:
        return sorted(self._makers)

    def described(self) -> list[dict[str, str]]:
        return [{"name": name, "answers": self._answers[name]} for name in self.names()]

    async def close(self) -> None:
        for close in self._closing:
            await close()

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

    async def answer(self, view: View, turn: Turn) -> Reply:  # noqa: ARG002  # it calls nobody
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
