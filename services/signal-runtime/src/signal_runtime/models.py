"""Every model that there is, by name."""

import asyncio
from collections.abc import Mapping

from signal_runtime.adapters.enrol import PROVIDERS, Live, enrol
from signal_runtime.core.models import baselines, hedge, mean_reversion, momentum, offline_llm, trend
from signal_runtime.core.parameters import BadParameter
from signal_runtime.core.view import View
from signal_runtime.registry import Registry, Reply, SignalModel, UnknownModel, pure
from signal_runtime.turn import Turn

__all__ = ["Misbehaving", "Registry", "Reply", "SignalModel", "UnknownModel", "bootstrap", "pure"]


class Misbehaving:
    """For tests of everything around a model."""

    offline = True
    warm_up_bars = 0

    def __init__(self, name: str, *, seconds: float = 0, error: str = "", text: str = "{}") -> None:
        self.name, self._seconds, self._error, self._text = name, seconds, error, text

    async def answer(self, view: View, turn: Turn) -> Reply:  # noqa: ARG002  # it looks at nothing
        await asyncio.sleep(self._seconds)
        if self._error:
            raise RuntimeError(self._error)
        return Reply(self._text)


def bootstrap(*, live: Live | None = None, test_models: bool = False) -> Registry:
    """Every model there is. Language models without `live`, or without their provider's key there, are offline."""
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
    for provider in live.providers if live else PROVIDERS:
        enrol(registry, provider, live)
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
