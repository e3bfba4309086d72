"""Price bands by hand. Y 2 %, Z 5 % for assets of the first tier; Y 4 %, Z 8 % for the others; tick 0.1."""

# mypy: no-strict-equality
# (whole numbers beside decimals)

import pytest
from risk_gate.core.bands import band
from risk_gate.testing import D, approval, facts, listed, mark, numbers, rejection, season

OKX = season(price_band=None)
OTHER = listed(base="DOGE")


@pytest.mark.parametrize(
    ("price", "index", "expected"),
    [
        # no premium: 1000 * 0.98, 1000 * 1.02
        ("1000", "1000", (980, 1020)),
        # premium 10: 980 + 10, 1020 + 10
        ("1010", "1000", (990, 1030)),
        # premium 40: 980 + 40 is above the index, which is the most the lowest may be; 1060 is beyond 1000 * 1.05
        ("1040", "1000", (1000, 1050)),
        # premium -40: 940 is beyond 1000 * 0.95; 1020 - 40 is below the index, the least the highest may be
        ("960", "1000", (950, 1000)),
        # without an index the mark stands for it
        ("1000", None, (980, 1020)),
        # 1003.33 * 0.98 = 983.2634, * 1.02 = 1023.3966: inwards to the tick
        ("1003.33", "1003.33", (D("983.3"), D("1023.3"))),
    ],
)
def test_the_rule_of_okx_for_the_first_tier(price: str, index: str | None, expected: tuple[object, object]) -> None:
    assert band(OKX.rules, listed(), D(price), D(index) if index else None) == expected


def test_other_assets_have_wider_bands() -> None:
    assert band(OKX.rules, OTHER, D(1000), D(1000)) == (960, 1040)
    # premium 60: 960 + 60 is above the index; 1100 is beyond 1000 * 1.08
    assert band(OKX.rules, OTHER, D(1060), D(1000)) == (1000, 1080)


def test_a_season_may_set_a_band_about_the_mark_instead() -> None:
    assert band(season(price_band=D("0.01")).rules, listed(), D(1010), D(1000)) == (D("999.9"), D("1020.1"))


def test_a_band_is_never_below_one_tick() -> None:
    assert band(OKX.rules, listed(tick_size=D(1)), D("0.5"), D("0.5")) == (1, 1)


def test_each_order_carries_the_band_of_the_moment_and_meets_it() -> None:
    prices = mark(price="1010").model_copy(update={"index_price": D(1000)})
    given = facts(season=OKX, mark=prices)

    order = approval(quantity="1", given=given)
    assert (order.price_min, order.price_max) == (990, 1030)
    above = rejection(limit="1030.1", given=given)
    assert numbers(above) == ("PRICE_OUT_OF_BAND", D("1030.1"), 1030)
    assert above.detail == (
        "the limit price 1030.1 is above the highest price 1030 at which BTC-USDT-PERP may trade now"
    )
