# mypy: no-strict-equality
# whole numbers beside decimals read better in a tuple of expectations
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from contracts.signals import Condition
from signal_runtime.core.decision import CoinDecision, Decision
from signal_runtime.core.draws import draw
from signal_runtime.core.models import baselines, hedge, mean_reversion, momentum, offline_llm, trend
from signal_runtime.core.parameters import BadParameter, read_parameters
from signal_runtime.core.reply import parse_reply
from signal_runtime.core.view import View
from signal_runtime.testing import ETH, market, position, view

RISING: dict[str, Any] = {"close": [str(990 + n) for n in range(10)], "macd": ["1"], "atr14": ["4"]}
FALLING: dict[str, Any] = {"close": [str(1010 - n) for n in range(10)], "macd": ["-1"], "atr14": ["4"]}


def only(decision: Decision) -> CoinDecision:
    (part,) = decision.coins
    return part


def test_momentum_buys_what_rose_further_than_its_noise_and_sizes_it_by_the_atr() -> None:
    part = only(momentum.decide(momentum.Parameters(), view(market(**RISING))))

    # It moved 8 over 8 bars, 2 ATR. Stop 3 ATR = 12 away; 10,000 * 0.005 = 50 USD at risk: 4.166 lots of 0.001.
    assert (part.signal, part.quantity, part.leverage) == ("buy_to_enter", Decimal("4.166"), Decimal(5))
    # From the ask of 1000.1; the target is 1.5 stops away.
    assert (part.stop_loss, part.profit_target) == (Decimal("988.1"), Decimal("1018.1"))
    assert part.risk_usd == Decimal("49.99")


def test_momentum_sells_what_fell() -> None:
    part = only(momentum.decide(momentum.Parameters(), view(market(**FALLING))))

    # From the bid of 999.9.
    assert (part.signal, part.stop_loss, part.profit_target) == ("sell_to_enter", Decimal("1011.9"), Decimal("981.9"))


@pytest.mark.parametrize(
    "values",
    [
        {**RISING, "macd": [None]},
        {**RISING, "atr14": [None]},
        {**RISING, "close": ["990"] * 8},
        {**RISING, "macd": ["-1"]},
        {**RISING, "atr14": ["8"]},
    ],
    ids=["no macd", "no atr", "too few bars", "macd disagrees", "within its noise"],
)
def test_momentum_stays_out_of_what_is_not_clear(values: dict[str, Any]) -> None:
    assert momentum.decide(momentum.Parameters(), view(market(**values))) == Decision()


@pytest.mark.parametrize(("quantity", "signal"), [("2", "hold"), ("-2", "close_position")])
def test_momentum_leaves_when_the_macd_turns_against_it(quantity: str, signal: str) -> None:
    part = only(momentum.decide(momentum.Parameters(), view(market(**RISING), held=[position(quantity)])))

    assert (part.signal, bool(part.justification)) == (signal, True)


def test_a_size_is_cut_to_the_order_limit_and_to_the_free_margin() -> None:
    narrow = {**RISING, "atr14": ["0.01"]}
    p = momentum.Parameters(positions=1)

    by_order = only(momentum.decide(p, view(market(**narrow), order_notional_max=Decimal(5_000))))
    by_margin = only(momentum.decide(p, view(market(**narrow), margin="100")))

    # 5,000 * 0.95 / 1000.1 = 4.7495.
    # Of 100: 1 / 5 margin, 0.02 to the edge of the band, 0.0005 fee: 100 / 0.2205 * 0.95 / 1000.1 = 0.43079.
    assert (by_order.quantity, by_margin.quantity) == (Decimal("4.749"), Decimal("0.430"))


def test_nothing_is_entered_without_margin_or_price_or_beyond_the_number_of_positions() -> None:
    p = momentum.Parameters(positions=1)

    assert momentum.decide(p, view(market(**RISING), margin="0")) == Decision()
    assert momentum.decide(p, view(market(**RISING, bid=None))) == Decision()
    both = view(market(**RISING), market(ETH, **RISING), held=[position("1")])
    assert [part.signal for part in momentum.decide(p, both).coins] == ["hold"]


