"""Windows, rates, pyramiding, cool-down. A round opens every 60 s from Sunday 12:00 UTC; orders arrive at its 30th."""

# mypy: no-strict-equality

from typing import Any

import pytest
from contracts.competition import TradingWindow
from contracts.orders import SignalRejected
from risk_gate.core import Facts, RiskGate, Standing
from risk_gate.testing import (
    ETH,
    D,
    approval,
    facts,
    facts_of,
    listed,
    missed,
    numbers,
    of_round,
    portfolio,
    position,
    rejection,
    season,
)

gate = RiskGate()


def answer(standing: Standing, number: int, given: Facts, **said: Any) -> Any:
    """Of the only part of that round's decision."""
    *_, event, _ = gate.decide(standing, of_round(number, **said), given)
    return event


def code(standing: Standing, number: int, given: Facts, **said: Any) -> str:
    event = answer(standing, number, given, **said)
    return event.code if isinstance(event, SignalRejected) else "ok"


@pytest.mark.parametrize(
    ("window", "passes"),
    [
        ({}, True),
        ({"days": ["sun"]}, True),
        ({"days": ["sat", "mon"]}, False),
        ({"start": "12:00", "end": "12:01"}, True),
        ({"start": "12:01"}, False),
        ({"end": "12:00"}, False),
    ],
)
def test_new_risk_is_taken_within_the_trading_windows(window: dict[str, Any], passes: bool) -> None:
    # the order arrives on Sunday at 12:00:30
    given = facts(season=season(windows=[TradingWindow.model_validate(window)]), portfolio=portfolio(position("10")))

    if passes:
        approval(given=given)
    else:
        said = rejection(given=given)
        assert (said.code, said.detail) == (
            "OUTSIDE_TRADING_WINDOW", "Sun 12:00 UTC is in none of the season's trading windows",
        )  # fmt: skip
    approval(action="close_position", quantity=None, given=given)


def test_any_of_several_windows_will_do() -> None:
    windows = [TradingWindow(days=("mon",)), TradingWindow(start="11:00", end="13:00")]

    approval(given=facts(season=season(windows=windows)))


def test_orders_of_a_round_are_counted() -> None:
    standing, given = Standing(), facts(season=season(orders_per_round_max=2), portfolio=portfolio(position("10")))
    for part in (1, 2):
        approval(quantity="0.1", standing=standing, given=given, part=part, parts=9)

    third = rejection(quantity="0.1", standing=standing, given=given, part=3, parts=9)
    assert numbers(third) == ("ORDER_RATE", 3, 2)
    assert third.detail == "it would be 3 orders in this round, 2 are allowed"
    for part in (4, 5):
        approval(action="close_position", quantity=None, standing=standing, given=given, part=part, parts=9)


def test_a_competitor_that_floods_is_refused_by_name_and_another_is_judged_as_ever() -> None:
    given = facts(season=season(orders_per_round_max=2))
    flooding, other = Standing(), Standing()
    for part in (1, 2):
        approval(quantity="0.1", standing=flooding, given=given, part=part, parts=200)

    for part in range(3, 200):  # as many parts as a decision may have
        assert rejection(quantity="0.1", standing=flooding, given=given, part=part, parts=200).code == "ORDER_RATE"
    approval(quantity="0.1", standing=other, given=given, competitor_id="bob")


def test_orders_of_an_hour_are_counted_by_the_rounds_openings() -> None:
    standing = Standing()

    def given(number: int) -> Facts:
        return facts_of(number, season=season(orders_per_hour_max=2))

    assert code(standing, 1, given(1)) == "ok"
    assert code(standing, 2, given(2)) == "ok"
    assert numbers(answer(standing, 3, given(3))) == ("ORDER_RATE", 3, 2)
    # round 61 opens an hour after the first, which still counts; round 62 an hour after the second
    assert code(standing, 61, given(61)) == "ORDER_RATE"
    assert code(standing, 62, given(62)) == "ok"


