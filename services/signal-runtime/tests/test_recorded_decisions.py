"""The 100 recorded decisions of Alpha Arena Season 1 (the README says where they are from)."""

import gzip
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from signal_runtime.core.decision import Decision
from signal_runtime.core.errors import EmptyReply
from signal_runtime.core.reply import parse_reply

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "alpha_arena" / "conversations.json.gz"
pytestmark = pytest.mark.skipif(
    not RECORDED.exists(), reason="../shared/data/alpha_arena/conversations.json.gz is not there"
)


def conversations() -> list[dict[str, Any]]:
    with gzip.open(RECORDED) as file:
        found: list[dict[str, Any]] = json.load(file, parse_float=str)["conversations"]
    return found


def reply_of(conversation: dict[str, Any]) -> str:
    """The recorder kept the parsed object, or, where its own parser failed, the raw text."""
    response = conversation["llm_response"]
    raw = response.get("failed_json_response_raw_text")
    return raw if raw is not None else json.dumps(response)


def outcomes() -> list[Decision | EmptyReply]:
    """Anything but a decision or an empty reply raises."""
    found: list[Decision | EmptyReply] = []
    for conversation in conversations():
        try:
            found.append(parse_reply(reply_of(conversation)))
        except EmptyReply as error:
            found.append(error)
    return found


def test_99_are_decisions_and_the_one_without_any_text_is_named() -> None:
    kinds = Counter(type(outcome).__name__ for outcome in outcomes())

    assert kinds == {"Decision": 99, "EmptyReply": 1}


def test_every_field_of_every_recorded_object_is_in_the_decision_as_it_was_said() -> None:
    differences: Counter[str] = Counter()
    compared = 0
    for conversation, outcome in zip(conversations(), outcomes(), strict=True):
        if not isinstance(outcome, Decision) or "failed_json_response_raw_text" in conversation["llm_response"]:
            continue
        assert [part.coin for part in outcome.coins] == list(conversation["llm_response"])
        for part in outcome.coins:
            said = conversation["llm_response"][part.coin]
            compared += 1
            for name, value in said.items():
                meant = getattr(part, name)
                same = meant == (Decimal(str(value)) if isinstance(meant, Decimal) else value)
                differences[name] += not same
                assert same or (name == "quantity" and meant == -Decimal(str(value)))

    assert compared == 455
    # Gemini writes the size of its shorts with a minus, in holds and closes only: the signal says the side.
    assert +differences == {"quantity": 12}


def test_the_reply_that_its_own_recorder_could_not_parse_holds_six_positions() -> None:
    (decision,) = [
        parse_reply(raw)
        for conversation in conversations()
        if (raw := conversation["llm_response"].get("failed_json_response_raw_text"))
    ]

    assert [(part.coin, part.signal) for part in decision.coins] == [
        (coin, "hold") for coin in ("ETH", "SOL", "XRP", "BTC", "DOGE", "BNB")
    ]
    assert (decision.coins[3].quantity, decision.coins[3].stop_loss) == (Decimal("0.12"), Decimal("102026.675"))