def test_mean_reversion_rests_a_limit_order_on_the_bar_of_the_crossing_only() -> None:
    p = mean_reversion.Parameters(entry="limit")
    crossing: dict[str, Any] = {"rsi14": ["31", "29"], "atr14": ["4"]}

    part = only(mean_reversion.decide(p, view(market(**crossing))))

    # 0.1 ATR below the bid of 999.9 is 999.5; stop 12 below that, target as far above.
    assert (part.signal, part.limit_price, part.time_in_force) == ("buy_to_enter", Decimal("999.5"), "GTC")
    assert (part.stop_loss, part.profit_target) == (Decimal("987.5"), Decimal("1011.5"))
    assert mean_reversion.decide(p, view(market(rsi14=["29", "28"], atr14=["4"]))) == Decision()


def test_mean_reversion_sells_what_rose_too_far_at_market() -> None:
    part = only(mean_reversion.decide(mean_reversion.Parameters(), view(market(rsi14=["70", "71"], atr14=["4"]))))

    assert (part.signal, part.limit_price) == ("sell_to_enter", None)


@pytest.mark.parametrize(
    ("quantity", "rsi", "signal"),
    [("1", "49", "hold"), ("1", "51", "close_position"), ("-1", "51", "hold"), ("-1", "49", "close_position")],
)
def test_mean_reversion_leaves_in_the_middle(quantity: str, rsi: str, signal: str) -> None:
    held = view(market(rsi14=["30", rsi], atr14=["4"]), held=[position(quantity)])

    assert only(mean_reversion.decide(mean_reversion.Parameters(), held)).signal == signal


@pytest.mark.parametrize(
    ("ema20", "signal"), [("1003", "buy_to_enter"), ("997", "sell_to_enter"), ("1001", None), (None, None)]
)
def test_trend_goes_with_the_gap_of_the_averages(ema20: str | None, signal: str | None) -> None:
    values: dict[str, Any] = {"ema20": [ema20], "ema50": ["1000"], "atr14": ["4"]}

    parts = trend.decide(trend.Parameters(), view(market(**values))).coins

    assert [part.signal for part in parts] == ([signal] if signal else [])


@pytest.mark.parametrize(
    ("ema20", "flips", "signal"),
    [
        ("1001", True, "hold"),
        ("999", True, "close_position"),
        ("997", False, "close_position"),
        ("997", True, "sell_to_enter"),
    ],
)
def test_trend_holds_leaves_or_flips_a_long(ema20: str, flips: bool, signal: str) -> None:
    values: dict[str, Any] = {"ema20": [ema20], "ema50": ["1000"], "atr14": ["4"]}

    part = only(trend.decide(trend.Parameters(flips=flips), view(market(**values), held=[position("2")])))

    assert part.signal == signal
    if signal == "sell_to_enter":
        # 75 USD at risk over 12: 6.25, and the 2 it holds; risk is that of the new position.
        assert (part.quantity, part.risk_usd) == (Decimal("8.250"), Decimal("75.00"))


def test_models_hold_what_they_have_while_indicators_are_cold() -> None:
    cold = view(market(), held=[position("1")])

    for decision in (
        momentum.decide(momentum.Parameters(), cold),
        mean_reversion.decide(mean_reversion.Parameters(), cold),
        trend.decide(trend.Parameters(), cold),
    ):
        assert (only(decision).signal, "not warm" in only(decision).justification) == ("hold", True)


def test_buy_and_hold_buys_an_equal_share_of_each_once() -> None:
    parts = baselines.buy_and_hold(baselines.BuyAndHold(), view(market(), market(ETH), held=[position("4", ETH)])).coins

    # 10,000 * 0.9 / 2 = 4,500 at the ask of 1000.1.
    assert [(part.coin, part.signal, part.quantity) for part in parts] == [
        ("BTC", "buy_to_enter", Decimal("4.499")),
        ("ETH", "hold", None),
    ]
    assert (parts[0].leverage, parts[0].stop_loss) == (1, None)


