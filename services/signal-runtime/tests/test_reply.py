import json
from decimal import Decimal
from typing import Any

import pytest
from signal_runtime.core.decision import CoinDecision, Decision, write_reply
from signal_runtime.core.errors import (
    AmbiguousReply,
    BadField,
    BadReply,
    EmptyReply,
    NoDecision,
    ReplyTooLong,
    TruncatedReply,
)
from signal_runtime.core.reply import parse_reply

ENTRY: dict[str, Any] = {
    "quantity": 0.12, "stop_loss": 102026.675, "signal": "buy_to_enter", "profit_target": 118136.15,
    "invalidation_condition": "4h close below 105000", "justification": "Trend.", "confidence": 0.75,
    "leverage": 10, "risk_usd": 619.2345, "coin": "BTC",
}  # fmt: skip
DECIDED = CoinDecision(
    coin="BTC",
    signal="buy_to_enter",
    quantity=Decimal("0.12"),
    leverage=Decimal(10),
    profit_target=Decimal("118136.15"),
    stop_loss=Decimal("102026.675"),
    invalidation_condition="4h close below 105000",
    justification="Trend.",
    confidence=Decimal("0.75"),
    risk_usd=Decimal("619.2345"),
)
HOLD_ETH = '{"ETH": {"signal": "hold"}}'


def entry(**changes: Any) -> str:
    return json.dumps({"BTC": {name: value for name, value in {**ENTRY, **changes}.items() if value != "absent"}})


def only(text: str) -> CoinDecision:
    (part,) = parse_reply(text).coins
    return part


WHOLE = entry()


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"```json\n{WHOLE}\n```",
        f"```\n{WHOLE}\n```\nGood luck!",
        f"Here is my decision (I weighed [3, 5, 8] readings): {WHOLE} That is all {{really}}.",
        f"<think>Maybe {HOLD_ETH}? No.</think>\n{WHOLE}",
        f"Maybe {HOLD_ETH}? No.</think>{WHOLE}",
        f"{WHOLE}\n\nTo repeat:\n{WHOLE}",
        json.dumps([{"BTC": ENTRY}]),
        json.dumps([ENTRY]),
        json.dumps(ENTRY),
        json.dumps({"BTC": {"trade_signal_args": ENTRY}}),
        json.dumps({"reasoning": "Trend.", "BTC": ENTRY}),
        json.dumps({"btc": {**ENTRY, "coin": "Btc"}}),
        WHOLE.replace("{", "｛").replace("}", "｝").replace(":", "：").replace(",", "，"),
        WHOLE.replace('"BTC"', "“BTC”").replace('"signal"', "＂signal＂"),
        entry(quantity="0.12", stop_loss="$102,026.675", confidence="0.75", leverage="10x", risk_usd=" 619.2345 "),
        entry(signal="Buy to enter"),
        entry(signal="BUY-TO-ENTER"),
    ],
)
def test_the_forms_of_real_replies_say_the_same(text: str) -> None:
    assert parse_reply(text) == Decision((DECIDED,))


def test_full_width_signs_within_text_stay_as_they_are() -> None:
    assert only(entry(justification="突破：多头，加仓（轻仓）")).justification == "突破：多头，加仓（轻仓）"


def test_objects_of_different_coins_are_one_decision() -> None:
    assert [part.coin for part in parse_reply(f"{WHOLE}\n{HOLD_ETH}").coins] == ["BTC", "ETH"]


@pytest.mark.parametrize("text", ["{}", " [ ] ", "```json\n{}\n```"])
def test_an_empty_object_alone_touches_nothing(text: str) -> None:
    assert parse_reply(text) == Decision()


def test_numbers_are_read_exactly() -> None:
    assert only('{"BTC": {"signal": "hold", "quantity": 0.1000000000000000055511151231}}').quantity == Decimal(
        "0.100000000000000006"
    )


@pytest.mark.parametrize(
    ("signal", "said", "meant"), [("hold", -11294, 11294), ("sell_to_enter", -3, 3), ("hold", 0, None)]
)
def test_the_sign_of_a_short_is_dropped_where_it_agrees(signal: str, said: int, meant: int | None) -> None:
    assert only(entry(signal=signal, quantity=said)).quantity == meant


def test_zero_and_empty_prices_are_none() -> None:
    part = only(entry(stop_loss=0, profit_target="", risk_usd=None))

    assert (part.stop_loss, part.profit_target, part.risk_usd) == (None, None, None)


def test_a_hold_needs_nothing_but_its_signal() -> None:
    assert only(HOLD_ETH) == CoinDecision("ETH", "hold")


def test_a_limit_price_makes_a_limit_order_and_its_time_in_force_counts_with_it_only() -> None:
    assert only(entry(limit_price=101000, time_in_force="gtc")).time_in_force == "GTC"
    assert only(entry(time_in_force="gtc")).time_in_force is None


