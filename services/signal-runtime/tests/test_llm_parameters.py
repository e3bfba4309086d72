from decimal import Decimal

import pytest
from signal_runtime.core.errors import NoDecision
from signal_runtime.core.llm import read_llm_parameters
from signal_runtime.core.parameters import BadParameter
from signal_runtime.core.repair import asked_again, shown


def test_a_pinned_model_is_asked_with_what_its_season_froze_and_nothing_else() -> None:
    read = read_llm_parameters(
        {"model": "deepseek-v4-pro", "temperature": "0.7", "language": "zh", "prompt_version": "1"},
        seeds=False,
        json_mode=True,
    )

    assert (read.model, read.temperature, read.top_p, read.seed) == ("deepseek-v4-pro", Decimal("0.7"), None, None)
    assert (read.terms().language, read.terms().version) == ("zh", "1")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, "model: is required"),
        ({"model": "m" * 51}, "model: must be printable and at most 50"),
        ({"model": "m", "temperature": "3"}, "temperature: must be from 0 and at most 2"),
        ({"model": "m", "seed": "1.5"}, "seed: must be a whole number"),
        ({"model": "m", "seed": "7"}, "seed: this provider takes none"),
        ({"model": "m", "json_mode": "true"}, "json_mode: this provider has none"),
        ({"model": "m", "language": "fr"}, "language: must be one of en, zh"),
        ({"model": "m", "max_tokens": "0"}, "max_tokens: must be from 16"),
        ({"model": "m", "base_url": "http://example.org"}, "base_url: is no parameter"),
    ],
)
def test_what_a_season_froze_wrongly_is_named(written: dict[str, str], message: str) -> None:
    with pytest.raises(BadParameter, match=message):
        read_llm_parameters(written, seeds=False, json_mode=False)


def test_a_repair_names_the_error_in_the_language_of_the_prompt_and_shows_a_bounded_reply() -> None:
    error = NoDecision("no JSON object in it holds a `signal`")

    assert "NoDecision: no JSON object in it" in asked_again(error, "en")
    assert "NoDecision: no JSON object in it" in asked_again(error, "zh")
    assert "同一轮" in asked_again(error, "zh")
    assert len(shown("A" * 100_000)) == 8_000
    assert shown("  ") == "(no text)"