def test_the_random_traders_chances_follow_from_what_it_is_matched_to() -> None:
    """q = 0.8 / (2 * 2) = 0.2; p = 0.2 * 0.4 / 0.6 = 0.1333; each of two is 2 / (2 * 0.4) = 2.5 of the equity."""
    p = baselines.Random(turnover=Decimal("0.8"), exposure=Decimal(2), held=Decimal("0.4"))
    entries = [part for n in range(1, 101) for part in baselines.random(p, view(market(), number=n, **WIDE)).coins]

    assert (p.exit_rate, p.entry_rate.quantize(Decimal("1e-4"))) == (Decimal("0.2"), Decimal("0.1333"))
    assert set(Counter(part.signal for part in entries)) == {"buy_to_enter", "sell_to_enter"}
    # 25,000 at the ask of 1000.1 or the bid of 999.9
    assert {part.quantity for part in entries} == {Decimal("24.997"), Decimal("25.002")}
    assert {(part.leverage, part.stop_loss) for part in entries} == {(5, None)}


WIDE: dict[str, Any] = {"order_notional_max": Decimal(10**6), "position_notional_max": Decimal(10**6)}


def test_the_random_trader_turns_over_and_holds_what_it_is_matched_to() -> None:
    """4,000 rounds of two instruments at a price that stands still, filled at once; within five per cent of both."""
    p = baselines.Random(turnover=Decimal("0.8"), exposure=Decimal(2), held=Decimal("0.4"))
    base = view(market(), market(ETH), **WIDE)
    held: dict[str, Decimal] = {}
    traded = exposed = Decimal(0)
    for n in range(1, 4_001):
        positions = tuple(position("1", name) for name in held)
        shown = replace(
            base,
            request=base.request.model_copy(update={"round": n}),
            portfolio=base.portfolio.model_copy(update={"positions": positions}),
        )
        for part in baselines.random(p, shown).coins:
            name = f"{part.coin}-USDT-PERP"
            if part.signal == "close_position":
                traded += held.pop(name)
            elif part.quantity is not None:
                held[name] = part.quantity
                traded += part.quantity
        exposed += sum(held.values())

    # base units at 1,000 USD of an equity of 10,000: a tenth of the equity each
    assert abs(traded / 10 / 4_000 - Decimal("0.8")) < Decimal("0.04")
    assert abs(exposed / 10 / 4_000 - 2) < Decimal("0.1")


def test_a_turnover_beyond_its_exposure_is_refused() -> None:
    with pytest.raises(BadParameter, match="turnover: is more than can be traded"):
        read_parameters(baselines.Random, {"turnover": "5", "exposure": "2"})


def test_a_draw_is_even_and_the_same_everywhere() -> None:
    draws = [draw("seed", str(n)) for n in range(2_000)]

    assert all(0 <= value < 1 for value in draws)
    assert Decimal("0.48") < sum(draws) / 2_000 < Decimal("0.52")
    assert draw("s1|ann|1", "BTC/side") == Decimal("0.657350010121")


def replies(persona: str, rounds: int = 200, **values: Any) -> list[Decision]:
    p = offline_llm.Parameters(persona=persona)
    return [parse_reply(offline_llm.reply(p, view(market(**values), number=n))) for n in range(1, rounds + 1)]


@pytest.mark.parametrize("persona", offline_llm.PERSONAS)
def test_a_stand_in_trades_both_sides_on_hunches_while_nothing_is_warm(persona: str) -> None:
    signals = Counter(part.signal for decision in replies(persona) for part in decision.coins)

    assert signals["buy_to_enter"] > 10
    assert signals["sell_to_enter"] > 10


def test_the_careful_follows_where_readings_agree_and_the_contrarian_opposes() -> None:
    values: dict[str, Any] = {"ema20": ["990"], "macd": ["2"], "rsi7": ["80"], "atr14": ["4"]}

    careful = {part.signal for decision in replies("careful", **values) for part in decision.coins}
    contrary = {part.signal for decision in replies("contrarian", **values) for part in decision.coins}

    assert careful == {"buy_to_enter"}
    assert contrary == {"sell_to_enter"}