def test_additions_to_a_position_are_counted_for_as_long_as_it_is_open() -> None:
    standing, rules = Standing(), season(adds_max=1)

    def given(number: int, *positions: Any) -> Facts:
        return facts_of(number, season=rules, portfolio=portfolio(*positions, round=number))

    first = position("1", opened=30)
    assert code(standing, 1, given(1)) == "ok", "opens it"
    assert code(standing, 2, given(2, first)) == "ok", "adds once"
    assert numbers(answer(standing, 3, given(3, first))) == ("PYRAMIDING", 2, 1)
    assert code(standing, 4, given(4, first), action="sell_to_enter", quantity="0.5") == "ok", "makes it smaller"
    assert code(standing, 5, given(5, first), instrument=ETH) == "ok", "is another position"
    # closed and opened again between two rounds: another position
    assert code(standing, 51, given(51, position("1", opened=2900))) == "ok"
    assert code(standing, 52, given(52, position("1", opened=2900))) == "PYRAMIDING"
    # closed meanwhile; what opens it again is no addition, and the next one is the first
    assert code(standing, 56, given(56)) == "ok"
    assert code(standing, 57, given(57, position("1", opened=3330))) == "ok"
    assert code(standing, 58, given(58, position("1", opened=3330))) == "PYRAMIDING"


def test_the_second_order_of_a_decision_adds_to_what_the_first_opens() -> None:
    standing, given = Standing(), facts(season=season(adds_max=0))
    approval(quantity="1", standing=standing, given=given, parts=3)

    assert rejection(quantity="1", part=2, parts=3, standing=standing, given=given).code == "PYRAMIDING"


def test_an_instrument_cools_down_after_its_position_was_closed() -> None:
    standing, rules = Standing(), season(reentry_cooldown_s=120)

    def given(number: int, *positions: Any) -> Facts:
        return facts_of(number, season=rules, portfolio=portfolio(*positions, round=number))

    gate.decide(standing, missed(1), given(1, position("1")))
    # found closed at the opening of round 2: 0 s ago, then 60, then 120
    assert numbers(answer(standing, 2, given(2))) == ("COOLING_DOWN", 0, 120)
    assert numbers(answer(standing, 3, given(3))) == ("COOLING_DOWN", 60, 120)
    assert code(standing, 4, given(4)) == "ok"

    other = Standing()
    gate.decide(other, missed(1), given(1, position("1")))
    assert code(other, 2, given(2), instrument=ETH) == "ok"


def test_a_flip_and_an_entry_after_a_close_come_back_at_once() -> None:
    given = facts(season=season(reentry_cooldown_s=120), portfolio=portfolio(position("1")))
    standing = Standing()

    assert numbers(rejection(action="sell_to_enter", quantity="1.001", given=given)) == ("COOLING_DOWN", 0, 120)
    approval(action="sell_to_enter", quantity="1", given=given)
    approval(action="buy_to_enter", quantity="1", given=given)
    approval(action="close_position", quantity=None, standing=standing, given=given, parts=3)
    again = rejection(quantity="1", standing=standing, given=given, part=2, parts=3)
    assert numbers(again) == ("COOLING_DOWN", 0, 120)


def test_leverage_is_capped_by_the_tier_that_the_position_would_be_in() -> None:
    tiers = [
        {"floor": "0", "cap": "5000", "leverage_max": "10", "maintenance_margin_rate": "0.01", "deduction": "0"},
        {"floor": "5000", "cap": "15000", "leverage_max": "4", "maintenance_margin_rate": "0.02", "deduction": "50"},
    ]
    given = facts(instrument=listed(tiers=tiers))

    approval(quantity="5", leverage=D(10), given=given)
    # 5.001 * 1000 is in the second tier
    said = rejection(quantity="5.001", leverage=D(5), given=given)
    assert numbers(said) == ("LEVERAGE_ABOVE_MAX", 5, 4)
    assert said.detail == "leverage 5 is above 4, the most that the tier of so large a position allows"
    # 4 are held: with 1.001 more it is 5.001
    held = facts(instrument=listed(tiers=tiers), portfolio=portfolio(position("4")))
    assert numbers(rejection(quantity="1.001", leverage=D(5), given=held)) == ("LEVERAGE_ABOVE_MAX", 5, 4)
    assert numbers(rejection(quantity="15.001", leverage=D(4), given=given)) == ("POSITION_ABOVE_MAX", 15_001, 15_000)


def test_tiers_by_contracts_count_contracts() -> None:
    tier = {"floor": "0", "cap": "100", "unit": "contracts", "leverage_max": "10", "maintenance_margin_rate": "0.01",
            "deduction": "0"}  # fmt: skip
    given = facts(instrument=listed(tiers=[tier], contract_value=D("0.01")))

    # 1 base unit is 100 contracts
    approval(quantity="1", given=given)
    assert numbers(rejection(quantity="1.001", given=given)) == ("POSITION_ABOVE_MAX", D("100.1"), 100)
