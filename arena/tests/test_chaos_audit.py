"""What the audit finds: a story of one round in which nothing is wrong, and the same with one thing changed."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from arena.chaos.audit import Held, Told, findings
from contracts.base import named_id

D = Decimal
WHO = {"competitor_id": "ann", "round": 1}
SIGNAL, ORDER, TRADE = named_id("signal"), named_id("order"), named_id("trade")
GATE, VENUE = "risk-gate/signals.v1/0", "order-executor/orders.v1/0"
Row = tuple[str, int, Any]
HELD = Held(
    venue_fills=[TRADE], ledger_trades=[TRADE], ledger_postings=[(TRADE, 1)], unbalanced=[], shown_fills=[TRADE],
    venue_accounts={"ann": (D(1), D(2), D(0), D(1))}, ledger_accounts={"ann": (D("1.0"), D(2), D(0), D(1))},
    venue_positions={("ann", "BTC"): D(3)}, ledger_positions={("ann", "BTC"): D(3)},
)  # fmt: skip


def event(kind: str, topic: str, **fields: Any) -> Any:
    known = {"type": kind, "topic": topic, "event_id": named_id(kind), **WHO}
    return SimpleNamespace(**(known | fields))


def story() -> list[Row]:
    """(source, sequence, event) of everything told."""
    signal = event("signal_proposed", "signals.v1", event_id=SIGNAL, action="buy_to_enter", parts=1)
    return [
        ("competition/market.snapshots.v1/0", 1, event("round_opened", "rounds.v1")),
        ("competition/market.snapshots.v1/0", 2, event("decision_requested", "decisions.requested.v1")),
        ("signal-runtime/ann", 1001, signal),
        (GATE, 1, event("order_approved", "orders.v1", event_id=ORDER, signal_id=SIGNAL)),
        (GATE, 2, event("decision_judged", "orders.v1")),
        (VENUE, 1, event("order_filled", "executions.v1", order_id=ORDER, trade_id=TRADE)),
        ("competition/market.snapshots.v1/0", 3, event("round_closed", "rounds.v1")),
    ]


def found(rows: list[Row], held: Held = HELD) -> list[str]:
    told = Told()
    for source, sequence, each in rows:
        if told.is_new(f"arena.{each.type}", source, sequence, repr(each).encode()):
            told.add(each, source, sequence)
    return sorted(f"{finding.kind}: {finding.what}" for finding in findings(told, held))


def without(kind: str) -> Callable[[], list[Row]]:
    """The others of its source move up: no number is missing."""

    def told() -> list[Row]:
        counts: dict[str, int] = {}
        kept = []
        for source, sequence, each in story():
            if each.type == kind:
                continue
            counts[source] = counts.get(source, 0) + 1
            kept.append((source, counts[source] if source != "signal-runtime/ann" else sequence, each))
        return kept

    return told


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert found(story()) == []


def test_a_repeat_under_the_same_number_is_none() -> None:
    assert found([*story(), *story()]) == []


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (without("round_closed"), ["lost: round 1 never closed"]),
        (without("decision_judged"), ["lost: ann in round 1 was not judged"]),
        (without("signal_proposed"), ["lost: the request of ann in round 1 has no answer"]),
    ],
)
def test_what_a_decision_lacks(told: Callable[[], list[Row]], expected: list[str]) -> None:
    assert found(told()) == expected


def test_a_signal_without_verdict_is_lost() -> None:
    unjudged = [row for row in without("order_approved")() if row[2].type != "order_filled"]

    assert found(unjudged, _empty()) == [f"lost: signal {SIGNAL} has no verdict"]


def test_an_approved_order_without_outcome_is_lost() -> None:
    assert found(without("order_filled")(), _empty()) == [f"lost: order {ORDER} has no outcome"]


def test_a_missing_number_is_a_gap() -> None:
    gapped = [(source, sequence + (source == GATE), each) for source, sequence, each in story()]

    assert found(gapped) == [f"lost: {GATE} has 1 gaps up to 3"]


def test_another_content_under_the_same_number_is_doubled() -> None:
    other = event("order_filled", "executions.v1", order_id=ORDER, trade_id=named_id("another"))

    assert found([*story(), (VENUE, 1, other)]) == [f"doubled: {VENUE} number 1 has two contents"]


def test_a_fill_under_two_numbers_is_doubled() -> None:
    again = event("order_filled", "executions.v1", order_id=ORDER, trade_id=TRADE)

    assert found([*story(), (VENUE, 2, again)]) == [
        f"doubled: order_filled {again.event_id} was told as {VENUE} 1 and {VENUE} 2",
        f"doubled: trade {TRADE} was filled twice",
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ledger_postings": []}, f"lost: trade {TRADE} is not in the ledger"),
        ({"shown_fills": []}, f"lost: trade {TRADE} is not in the read model"),
        ({"venue_fills": []}, f"lost: trade {TRADE} is not in the venue's account"),
        ({"ledger_postings": [(TRADE, 2)]}, f"doubled: trade {TRADE} stands twice in the ledger"),
        ({"shown_fills": [TRADE, TRADE]}, f"doubled: trade {TRADE} is twice in the read model"),
        ({"unbalanced": [TRADE]}, f"unbalanced: the ledger's entries of event {TRADE} do not add up to zero"),
        (
            {"ledger_positions": {}},
            "unbalanced: position ('ann', 'BTC'): venue 3, ledger None",
        ),
    ],
)
def test_the_databases_are_held_against_what_was_told(changes: dict[str, Any], expected: str) -> None:
    assert found(story(), replace(HELD, **changes)) == [expected]


def test_watermarks_of_the_market_have_no_number_of_their_own() -> None:
    time = event("time_advanced", "market.quotes.v1")
    source = "market-data/synthetic/market.quotes.v1/0"

    assert found([*story(), (source, 0, time), (source, 0, event("time_advanced", "market.quotes.v1", at=2))]) == []


def _empty() -> Held:
    return replace(HELD, venue_fills=[], ledger_trades=[], ledger_postings=[], shown_fills=[])