def test_only_the_reckless_asks_for_more_than_the_rules_allow_and_only_now_and_then() -> None:
    def oversteps(persona: str) -> Counter[str]:
        parts = [part for decision in replies(persona, 400) for part in decision.coins]
        return Counter(
            "leverage" if (part.leverage or 0) > 10 else "size" if (part.quantity or 0) * 1000 > 20_000 else "within"
            for part in parts
        )

    reckless = oversteps("reckless")
    assert 0 < reckless["leverage"] < reckless["within"] / 2
    assert 0 < reckless["size"] < reckless["within"] / 2
    assert set(oversteps("careful")) == set(oversteps("contrarian")) == {"within"}


def test_a_stand_in_states_what_would_prove_it_wrong_as_the_venue_can_check_it() -> None:
    """Careful: stop 3 ATR of 4 below the price of 1000, the bar that closes two thirds of the way there, 8 below."""
    values: dict[str, Any] = {"ema20": ["990"], "macd": ["2"], "rsi7": ["80"], "atr14": ["4"]}

    part = next(part for decision in replies("careful", 20, **values) for part in decision.coins)

    assert part.invalidation == Condition(comparison="below", price=Decimal("992.0"), interval="3m")
    assert part.invalidation_condition == "A 3-minute bar closes below 992.0."


def test_a_stand_in_keeps_its_position_with_a_reason_or_leaves_it_with_one() -> None:
    p = offline_llm.Parameters()
    values: dict[str, Any] = {"ema20": ["990"], "macd": ["2"], "rsi7": ["80"], "atr14": ["4"]}

    long = only(parse_reply(offline_llm.reply(p, view(market(**values), held=[position("1")]))))
    short = only(parse_reply(offline_llm.reply(p, view(market(**values), held=[position("-1")]))))

    assert (long.signal, short.signal) == ("hold", "close_position")
    assert "price is above its EMA20, MACD is positive, RSI7 stands at 80" in long.justification
    assert "I leave the short" in short.justification


def every_reply(shown: View) -> list[object]:
    return [
        momentum.decide(momentum.Parameters(), shown),
        mean_reversion.decide(mean_reversion.Parameters(), shown),
        trend.decide(trend.Parameters(), shown),
        hedge.decide(hedge.Parameters(), shown),
        baselines.buy_and_hold(baselines.BuyAndHold(), shown),
        baselines.random(baselines.Random(), shown),
        *[offline_llm.reply(offline_llm.Parameters(name), shown) for name in offline_llm.PERSONAS],
    ]


def test_the_same_view_gives_the_same_answer() -> None:
    assert every_reply(view(market(**RISING))) == every_reply(view(market(**RISING)))


def test_parameters_are_read_exactly() -> None:
    assert read_parameters(
        trend.Parameters, {"gap_atr": "0.25", "flips": "true", "positions": "2"}
    ) == trend.Parameters(gap_atr=Decimal("0.25"), flips=True, positions=2)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"gap": "1"}, "gap: is no parameter; there are gap_atr, flips"),
        ({"gap_atr": "wide"}, "gap_atr: must be a number"),
        ({"gap_atr": "NaN"}, "gap_atr: must be a number"),
        ({"gap_atr": "21"}, "gap_atr: must be from 0 and at most 20"),
        ({"positions": "1.5"}, "positions: must be a whole number"),
        ({"flips": "yes"}, "flips: must be true or false"),
    ],
)
def test_a_wrong_parameter_is_named(written: dict[str, str], said: str) -> None:
    with pytest.raises(BadParameter) as caught:
        read_parameters(trend.Parameters, written)

    assert said in str(caught.value)


def test_a_choice_is_held_to_its_choices() -> None:
    with pytest.raises(BadParameter, match="persona: must be one of careful, reckless, contrarian"):
        read_parameters(offline_llm.Parameters, {"persona": "angry"})
