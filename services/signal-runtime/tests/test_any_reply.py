"""Whatever a model says ends in signals that the contract accepts, or in one of the named errors."""

import json
from decimal import Decimal
from typing import Any

from contracts.signals import Attempt
from hypothesis import example, given, settings
from hypothesis import strategies as st
from signal_runtime.core.errors import BadReply
from signal_runtime.core.reply import parse_reply
from signal_runtime.core.signals import Asked, signals
from signal_runtime.testing import BTC, ETH, request, season, spec

ATTEMPT = Attempt(model="any", offline=True, latency_ms=0)
NAMES = (
    "signal", "coin", "quantity", "leverage", "profit_target", "stop_loss", "invalidation_condition", "invalidation",
    "justification", "confidence", "risk_usd", "limit_price", "time_in_force", "decisions", "arguments",
)  # fmt: skip
ACTIONS = (
    "hold", "buy_to_enter", "sell_to_enter", "close_position", "cancel_orders", "amend_order", "change_exits", "long",
)  # fmt: skip
numbers = st.one_of(
    st.integers(-(10**20), 10**20), st.floats(), st.decimals(allow_nan=True).map(str),
    st.sampled_from(["1e999999", "1e-999999", "-0", "NaN", "0.0000000000000000001", "1e12", "999999999999.99", "10x"]),
)  # fmt: skip
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=20), st.sampled_from((*ACTIONS, "GTC", "3m")))
conditions = st.fixed_dictionaries(
    {"comparison": st.sampled_from(["below", "above"]), "price": numbers}, optional={"interval": scalars}
)
fields = st.dictionaries(st.sampled_from(NAMES), scalars | conditions, max_size=8)
plausible = st.fixed_dictionaries(
    {"signal": st.sampled_from(ACTIONS), "quantity": numbers}, optional=dict.fromkeys(NAMES[3:], scalars | conditions)
)
coins = st.sampled_from(["BTC", "ETH", "BTC-USDT-PERP", "PEPE", "decisions", "ВТС"]) | st.text(max_size=20)
replies = st.dictionaries(coins, fields | plausible, max_size=4)


def derived(text: str) -> None:
    try:
        decision = parse_reply(text)
    except BadReply:
        return
    signals(Asked(request(), season(), request().at), decision, {BTC: spec(BTC), ETH: spec(ETH)}, ATTEMPT)


@given(replies)
@settings(max_examples=50)
@example({"BTC": {"signal": "amend_order"}})
@example({"BTC": {"signal": "change_exits", "stop_loss": "0"}})
@example({"BTC": {"signal": "buy_to_enter", "quantity": "123456789012345.0000000000000000005"}})
def test_any_object_ends_in_signals_or_in_a_named_error(reply: dict[str, Any]) -> None:
    derived(json.dumps(reply))
    derived(repr(reply))


@given(st.text(alphabet="{}[]\"'“”:,，：/*# \n\\signalholdBTC0.1-eNaN<>&;ｘ１", max_size=200))
@settings(max_examples=50)
def test_any_text_ends_in_signals_or_in_a_named_error(text: str) -> None:
    derived(text)
    derived('{"BTC": {"signal": "hold", "quantity": ' + text + "}}")


@given(st.integers(0, 30), st.decimals(min_value="1e-18", max_value="1e15", allow_nan=False))
def test_numbers_of_any_length_keep_eighteen_places(more: int, number: Decimal) -> None:
    said = f"{number:f}{'0' * more}" if "." in f"{number:f}" else f"{number:f}"
    if len(said) <= 40:
        derived(f'{{"BTC": {{"signal": "buy_to_enter", "quantity": {said}}}}}')