def test_text_is_cut_to_its_bound_and_freed_of_control_characters() -> None:
    part = only(entry(justification="a\x00b\ud800c" + "x" * 5_000, invalidation_condition="y" * 600))

    assert part.justification.startswith("abcx")
    assert (len(part.justification), len(part.invalidation_condition)) == (4_000, 500)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("", EmptyReply, "no text"),
        ("<think>So</think>  ", EmptyReply, "no text"),
        ("x" * 128_001, ReplyTooLong, "128001 characters"),
        ("I would rather wait.", NoDecision, "holds a `signal`"),
        ("[1, 2, 3]", NoDecision, "holds a `signal`"),
        ('{"BTC": 1}', NoDecision, "holds a `signal`"),
        ("{'BTC': {'signal': 'hold'}}", NoDecision, "holds a `signal`"),
        ('{"BTC": {"signal": "hold",}}', NoDecision, "what looks like JSON"),
        ('{"BTC": {"signal": "hold", "quantity": NaN}}', NoDecision, "NaN is no number"),
        ('{"BTC": {"signal": "hold", "quantity": 1' + "0" * 50 + "}}", NoDecision, "51 characters"),
        ('{"a":' * 50 + "1" + "}" * 50, NoDecision, "nest deeper"),
        (WHOLE[:-1], TruncatedReply, "does not end"),
        (f'{{"BTC": {json.dumps(ENTRY)}, "ETH": {{"signal": "ho', TruncatedReply, "does not end"),
        ("<think>I wonder", TruncatedReply, "within its thinking"),
        (WHOLE + entry(quantity=0.13), AmbiguousReply, "BTC: decided twice"),
        ('{"BTC": {"signal": "hold", "signal": "close_position"}}', AmbiguousReply, "'signal' stands twice"),
        ('{"BTC": {"signal": "hold"}, "BTC": {"signal": "hold"}}', AmbiguousReply, "'BTC' stands twice"),
        (entry(coin="ETH"), AmbiguousReply, "BTC: its `coin` says ETH"),
        (entry(quantity=-1), AmbiguousReply, "buys a negative quantity"),
        (entry(stop_loss="102,026"), AmbiguousReply, "a comma that may be either"),
        (entry(signal="long"), BadField, "BTC.signal: 'long' is none of hold, buy_to_enter"),
        (entry(signal=1), BadField, "BTC.signal"),
        # found by `arena simulate`: they went through here, and ended the process when they became a signal
        (entry(signal="amend_order"), BadField, "BTC.signal: 'amend_order' is none of"),
        (entry(signal="change_exits"), BadField, "BTC.signal: 'change_exits' is none of"),
        ('{"BTC": {"signal": "hold"}, "ETH": {"quantity": 1}}', BadField, "ETH.signal: missing"),
        ('{"signal": "hold"}', BadField, "coin: missing"),
        (entry(coin="Bitcoin!"), BadField, "'Bitcoin!' is no symbol"),
        (entry(quantity="absent"), BadField, "BTC.quantity: required"),
        (entry(quantity=0), BadField, "BTC.quantity: required"),
        (entry(quantity=True), BadField, "is bool, not a number"),
        (entry(quantity=[1]), BadField, "is list, not a number"),
        (entry(quantity="a lot"), BadField, "'a lot' is not a number"),
        (entry(quantity="Infinity"), BadField, "'Infinity' is not a number"),
        (entry(quantity=1e16), BadField, "at most 1000000000000000"),
        (entry(confidence=75), BadField, "BTC.confidence: must be from 0 and at most 1"),
        (entry(confidence="75%"), BadField, "'75%' is not a number"),
        (entry(leverage=0.5), BadField, "BTC.leverage: must be from 1"),
        (entry(leverage=201), BadField, "BTC.leverage: must be from"),
        (entry(stop_loss=-5), BadField, "BTC.stop_loss: must be from 0"),
        (entry(justification=["a"]), BadField, "BTC.justification: is list, not text"),
        (json.dumps({f"C{n}": {"signal": "hold"} for n in range(101)}), BadField, "101 coins"),
    ],
)
def test_what_is_no_decision_is_refused_by_name(text: str, error: type[BadReply], said: str) -> None:
    with pytest.raises(error) as caught:
        parse_reply(text)

    assert type(caught.value) is error
    assert said in str(caught.value)


def test_a_hostile_reply_costs_little_time() -> None:
    for text in ("{" * 120_000, '[{"' * 40_000, '{"a' * 40_000, '{"a":1}' * 18_000):
        with pytest.raises(BadReply):
            parse_reply(text)


def test_a_written_reply_is_read_back_as_it_was() -> None:
    limit = CoinDecision(
        "ETH",
        "sell_to_enter",
        Decimal("1E-7"),
        justification='"Über"\n{x}',
        limit_price=Decimal(4000),
        time_in_force="GTC",
    )

    assert parse_reply(write_reply(Decision((DECIDED, limit)))) == Decision((DECIDED, limit))
    assert parse_reply(write_reply(Decision())) == Decision()
