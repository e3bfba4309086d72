"""Requests to the venue: how many, what for, and when it asked for silence."""

from datetime import timedelta

from order_executor.exchange.core import Budget
from order_executor.testing import at


def test_the_last_quarter_of_the_budget_is_kept_for_cancels_and_questions() -> None:
    budget = Budget(size=8, per_second=2, kept=2)

    assert [budget.wait("place", at(0)) for _ in range(6)] == [timedelta(0)] * 6
    # two are left and kept; one more would leave one: half a second at two a second
    assert budget.wait("place", at(0)) == timedelta(seconds=0.5)
    assert [budget.wait(kind, at(0)) for kind in ("cancel", "query")] == [timedelta(0)] * 2
    assert budget.wait("cancel", at(0)) == timedelta(seconds=0.5)


def test_after_a_429_nothing_of_any_kind_goes_out_until_the_venue_said() -> None:
    budget = Budget(size=8, per_second=2, kept=2)
    budget.throttled(at(0), timedelta(seconds=3))

    assert budget.wait("query", at(1)) == timedelta(seconds=2)
    assert budget.wait("query", at(3)) == timedelta(0)
