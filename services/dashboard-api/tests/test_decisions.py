import itertools
from typing import Any

from contracts.base import named_id
from contracts.market import TimeAdvanced
from dashboard_api.core import decisions, rounds
from dashboard_api.core.fold import fold
from dashboard_api.core.trades import TradeBook
from dashboard_events import BTC, ETH, D, approved, at, closed, judged, missed, opened, rejected, signal


def test_each_part_is_joined_with_its_verdict_and_the_numbers_that_decided() -> None:
    first, second = signal(1, 3), signal(2, 3, instrument=ETH)
    third = signal(3, 3, action="hold", instrument=None, quantity=None)
    view = decisions.view(
        [first, second, third, approved(first), rejected(second), judged(approved=1, rejected=1, held=1)]
    )

    assert [(part.part, part.verdict) for part in view.parts] == [(1, "approved"), (2, "rejected"), (3, "held")]
    assert (view.parts[0].order_id, view.parts[0].instrument) == (first.child_id(0), BTC)
    assert (view.parts[1].code, view.parts[1].value, view.parts[1].limit, view.parts[1].unit) == (
        "NOTIONAL_ABOVE_MAX", D("60000"), D("50000"), "USD",
    )  # fmt: skip
    assert (view.state, view.approved, view.rejected, view.held) == ("judged", 1, 1, 1)
    assert (view.decision_id, view.at) == (first.decision_id, at(10))


def test_a_decision_is_the_same_in_whatever_order_its_events_come() -> None:
    first = signal(1, 1)
    events: list[Any] = [first, approved(first), judged(approved=1)]

    assert len({decisions.view(order).model_dump_json() for order in itertools.permutations(events)}) == 1


def test_a_part_without_a_verdict_is_pending() -> None:
    view = decisions.view([signal()])

    assert (view.state, view.parts[0].verdict) == ("proposed", "pending")


def test_a_missed_round_says_why() -> None:
    view = decisions.view([missed(), judged(answered=False)])

    assert (view.state, view.reason, view.detail, view.parts) == ("missed", "timeout", "no answer within 60 s", ())


def test_a_closed_round_still_says_when_it_opened() -> None:
    known = rounds.Rounds()
    first = known.add(opened(1))
    second = known.add(closed(1))

    assert (first.type, first.closed_at, first.deadline) == ("round_opened", None, at(60))
    assert (second.type, second.opened_at, second.closed_at, second.missed) == ("round_closed", at(0), at(61), 1)
    assert (second.deadline, second.competitors) == (at(60), ("ann", "bob"))


def test_watermarks_are_no_facts() -> None:
    assert fold(TradeBook(), TimeAdvanced(event_id=named_id("w"), at=at(0), partition=0)) == ()
