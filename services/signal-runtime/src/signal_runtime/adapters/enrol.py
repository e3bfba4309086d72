"""Registers a provider's models: asked for real where there is a key, else with the offline stand-in, which says so."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from signal_runtime.adapters.providers import Provider, providers_of
from signal_runtime.adapters.spending import Spending
from signal_runtime.core import circuit, retries
from signal_runtime.core.llm import LlmParameters, read_llm_parameters
from signal_runtime.core.models import offline_llm
from signal_runtime.rationales import Rationales
from signal_runtime.registry import PureModel, Registry, SignalModel
from signal_runtime.settings import Settings

PROVIDERS = providers_of(Settings.model_construct())
"""As they are without any key."""


@dataclass(frozen=True, slots=True)
class Live:
    """What it takes to ask somebody."""

    providers: Sequence[Provider]
    spending: Spending
    rationales: Rationales
    now: Callable[[], datetime]
    concurrent_per_provider: int = 256
    reply_bytes_max: int = 524_288
    retrying: retries.Policy | None = None
    breaking: circuit.Policy | None = None


def enrol(registry: Registry, provider: Provider, live: Live | None) -> None:
    if live is None or not provider.live:
        registry.register(provider.name, lambda written: _stand_in(_read(provider, written)), "offline")
        return
    from signal_runtime.adapters.gateway import Gateway
    from signal_runtime.adapters.live import LiveModel
    from signal_runtime.adapters.sdk import Sdk  # imported late: the SDKs take a second to load

    gateway = Gateway(
        provider,
        Sdk(provider, live.reply_bytes_max, live.concurrent_per_provider),
        live.concurrent_per_provider,
        live.breaking,
    )

    def make(written: Mapping[str, str]) -> SignalModel:
        return LiveModel(gateway, _read(provider, written), live.spending, live.rationales, live.now, live.retrying)

    registry.register(provider.name, make, "live", gateway.close)


def _read(provider: Provider, written: Mapping[str, str]) -> LlmParameters:
    """The same with and without a key: a season's file is right or wrong for everybody."""
    return read_llm_parameters(written, seeds=provider.seeds, json_mode=provider.json_mode)


def _stand_in(parameters: LlmParameters) -> SignalModel:
    persona = offline_llm.Parameters(parameters.offline_persona)
    return PureModel("offline-llm", 0, lambda view: offline_llm.reply(persona, view))
