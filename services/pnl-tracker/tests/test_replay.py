# mypy: disable-error-code="comparison-overlap"
# Amounts are compared with whole numbers.
"""The replay and the comparison of the three views."""

from decimal import Decimal
from typing import Any

import pytest
from contracts.base import named_id
from pnl_tracker.core.reconciliation import Reconciled, View, of_replay, of_venue, report
from pnl_tracker.core.replay import Replay
from pnl_tracker.testing import BTC, at, fill, funding, liquidated, stated, unit

SUMS: dict[str, Any] = {
    "realised_pnl": Decimal(10), "fees": Decimal("3.5"), "liquidation_fees": Decimal(3), "funding": Decimal(-1),
    "insurance_fund": Decimal(4), "written_off": Decimal(2), "fills": 2, "positions": {BTC: ("2", "200")},
}  # fmt: skip
EVENTS = [
    fill(1, "3", "100", fee="0.5"),
    fill(2, "-1", "110", seconds=2),
    funding(1, "-1", seconds=3),
    liquidated(1, fee="3", change="4", written_off="2", seconds=4),
]


def replayed(*events: Any, from_start: bool) -> dict[Any, View | None]:
    replay = Replay({named_id("stated", 1), named_id("stated", 2)}, from_start=from_start)
    for event in events:
        replay.take(event)
    return {n: replay.views[named_id("stated", n)] for n in (1, 2) if named_id("stated", n) in replay.views}


def test_a_replay_from_the_start_gives_what_the_venue_states() -> None:
    at_once = stated(1, seconds=5, **SUMS)
    later = stated(2, seconds=7, **SUMS | {"fees": Decimal("3.75"), "fills": 3, "positions": {BTC: ("3", "320")}})
    views = replayed(*EVENTS, at_once, fill(3, "1", "120", fee="0.25", seconds=6), later, from_start=True)

    assert views == {1: of_venue(at_once), 2: of_venue(later)}


def test_where_the_start_is_gone_the_first_statement_that_is_left_is_the_ground() -> None:
    ground = stated(1, seconds=5, **SUMS)
    later = stated(2, seconds=7, **SUMS | {"fees": Decimal("3.75"), "fills": 3, "positions": {BTC: ("3", "320")}})
    # the fill before the ground belongs to what is gone: counting it alone would be a guess
    views = replayed(EVENTS[1], ground, fill(3, "1", "120", fee="0.25", seconds=6), later, from_start=False)

    assert views == {1: None, 2: of_venue(later)}


def test_a_replay_holds_one_account_a_competitor_however_many_trades_there_are() -> None:
    replay = Replay({named_id("stated", 1)}, from_start=True)
    for n in range(100):
        replay.take(fill(n, "1", "100", seconds=n))
    (account,) = replay._accounts.values()

    assert (len(account.ledger.fresh), len(account.ledger.trade_ids), account.fills) == (0, 0, 100)
    assert not replay.done


@pytest.mark.parametrize(
    ("by", "agrees"), [("0.000001", True), ("0.0000011", False), ("-0.000001", True), ("-1", False)]
)
def test_roundings_of_the_venue_are_no_difference_and_everything_else_is(by: str, agrees: bool) -> None:
    venue = stated(1, seconds=5, **SUMS)
    off = {**of_venue(venue), "fees": Decimal("3.5") + Decimal(by)}

    found = report(venue, Reconciled(off, of_venue(venue), "replayed"))
    assert found.agrees is agrees
    assert [each.subject for each in found.differences] == ([] if agrees else ["fees"])


def test_a_position_that_only_one_view_has_is_a_difference() -> None:
    venue = stated(1, seconds=5, **SUMS | {"positions": {}})
    found = report(venue, Reconciled(of_venue(stated(1, seconds=5, **SUMS)), None, "nothing is kept"))

    assert [(each.subject, each.venue, each.ledger, each.replay) for each in found.differences] == [
        (f"cost {BTC}", 0, 200, None),
        (f"position {BTC}", 0, 2, None),
    ]
    assert found.compared == 11
    assert (found.event_id, found.at) == (venue.child_id("reconciliation"), at(5))


def test_the_tracker_s_own_account_gives_the_same_view_as_the_replay() -> None:
    ann = unit("ann")
    for event in EVENTS:
        ann.execution(event)

    assert of_replay(ann.accounts["season-1", "ann"]) == of_venue(stated(1, seconds=5, **SUMS))
