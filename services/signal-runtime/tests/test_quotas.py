from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from signal_runtime.core.quotas import Exceeded, Most, Quota, Spent, Usage, reserved, settled

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
CALL = Spent(1, 5_000, Decimal("0.02"))


def taken(usage: Usage, quota: Quota, on: date = MONDAY, most: Spent = CALL) -> Usage:
    found = reserved(usage, quota, most, on)
    assert isinstance(found, Usage)
    return found


def test_the_call_that_just_fits_is_made_and_the_next_is_not() -> None:
    # 0.02 and 0.02 are the 0.04 allowed; a third would make 0.06.
    quota = Quota(day=Most(usd=Decimal("0.04")))

    twice = taken(taken(Usage(), quota), quota)

    assert reserved(twice, quota, CALL, MONDAY) == Exceeded(
        "usd a day: 0.04 used, up to 0.02 more for a call, 0.04 allowed"
    )


def test_each_of_calls_tokens_and_usd_bounds_by_itself() -> None:
    for most, name in ((Most(calls=0), "calls"), (Most(tokens=4_999), "tokens"), (Most(usd=Decimal("0.019")), "usd")):
        for quota, period in ((Quota(day=most), "day"), (Quota(season=most), "season")):
            denied = reserved(Usage(), quota, CALL, MONDAY)
            assert isinstance(denied, Exceeded)
            assert denied.detail.startswith(f"{name} a {period}: ")


def test_a_new_day_begins_with_nothing_and_the_season_goes_on() -> None:
    quota = Quota(day=Most(calls=1), season=Most(calls=2))

    monday = taken(Usage(), quota)
    tuesday = taken(monday, quota, TUESDAY)

    assert isinstance(reserved(monday, quota, CALL, MONDAY), Exceeded)
    assert (tuesday.today.calls, tuesday.season.calls) == (1, 2)
    assert isinstance(reserved(tuesday, quota, CALL, date(2026, 1, 7)), Exceeded)


def test_what_a_call_did_not_take_is_given_back() -> None:
    took = Spent(1, 1_200, Decimal("0.005"))

    usage = settled(taken(Usage(), Quota()), CALL, took, MONDAY)

    assert (usage.today, usage.season) == (took, took)


def test_a_call_that_ends_after_midnight_is_settled_in_the_season_and_not_in_the_new_day() -> None:
    monday = taken(Usage(), Quota())
    tuesday = taken(monday, Quota(), TUESDAY)

    usage = settled(tuesday, CALL, Spent(1, 1_000, Decimal(0)), MONDAY)

    # Season: 5,000 + 5,000 reserved, 4,000 of them given back.
    assert (usage.today, usage.season) == (CALL, Spent(2, 6_000, Decimal("0.02")))


@given(st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 9_000)), max_size=30), st.integers(0, 50_000))
def test_what_is_spent_never_exceeds_the_quota_however_much_of_a_reservation_is_used(
    calls: list[tuple[int, int]], allowed: int
) -> None:
    quota, usage = Quota(season=Most(tokens=allowed)), Usage()
    for most, used in calls:
        wanted, took = Spent(1, most), Spent(1, min(used, most))
        found = reserved(usage, quota, wanted, MONDAY)
        if isinstance(found, Usage):
            usage = settled(found, wanted, took, MONDAY)
        assert 0 <= usage.season.tokens <= allowed
