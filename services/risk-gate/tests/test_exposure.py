"""Exposure: the matrix, and caps of one competitor and of the arena. All marks are 1000."""

# mypy: no-strict-equality

from typing import Any

from contracts.competition import ExposureCap
from risk_gate.core import Facts, Standing, arena, matrix
from risk_gate.testing import BTC, ETH, D, approval, facts, numbers, portfolio, position, rejection, season

ANN = portfolio(position("5"), position("-2", instrument=ETH))
BOB = portfolio(position("-3"), competitor="bob")


def capped(*caps: dict[str, Any], mine: Any = None, others: Any = (), missing: int = 0) -> Facts:
    rules = season(exposure=[ExposureCap.model_validate({"name": "cap"} | cap) for cap in caps], positions_max=9)
    mine = mine or portfolio()
    return facts(season=rules, portfolio=mine, arena=arena([mine, *others], missing))


def test_the_matrix_adds_up_by_competitor_and_by_instrument() -> None:
    whole = matrix([ANN, BOB])

    assert whole.cells == {"ann": {BTC: 5000, ETH: -2000}, "bob": {BTC: -3000}}
    assert (whole.gross([BTC]), whole.net([BTC])) == (8000, 2000)
    assert (whole.gross(), whole.net()) == (10_000, 0)


def test_the_matrix_prints_as_a_table() -> None:
    assert str(matrix([ANN, BOB])).splitlines() == [
        "USD    BTC-USDT-PERP  ETH-USDT-PERP      gross        net",
        "ann         5,000.00      -2,000.00   7,000.00   3,000.00",
        "bob        -3,000.00           0.00   3,000.00  -3,000.00",
        "gross       8,000.00       2,000.00  10,000.00",
        "net         2,000.00      -2,000.00                  0.00",
    ]


def test_gross_exposure_of_a_competitor_is_capped() -> None:
    given = capped({"gross_max": "9000"}, mine=ANN)

    # 7000 are held
    approval(quantity="2", given=given)
    said = rejection(quantity="2.001", given=given)
    assert numbers(said) == ("EXPOSURE_ABOVE_MAX", 9001, 9000)
    assert said.detail == "the gross exposure of cap would be 9001 USD, at most 9000 USD are allowed"


def test_net_exposure_of_a_group_counts_only_its_instruments() -> None:
    given = capped({"name": "majors", "instruments": [BTC, ETH], "net_max": "4000"}, mine=ANN)
    alone = capped({"name": "bitcoin", "instruments": [BTC], "net_max": "6000"}, mine=ANN)

    # 3000 net: a purchase of 1 makes it 4000
    approval(quantity="1", given=given)
    assert numbers(rejection(quantity="1.001", given=given)) == ("EXPOSURE_ABOVE_MAX", 4001, 4000)
    assert numbers(rejection(quantity="1.001", given=alone)) == ("EXPOSURE_ABOVE_MAX", 6001, 6000)
    approval(quantity="9", instrument=ETH, given=alone)


def test_an_order_that_adds_to_no_total_passes_above_the_cap() -> None:
    given = capped({"net_max": "1000", "gross_max": "1000"}, mine=portfolio(position("5")))

    approval(quantity="4", action="sell_to_enter", given=given)
    # 5 less 10 is 5 short: as much as before, not more
    approval(quantity="10", action="sell_to_enter", given=given)
    assert rejection(quantity="10.001", action="sell_to_enter", given=given).code == "EXPOSURE_ABOVE_MAX"


def test_the_arena_is_capped_by_everyones_portfolio_of_the_opening() -> None:
    given = capped({"scope": "arena", "instruments": [BTC], "net_max": "4000"}, mine=ANN, others=[BOB])

    # 5000 - 3000 = 2000 net; 2 more make 4000
    approval(quantity="2", given=given)
    said = rejection(quantity="2.001", given=given)
    assert numbers(said) == ("EXPOSURE_ABOVE_MAX", 4001, 4000)
    assert said.detail.startswith("the whole arena's net exposure of cap")
    gross = capped({"scope": "arena", "gross_max": "11000"}, mine=ANN, others=[BOB])
    assert numbers(rejection(quantity="1.001", given=gross)) == ("EXPOSURE_ABOVE_MAX", 11_001, 11_000)


def test_only_ones_own_orders_of_the_round_are_added() -> None:
    standing = Standing()
    given = capped({"scope": "arena", "gross_max": "12000"}, mine=ANN, others=[BOB])
    approval(quantity="1", standing=standing, given=given, parts=3)

    # 10,000 + 1000 of the first part
    assert numbers(rejection(quantity="1.001", part=2, parts=3, standing=standing, given=given)) == (
        "EXPOSURE_ABOVE_MAX", 12_001, 12_000,
    )  # fmt: skip


def test_caps_hold_whichever_of_the_orders_fill() -> None:
    standing, given = Standing(), capped({"gross_max": "6000"}, mine=portfolio(position("5")))
    # may never fill, so it makes no room
    approval(quantity="5", action="sell_to_enter", limit="1020", standing=standing, given=given, parts=4)

    said = rejection(quantity="2", part=2, parts=4, standing=standing, given=given)

    assert numbers(said) == ("EXPOSURE_ABOVE_MAX", 7000, 6000)
    approval(quantity="1", part=3, parts=4, standing=standing, given=given)


def test_an_order_that_may_never_fill_makes_no_room_on_the_short_side_either() -> None:
    standing, given = Standing(), capped({"gross_max": "6000"}, mine=portfolio(position("-5")))
    approval(quantity="5", limit="980", standing=standing, given=given, parts=3)

    said = rejection(quantity="2", action="sell_to_enter", part=2, parts=3, standing=standing, given=given)
    assert numbers(said) == ("EXPOSURE_ABOVE_MAX", 7000, 6000)


def test_a_close_before_an_entry_the_other_way_counts_for_what_both_can_lead_to() -> None:
    standing, given = Standing(), capped({"gross_max": "9000"}, mine=portfolio(position("5")))
    approval(action="close_position", quantity=None, standing=standing, given=given, parts=4)

    # 5 closed, then 9.001 sold: 9.001 short
    said = rejection(quantity="9.001", action="sell_to_enter", part=2, parts=4, standing=standing, given=given)
    assert numbers(said) == ("EXPOSURE_ABOVE_MAX", 9001, 9000)
    approval(quantity="9", action="sell_to_enter", part=3, parts=4, standing=standing, given=given)


def test_without_everyones_portfolio_an_arena_cap_lets_nothing_new_through() -> None:
    given = capped({"scope": "arena", "gross_max": "99000"}, mine=ANN, others=[BOB], missing=2)

    said = rejection(quantity="1", given=given)
    assert numbers(said) == ("PORTFOLIO_MISSING", 2, 0)
    assert said.detail == "the portfolios of 2 competitors as of this round are missing"
    approval(action="close_position", quantity=None, given=given)
    approval(quantity="1", given=capped({"gross_max": "99000"}, mine=ANN, missing=2))


def test_the_nearest_of_several_caps_is_the_one_that_is_kept() -> None:
    given = capped({"name": "wide", "gross_max": "90000"}, {"name": "near", "gross_max": "8000"}, mine=ANN)
    order = approval(quantity="1", given=given)

    kept = next(check for check in order.checks if check.rule == "exposure")
    assert (kept.value, kept.limit) == (D(8000), D(8000))
