import html
import json
from decimal import Decimal
from typing import Any

import pytest
from contracts.signals import Condition
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


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


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
        # Other ways to write JSON
        "\ufeff" + WHOLE,
        repr({"BTC": ENTRY}),
        f"decision = { ({'BTC': ENTRY | {'note': None, 'sure': True, 'shy': False}})!r}  # final",
        WHOLE.replace("}}", ",}\n,}"),
        WHOLE.replace('{"BTC"', '{ // the only one\n /* I am sure */ "BTC"').replace("10,", "10, # ten times\n"),
        WHOLE.replace("10,", "１０,").replace("0.12", "０．１２"),
        json.dumps(WHOLE),
        html.escape(WHOLE),
        f"<thinking>Maybe {HOLD_ETH}?</thinking>\n{WHOLE}",
        f"我认为比特币会上涨（参考 RSI）。决定如下：\n```json\n{WHOLE}\n```\n以上。",
        # Wrapped
        json.dumps({"decisions": [ENTRY]}),
        json.dumps({"Reasoning": "…", "trading_decisions": {"BTC": ENTRY}}),
        json.dumps({"response": {"decision": {"coins": [{"BTC": {"trade_signal_args": ENTRY}}]}}}),
        f"<tool_call>{json.dumps({'name': 'trade', 'arguments': {'BTC': ENTRY}})}</tool_call>",
        json.dumps({"tool_calls": [{"type": "function", "function": {"name": "trade", "arguments": WHOLE}}]}),
        json.dumps({"choices": [{"message": {"role": "assistant", "content": f"```json\n{WHOLE}\n```"}}]}),
        json.dumps({"type": "tool_use", "name": "trade", "input": {"decisions": [ENTRY]}}),
        json.dumps({"decisions": [ENTRY], "content": 'I weighed {"x'}),
        # Fields
        json.dumps({"BTC": {name.upper(): value for name, value in ENTRY.items()}}),
        json.dumps({"BTC": {camel(name): value for name, value in ENTRY.items()}}),
        entry(profit_target="absent", take_profit=118136.15),
        entry(coin="absent", symbol="BTC"),
        entry(confidence="75%", leverage="10倍", quantity="0.12 BTC", risk_usd="619.2345 USDT"),
        entry(confidence="７５％", quantity="０．１２", stop_loss="＄102026.675"),
        entry(limit_price="N/A", time_in_force="none"),
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
        ('{"BTC": {"signal": hold}}', NoDecision, "what looks like JSON"),
        ("{'BTC': {'signal': 'hold', 'quantity': nan}}", NoDecision, "what looks like JSON"),
        (f"{WHOLE} or rather {{'ETH': {{'signal': maybe}}}}", AmbiguousReply, "after a decision, line 1"),
        ('{"BTC": {"signal": "hold" /* I wonder', TruncatedReply, "comment in its JSON does not end"),
        ('{"previous": ' + WHOLE + "}", NoDecision, "holds a `signal`"),
        (entry(signal="amend_order"), BadField, "BTC.signal: 'amend_order' is none of hold"),
        ('{"BTC": {"signal": "change_exits"}}', BadField, "names no profit_target, stop_loss or invalidation"),
        (entry(invalidation={"comparison": "below"}), BadField, "BTC.invalidation.price: missing"),
        (entry(invalidation={"price": 1}), BadField, "BTC.invalidation.comparison: missing"),
        (entry(invalidation={"comparison": "under", "price": 1}), BadField, "'under' is none of below, above"),
        (entry(invalidation={"comparison": "below", "price": 1, "interval": "2m"}), BadField, "'2m' is none of 1m"),
        (entry(invalidation={"comparison": "below", "price": -1}), BadField, "BTC.invalidation.price: must be from"),
        (entry(invalidation=105000), BadField, "BTC.invalidation: is Decimal, not an object"),
        (entry(Stop_Loss=1), AmbiguousReply, "another name of stop_loss"),
        (entry(take_profit=1), AmbiguousReply, "another name of profit_target"),
        (entry(quantity="1²"), BadField, "is not a number"),
        (entry(quantity="٣"), BadField, "is not a number"),
        (entry(quantity="1 ETH"), BadField, "'1 ETH' is not a number"),
        (entry(quantity="50%"), BadField, "'50%' is not a number"),
        (entry(confidence="120%"), BadField, "BTC.confidence: must be from 0 and at most 100"),
        (entry(coin="ВТС"), BadField, "is no symbol"),  # Cyrillic
        ('{"ſOL": {"signal": "hold"}}', BadField, "is no symbol"),  # upper() makes an S of it
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


SPOKEN = ENTRY["invalidation_condition"]
BELOW = {"comparison": "below", "price": 105000, "interval": "3m"}


@pytest.mark.parametrize(
    ("said", "condition", "words"),
    [
        ({"invalidation": BELOW}, ("below", 105000, "3m"), SPOKEN),
        ({"invalidation": {"comparison": "Above", "price": "$5.5"}}, ("above", Decimal("5.5"), None), SPOKEN),
        ({"invalidation_condition": BELOW | {"text": "Below"}}, ("below", 105000, "3m"), "Below"),
        ({"invalidation": "Trend breaks", "invalidation_condition": None}, None, "Trend breaks"),
        ({"invalidation": None}, None, SPOKEN),
    ],
)
def test_an_invalidation_that_can_be_checked_stands_beside_its_words(said: Any, condition: Any, words: str) -> None:
    part = only(entry(**said))

    found = part.invalidation
    assert (found and (found.comparison, found.price, found.interval)) == condition
    assert part.invalidation_condition == words


def test_words_alone_are_never_taken_for_a_condition() -> None:
    assert (
        only(entry(invalidation_condition="If the price closes below 4000 on a 3-minute candle")).invalidation is None
    )


def test_a_template_before_the_decision_is_passed_over() -> None:
    template = '{"BTC": {"signal": "hold" | "buy_to_enter", "quantity": <float>}}'

    assert parse_reply(f"The format is {template}. So:\n{WHOLE}") == Decision((DECIDED,))


def test_an_apostrophe_within_a_word_does_not_end_a_python_string() -> None:
    assert only("{'BTC': {'signal': 'hold', 'justification': 'it's the trend, don't fight'}}").justification == (
        "it's the trend, don't fight"
    )


def test_more_digits_than_a_decimal_has_are_rounded_and_never_an_exception() -> None:
    part = only('{"BTC": {"signal": "hold", "quantity": 123456789012345.0000000000000000005, "risk_usd": 1e-999999}}')

    assert part.quantity == Decimal(123456789012345)
    assert part.risk_usd == 0


def test_a_hostile_reply_costs_little_time() -> None:
    """Each takes milliseconds where its cost grows with its length, minutes where it grows with the square of it."""
    for text in (
        "{" * 40_000, '[{"' * 13_000, '{"a' * 13_000, '{"a":1}' * 6_000, "{/*" * 13_000, '{"a":' + "/*" * 20_000,
        "{}" + " " * 40_000 + "x", "{'" + "' " * 20_000, "{//" * 13_000, '{"a":' + "," * 40_000, "&quot;" * 7_000,
        "<think>" * 6_000, "{" + " " * 40_000 + "x", ("{" + " " * 300) * 400,
    ):  # fmt: skip
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
        invalidation=Condition(comparison="above", price=Decimal("4100.5"), interval="1h"),
    )

    assert parse_reply(write_reply(Decision((DECIDED, limit)))) == Decision((DECIDED, limit))
    assert parse_reply(write_reply(Decision())) == Decision()
